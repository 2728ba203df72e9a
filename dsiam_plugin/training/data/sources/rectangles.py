"""Sequences annotated by a text file of rectangles, as most tracking data sets have them."""

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dsiam_plugin.errors import DatasetError, ImageError
from dsiam_plugin.io.folders import frame_files
from dsiam_plugin.training.data.sources.footage import Flag, Footage, Scan, Skip, frame_size

TRAILING_NUMBER = re.compile(r"(\d+)$")


class NumberedImages(NamedTuple):
    """Images of annotated frames, N of them."""

    names: tuple[str, ...]  # file names; "" where the file is missing
    frames: np.ndarray  # (N,) int64 frame numbers
    flags: np.ndarray  # (N,) uint8, `Flag.NO_IMAGE` where the file is missing


def match_images(folder: Path, rows: int) -> NumberedImages:
    """The image of every annotated frame.

    With as many images as rows, they belong together in order. With fewer images, row i belongs
    to number i + 1 if all numbers are in that range, or else to the i-th number after the first
    if the numbers span as many frames as there are rows.

    Raises:
        DatasetError: There are no images, or none of the rules holds.
    """
    found = _numbered_images(folder)
    numbers = [number for number, _ in found]
    first, last = numbers[0], numbers[-1]
    increasing = all(low < high for low, high in pairwise(numbers))
    if increasing and len(found) == rows:
        frames = np.array(numbers)
    elif increasing and 1 <= first and last <= rows:
        frames = np.arange(1, rows + 1)
    elif increasing and last - first + 1 == rows:
        frames = np.arange(first, last + 1)
    else:
        raise DatasetError(
            f"{folder}: {len(found)} images numbered {first} to {last}; expected one for each of"
            f" the {rows} annotated frames"
        )
    by_number = dict(found)
    names = tuple(by_number.get(int(frame), "") for frame in frames)
    flags = np.array([0 if name else Flag.NO_IMAGE for name in names], np.uint8)
    return NumberedImages(names, frames, flags)


def scan_sequence(annotations: Path, name: str, target: Callable[[], Footage]) -> Scan:
    """The one target of a sequence, or the reason why it cannot be had."""
    if not annotations.is_file():
        return Scan(skips=[Skip("no annotations", name, "video")])
    try:
        return Scan(targets=[target()])
    except (DatasetError, ImageError) as error:
        return Scan(skips=[Skip("bad sequence", name, "track", detail=str(error))])


def rectangle_footage(
    name: str,
    images: Path,
    boxes: np.ndarray,
    flags: np.ndarray | int = 0,
    size: tuple[int, int] | None = None,
    sequence: str = "",
    video: str = "",
) -> Footage:
    """Footage of a target whose boxes stand in the order of the images in a folder.

    Args:
        name: Name of the target, and of its sequence and video where those are not given.
        images: Folder of the images.
        boxes: (N, 4) float64 ``(x, y, w, h)``, 0-based px.
        flags: (N,) uint8, sums of :class:`Flag`, beside that of missing images.
        size: Width and height in px; None for those of the first image.
        sequence: The unit of the source that it belongs to.
        video: What the sequence was cut from.

    Raises:
        DatasetError: If images and boxes do not fit each other.
        ImageError: If the size is asked of images of which none decodes.
    """
    found = match_images(images, len(boxes))
    return Footage(
        name=name,
        sequence=sequence or name,
        video=video or sequence or name,
        folder=images,
        images=found.names,
        frames=found.frames,
        boxes=boxes,
        flags=found.flags | flags,
        size=size or frame_size(images, found.names),
    )


def _numbered_images(folder: Path) -> list[tuple[int, str]]:
    """Number and name of every numbered image of a folder, in the order of frames."""
    matches = [(TRAILING_NUMBER.search(Path(name).stem), name) for name in frame_files(folder)]
    found = [(int(match.group(1)), name) for match, name in matches if match]
    if not found:
        raise DatasetError(f"{folder}: no numbered images; expected 0001.jpg and so on")
    return found
