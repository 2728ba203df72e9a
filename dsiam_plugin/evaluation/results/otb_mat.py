"""Result files of the OTB authors' MATLAB toolkit, `<sequence>_<tracker>.mat`.

They hold a cell array `results`, one struct a run: `res`, `type`, `len`, `annoBegin`, `startFrame`
and sometimes `fps`, `tmplsize`; or a bare array `results`, `result` or `res` of boxes. Pixels
count from 1. A type other than "rect" is turned into the box around four corners, as the authors'
`ConvertResultToRects` (toolkit 1.1) does.
"""

import io
import os
from collections.abc import Callable, Iterable

import numpy as np

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.datasets.facts import SequenceFacts
from dsiam_plugin.io.files import atomic_write
from dsiam_plugin.io.mat import read_mat as read_variables
from dsiam_plugin.io.messages import excerpt, fail
from dsiam_plugin.io.versions import import_optional

RECTANGLE = "rect"
_VARIABLES = ("results", "result", "res")
_EXPECTED = "results{1}.res and .type, or an array of x,y,w,h"


def read_mat(path: str | os.PathLike) -> np.ndarray:
    """Read the boxes of the first run.

    Args:
        path: MATLAB file up to version 7.

    Returns:
        (frames, 4) float64, x, y, w, h, the first pixel being 1.

    Raises:
        ResultsError: The file is damaged or holds something else.
        MissingDependencyError: SciPy is not installed.
    """
    variables = read_variables(path, ResultsError)
    found = next((variables[name] for name in _VARIABLES if name in variables), None)
    while isinstance(found, list) and found:  # cells of runs
        found = found[0]
    run = found if isinstance(found, dict) else {"res": found, "type": RECTANGLE}
    numbers, kind = run.get("res"), run.get("type", RECTANGLE)
    if not isinstance(numbers, np.ndarray) or numbers.ndim != 2 or numbers.dtype.kind not in "fiub":
        raise ResultsError(f"{path}: no array of numbers in it, expected {_EXPECTED}")
    if isinstance(kind, str) and kind == RECTANGLE:
        boxes = numbers.astype(np.float64)
    elif isinstance(kind, str) and kind in _CORNERS:
        boxes = _enclose(_corners(path, kind, run, numbers.astype(np.float64)))
    else:
        known = ", ".join((RECTANGLE, *_CORNERS))
        fail(ResultsError, path, f"results of type {excerpt(kind)}", f"one of {known}")
    if boxes.shape[1] != 4 or not len(boxes):
        rows, columns = boxes.shape
        raise ResultsError(f"{path}: res is of {rows} x {columns}, expected x,y,w,h")
    return boxes


def write_mat(path: str | os.PathLike, boxes: Iterable, facts: SequenceFacts | None = None) -> None:
    """Write one run, atomically.

    Args:
        path: File to write.
        boxes: x, y, w, h a frame, the first pixel being 1.
        facts: The sequence's, for the numbers of its frames; None counts from 1.

    Raises:
        MissingDependencyError: SciPy is not installed.
    """
    scipy_io = import_optional("scipy.io", "mat")
    boxes = np.asarray(boxes, dtype=np.float64)
    first = facts.first_frame if facts else 1
    start = first + facts.skip if facts and len(boxes) == facts.frames else first
    run = {
        "res": boxes,
        "type": RECTANGLE,
        "len": float(len(boxes)),
        "annoBegin": float(first),
        "startFrame": float(start),
    }
    cell = np.empty((1, 1), dtype=object)
    cell[0, 0] = run
    content = io.BytesIO()
    scipy_io.savemat(content, {"results": cell})
    with atomic_write(path, "wb") as file:
        file.write(content.getvalue())


def _corners(path: str | os.PathLike, kind: str, run: dict, res: np.ndarray) -> np.ndarray:
    """Corners of every frame, (frames, 2, 4), x in the first row."""
    size = run.get("tmplsize")
    size = size.ravel()[:2] if isinstance(size, np.ndarray) and size.dtype.kind in "fiu" else ()
    try:
        return _CORNERS[kind](res, *map(float, size))
    except (ValueError, TypeError, IndexError):
        rows, columns = res.shape
        found = f"results of type {kind} with res of {rows} x {columns}, {len(size)} sizes"
        fail(ResultsError, path, found, "six numbers a frame and tmplsize, or two rows of corners")


def _warp_ivt(res: np.ndarray, width: float, height: float) -> np.ndarray:
    """Corners of a template of that size whose centre is the origin of an affine map."""
    points = np.array([[-1, 1, 1, -1], [-1, -1, 1, 1]]) / 2 * [[width], [height]]
    origin, matrix = np.hsplit(res.reshape(len(res), 6), [2])
    return matrix.reshape(-1, 2, 2) @ points + origin[:, :, None]


def _warp_l1(res: np.ndarray, width: float, height: float) -> np.ndarray:
    """The same where the map begins at the first pixel and gives y before x."""
    points = np.array([[1, width, width, 1], [1, 1, height, height]])
    matrix, origin = np.hsplit(res.reshape(len(res), 6), [4])
    return (matrix.reshape(-1, 2, 2) @ points + origin[:, :, None])[:, ::-1]


def _read_corners(res: np.ndarray, *size: float) -> np.ndarray:
    return res.reshape(-1, 2, 4)


def _enclose(corners: np.ndarray) -> np.ndarray:
    """Boxes around corners, sides counted in pixels."""
    low, high = corners.min(axis=2), corners.max(axis=2)
    return np.hstack([low, high - low + 1])


_CORNERS: dict[str, Callable[..., np.ndarray]] = {
    "ivtAff": _warp_ivt, "affine_ivt": _warp_ivt, "L1Aff": _warp_l1, "affine_L1": _warp_l1,
    "4corner": _read_corners, "four_corners": _read_corners, "affine": _read_corners,
}  # fmt: skip
