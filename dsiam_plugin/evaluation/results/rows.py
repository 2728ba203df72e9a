"""Rows of results that are no boxes of the target: invalid ones, and corners in place of a box."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dsiam_plugin.evaluation.results.files import BOX_NUMBERS

logger = logging.getLogger(__name__)

CORNER_TOLERANCE = 2.0  # px: counting from 1, and the last pixel for the border


def carry_last(boxes: np.ndarray, truth: Sequence[Sequence[float]]) -> np.ndarray:
    """Boxes whose invalid rows repeat the row before, the rule of OTB's own toolkit.

    Invalid is a row of NaN, or without width or height, where the annotation has a box; the
    first row never is.

    Args:
        boxes: (frames, 4) x, y, w, h.
        truth: The annotation, a box a frame.

    Returns:
        A new array, (frames, 4).
    """
    annotated = ~np.isnan(np.asarray(truth, dtype=np.float64)).any(axis=1)
    empty = np.isnan(boxes).all(axis=1) | (boxes[:, 2:] <= 0).any(axis=1)
    valid = ~(empty & annotated)
    valid[:1] = True
    return boxes[np.maximum.accumulate(np.where(valid, np.arange(len(boxes)), 0))]


def warn_about_nan(file: Path, boxes: np.ndarray) -> None:
    """NaN boxes are misses, as in pysot; say so, because a tracker seldom means them."""
    rows = np.flatnonzero(~np.isfinite(boxes).all(axis=1))
    if len(rows):
        logger.warning(
            "%s:%d: not a finite box (%d such rows of %d); each counts as a miss",
            file, rows[0] + 1, len(rows), len(boxes),
        )  # fmt: skip


def is_corners(row: Sequence[float], box: Sequence[float]) -> bool:
    """True where a row holds x1,y1,x2,y2 of a box, and not the box itself.

    Args:
        row: First row of a result.
        box: The start box, x, y, w, h; a polygon gives False.
    """
    if len(row) != BOX_NUMBERS or len(box) != BOX_NUMBERS:
        return False
    corners = np.add(box, [0, 0, box[0], box[1]])
    off = np.abs(np.subtract(row, box)).max()
    return bool(np.abs(np.subtract(row, corners)).max() <= CORNER_TOLERANCE < off)
