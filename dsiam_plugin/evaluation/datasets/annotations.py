"""Files of annotations as data sets bring them: boxes, regions, and labels of single frames."""

from pathlib import Path

import numpy as np

from dsiam_plugin.errors import DatasetError, ResultsError
from dsiam_plugin.evaluation.results.files import BOX_NUMBERS, read_boxes, read_regions
from dsiam_plugin.io.boxes import box_from_polygon
from dsiam_plugin.io.messages import fail
from dsiam_plugin.io.parsing import read_text

# Labels of frames in which the target cannot be seen: LaSOT's two, then GOT-10k's.
HIDDEN_FILES = ("full_occlusion.txt", "out_of_view.txt", "absence.label")
COVER_FILE = "cover.label"  # GOT-10k: eighths of the target that are visible, 0 to 8


def read_annotated_boxes(path: Path, first_pixel: int = 0) -> np.ndarray:
    """Boxes of an annotation.

    Args:
        path: Text file with x,y,w,h a frame.
        first_pixel: Number that the data set gives to the first pixel, 0 or 1.

    Returns:
        (frames, 4) float64, 0-based px; NaN where the file says so.

    Raises:
        DatasetError: The file is missing, or a row is something else.
    """
    try:
        boxes = read_boxes(path)
    except ResultsError as error:
        raise DatasetError(str(error)) from None
    _check_finite(path, boxes.tolist())
    return boxes - (first_pixel, first_pixel, 0, 0)


def read_annotated_regions(path: Path) -> list[list[float]]:
    """Boxes, polygons or codes of an annotation, coordinates as they stand.

    Raises:
        DatasetError: The file is missing or a row is no region.
    """
    try:
        regions = read_regions(path)
    except ResultsError as error:
        raise DatasetError(str(error)) from None
    _check_finite(path, regions)
    return regions


def enclosing_box(region: list[float], where: str) -> list[float]:
    """The box around a polygon, NaN where any number of it is.

    Raises:
        DatasetError: The region is a code.
    """
    if len(region) == 1:
        raise DatasetError(f"{where}: one number, expected x,y,w,h or a polygon")
    if len(region) == BOX_NUMBERS:
        return region
    return list(box_from_polygon(region))


def read_labels(path: Path, rows: int) -> np.ndarray | None:
    """One whole number a frame, separated by commas, blanks or line ends.

    Returns:
        (rows,) int64, or None where there is no file.

    Raises:
        DatasetError: The file holds something else, or not one label a frame.
    """
    if not path.is_file():
        return None
    words = read_text(path, DatasetError, "whole numbers").replace(",", " ").split()
    try:
        labels = np.array([int(float(word)) for word in words], np.int64)
    except (ValueError, OverflowError) as error:
        fail(DatasetError, path, error, "whole numbers")
    if len(labels) != rows:
        raise DatasetError(f"{path}: {len(labels)} labels; expected {rows}, one for each box")
    return labels


def read_hidden(folder: Path, rows: int) -> np.ndarray | None:
    """Marks of the frames whose target cannot be seen, by LaSOT's and GOT-10k's labels.

    pysot's `absent` says so of LaSOT, got10k of its own data; `dsiam data curate` leaves them out.

    Returns:
        (rows,) bool, or None where the folder has no such file.

    Raises:
        DatasetError: A file does not fit.
    """
    marks = [read_labels(folder / name, rows) for name in HIDDEN_FILES]
    cover = read_labels(folder / COVER_FILE, rows)
    hidden = [labels > 0 for labels in marks if labels is not None]
    hidden += [cover <= 0] if cover is not None else []
    return np.any(hidden, axis=0) if hidden else None


def visible_flags(folder: Path, rows: int) -> dict[str, list[int]]:
    """The part of a sequence's metadata that says so: pysot's `absent`, 1 where it is visible."""
    hidden = read_hidden(folder, rows)
    return {} if hidden is None else {"absent": (~hidden).astype(int).tolist()}


def _check_finite(path: Path, rows: list[list[float]]) -> None:
    for row, numbers in enumerate(rows, start=1):
        if np.isinf(numbers).any():
            raise DatasetError(f"{path}:{row}: an infinite number, expected pixels or NaN")
