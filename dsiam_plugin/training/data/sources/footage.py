"""The product of all sources: frames with a target's boxes, and a record of what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntFlag
from pathlib import Path
from typing import Protocol

import numpy as np

from dsiam_plugin.errors import ImageError
from dsiam_plugin.io.images import read_image


class Flag(IntFlag):
    """Marks of a frame besides its box; flags add up."""

    OCCLUDED = 1
    GENERATED = 2  # the box was computed, not drawn by hand
    ABSENT = 4
    NO_IMAGE = 8


@dataclass(frozen=True)
class Skip:
    """Something left out of a pack."""

    reason: str  # a few words, the same for every case of the kind
    where: str  # the video, track or clip
    level: str  # what was lost: `video`, `track`, `frame` or `clip`
    count: int = 1  # how many of them
    detail: str = ""  # what was found there


@dataclass(frozen=True)
class Footage:
    """One target in some frames of a sequence, N of them."""

    name: str  # unique in its source
    sequence: str  # the unit of the source that it belongs to
    video: str  # what the sequence was cut from; targets of one video may be the same object
    folder: Path  # where the images are
    images: tuple[str, ...]  # N file names in the folder; "" where the file is missing
    frames: np.ndarray  # (N,) int64 frame numbers, increasing
    boxes: np.ndarray  # (N, 4) float64 `(x, y, w, h)`, 0-based px; NaN where there is none
    flags: np.ndarray  # (N,) uint8, sums of :class:`Flag`
    size: tuple[int, int]  # width and height of the frames in px

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: Sequence[int] | np.ndarray) -> Footage:
        """The same target in the frames of these indices."""
        rows = np.asarray(rows, np.int64)
        return replace(
            self,
            images=tuple(self.images[row] for row in rows),
            frames=self.frames[rows],
            boxes=self.boxes[rows],
            flags=self.flags[rows],
        )


@dataclass
class Scan:
    """Targets of one unit of a source, and what of it cannot be used."""

    targets: list[Footage] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)


class Source(Protocol):
    """A data set on the disk. Instances travel to worker processes."""

    def units(self) -> list[str]:
        """Names of what :meth:`read` takes, sorted.

        Raises:
            DatasetError: The folder is not laid out as the source demands.
        """

    def read(self, unit: str) -> Scan:
        """Annotations of one unit; trouble with it becomes a :class:`Skip`."""

    def describe(self) -> dict[str, str | int]:
        """Entries of the report on the source: its name on the command line and its options."""


def frame_size(folder: Path, images: Sequence[str]) -> tuple[int, int]:
    """Width and height in px of the first image that decodes.

    Raises:
        ImageError: None of them does.
    """
    failure = ImageError(f"{folder}: no images")
    for image in filter(None, images):
        try:
            height, width = read_image(folder / image).shape[:2]
            return width, height
        except ImageError as error:
            failure = error
    raise failure
