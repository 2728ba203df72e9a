"""Text files of rectangles and the images they belong to, as most tracking data sets have them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.images import SUFFIXES

SEPARATORS = re.compile(r"[,;\s]+")
TRAILING_NUMBER = re.compile(r"(\d+)$")


def read_rectangles(path: Path, first_pixel: int) -> np.ndarray:
    """Boxes of a file with one line ``x,y,w,h`` a frame; tabs or blanks may separate too.

    Args:
        path: The file.
        first_pixel: What the data set calls the top-left pixel, 0 or 1.

    Returns:
        (N, 4) float64, 0-based px. Blank lines at the end are ignored.

    Raises:
        DatasetError: The file cannot be read, is empty or has a line of another kind.
    """
    rows = []
    for number, line in enumerate(_lines(path), start=1):
        words = [word for word in SEPARATORS.split(line.strip()) if word]
        try:
            values = [float(word) for word in words]
        except ValueError:
            values = []
        if len(values) != 4:
            raise DatasetError(f"{path}, line {number}: {line.strip()!r}; expected x,y,w,h")
        rows.append(values)
    if not rows:
        raise DatasetError(f"{path}: empty; expected a line x,y,w,h for every frame")
    return np.array(rows) - (first_pixel, first_pixel, 0, 0)


def read_flags(path: Path) -> np.ndarray | None:
    """Whole numbers of a file, separated by commas or line ends; None where there is no file.

    Raises:
        DatasetError: The file holds something else.
    """
    if not path.is_file():
        return None
    words = [word for line in _lines(path) for word in SEPARATORS.split(line.strip()) if word]
    try:
        return np.array([int(float(word)) for word in words], np.int64)
    except ValueError as error:
        raise DatasetError(f"{path}: {error}; expected whole numbers") from error


def match_images(folder: Path, rows: int) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """The image of every annotated frame.

    Files are numbered. Row i belongs to number i + 1 where all numbers fit that, to the i-th
    number after the first where the numbers span as many frames as there are rows, and to the
    i-th file where there are as many files as rows.

    Args:
        folder: Of the images.
        rows: Number of annotated frames.

    Returns:
        Per row the file's name ("" where it is missing), the frame number (N,) int64, and
        whether the file is there (N,) bool.

    Raises:
        DatasetError: There are no images, or none of the rules holds.
    """
    found = _numbered_images(folder)
    numbers = [number for number, _ in found]
    first, last = numbers[0], numbers[-1]
    if len(found) == rows:
        frames = np.array(numbers)
    elif len(set(numbers)) == len(numbers) and 1 <= first and last <= rows:
        frames = np.arange(1, rows + 1)
    elif len(set(numbers)) == len(numbers) and last - first + 1 == rows:
        frames = np.arange(first, last + 1)
    else:
        raise DatasetError(
            f"{folder}: {len(found)} images numbered {first} to {last}, but {rows} annotated frames"
        )
    if len(found) == rows:
        return tuple(name for _, name in found), frames, np.ones(rows, bool)
    names = dict(found)
    images = tuple(names.get(int(frame), "") for frame in frames)
    return images, frames, np.array([bool(name) for name in images])


def _numbered_images(folder: Path) -> list[tuple[int, str]]:
    """Number and name of every image of a folder, in the order of their numbers."""
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        match = TRAILING_NUMBER.search(path.stem)
        if match and path.suffix.lower() in SUFFIXES:
            found.append((int(match.group(1)), path.name))
    if not found:
        raise DatasetError(f"{folder}: no numbered images; expected 0001.jpg and so on")
    return sorted(found)


def _lines(path: Path) -> list[str]:
    """Lines of a text file without blank ones at the end."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error})") from error
    return text.rstrip().splitlines()
