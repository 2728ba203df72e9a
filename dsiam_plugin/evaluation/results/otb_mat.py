"""Result files of the OTB authors' MATLAB toolkit, `<sequence>_<tracker>.mat`.

They hold a cell array `results`, one struct a run: `res` (frames x 4, pixels from 1), `type`
("rect"), `len`, `annoBegin`, `startFrame` and sometimes `fps`.
"""

import io
import os
from collections.abc import Iterable
from types import ModuleType

import numpy as np

from dsiam_plugin.errors import MissingDependencyError, ResultsError
from dsiam_plugin.evaluation.datasets.facts import SequenceFacts
from dsiam_plugin.io.files import atomic_write

RECTANGLE = "rect"


def read_mat(path: str | os.PathLike) -> np.ndarray:
    """Read the boxes of the first run.

    Args:
        path: MATLAB file up to version 7.

    Returns:
        (frames, 4) float64, x, y, w, h, the first pixel being 1.

    Raises:
        ResultsError: The file is damaged or holds something other than rectangles.
        MissingDependencyError: SciPy is not installed.
    """
    scipy_io = _scipy_io()
    try:
        content = scipy_io.loadmat(os.fspath(path), squeeze_me=True, struct_as_record=False)
        run = np.atleast_1d(content["results"])[0]
        kind, boxes = str(run.type), np.atleast_2d(np.asarray(run.res, dtype=np.float64))
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, NotImplementedError):
        raise ResultsError(
            f"{path}: expected a MATLAB file with results{{1}}.res and .type"
        ) from None
    if kind != RECTANGLE:
        raise ResultsError(f"{path}: results of type {kind!r}, expected {RECTANGLE!r}")
    if boxes.shape[1] != 4:
        raise ResultsError(f"{path}: res has {boxes.shape[1]} columns, expected x,y,w,h")
    return boxes


def write_mat(path: str | os.PathLike, boxes: Iterable, facts: SequenceFacts | None = None) -> None:
    """Write one run, atomically.

    Args:
        path: File to write.
        boxes: x, y, w, h a frame, the first pixel being 1.
        facts: Of the sequence, for the numbers of its frames; None counts from 1.

    Raises:
        MissingDependencyError: SciPy is not installed.
    """
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
    _scipy_io().savemat(content, {"results": cell})
    with atomic_write(path, "wb") as file:
        file.write(content.getvalue())


def _scipy_io() -> ModuleType:
    try:
        import scipy.io
    except ImportError:
        raise MissingDependencyError(
            "MATLAB files need SciPy: pip install 'dsiam-plugin[mat]'"
        ) from None
    return scipy.io
