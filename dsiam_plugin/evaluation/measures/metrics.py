"""One-pass measures as pure functions of arrays: success, precision, normalised precision.

Boxes are x, y, w, h in pixels, (frames, 4). A curve is the share of all frames of the sequence
that pass each threshold, so frames without a usable result count against the tracker. A box that
is not finite is a miss; so is every frame that a short result leaves out.
"""

import numpy as np

from dsiam_plugin.errors import BenchmarkError

SUCCESS_THRESHOLDS = np.arange(0, 1.05, 0.05)
PRECISION_THRESHOLDS_PX = np.arange(0, 51)
NORM_PRECISION_THRESHOLDS = np.arange(0, 51) / 100
# Where on the two precision curves the score is read: 20 px and 0.20.
PRECISION_INDEX = 20

_UNANNOTATED = -1.0
# pysot's guard against division by zero; it shows in frames annotated without width or height.
_TINY = 1e-16


def box_overlaps(truth: np.ndarray, result: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes, without the +1 of inclusive pixel coordinates.

    Args:
        truth: Annotation, (frames, 4).
        result: Boxes of a tracker, at most as many rows.

    Returns:
        (frames,) in [0, 1]; -1 where the annotation has no positive width and height, NaN where
        the result is not finite or missing.

    Raises:
        BenchmarkError: The arrays are not boxes, or the result is longer than the annotation.
    """
    truth, result = _matched(truth, result)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        low = np.maximum(truth[:, :2], result[:, :2])
        high = np.minimum(truth[:, :2] + truth[:, 2:], result[:, :2] + result[:, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        areas = np.prod(truth[:, 2:], axis=1) + np.prod(result[:, 2:], axis=1)
        overlaps = np.clip(shared / (areas - shared), 0, 1)
        return np.where((truth[:, 2:] > 0).all(axis=1), overlaps, _UNANNOTATED)


def box_centres(boxes: np.ndarray) -> np.ndarray:
    """Centres x + (w - 1) / 2, y + (h - 1) / 2 of boxes, (frames, 4) to (frames, 2), px."""
    return boxes[:, :2] + (boxes[:, 2:] - 1) / 2


def normalised_centres(boxes: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Centres of boxes, (frames, 4), divided by widths and heights, (frames, 2)."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return box_centres(boxes) / (size + _TINY)


def success_curve(truth: np.ndarray, result: np.ndarray, frames: int | None = None) -> np.ndarray:
    """Share of frames whose overlap exceeds each of `SUCCESS_THRESHOLDS`.

    Args:
        truth: Annotation, (n, 4).
        result: Boxes of a tracker, at most n rows.
        frames: Length of the sequence, where frames without target were taken out of `truth`;
            n where not given.

    Returns:
        (21,) shares; their mean is the area under the curve.

    Raises:
        BenchmarkError: As `box_overlaps`.
    """
    overlaps = box_overlaps(truth, result)
    overlaps = np.sort(overlaps[~np.isnan(overlaps)])
    above = len(overlaps) - np.searchsorted(overlaps, SUCCESS_THRESHOLDS, side="right")
    return above / (frames or len(truth))


def precision_curve(truth: np.ndarray, result: np.ndarray, frames: int | None = None) -> np.ndarray:
    """Share of frames whose centres are at most each of `PRECISION_THRESHOLDS_PX` apart.

    Frames whose annotated centre is not positive in both coordinates count as hits, as in pysot.

    Args:
        truth: Annotation, (n, 4).
        result: Boxes of a tracker, at most n rows.
        frames: Length of the sequence, as in `success_curve`.

    Returns:
        (51,) shares; the one at index 20 is the score.

    Raises:
        BenchmarkError: As `box_overlaps`.
    """
    truth, result = _matched(truth, result)
    distances = _distances(box_centres(truth), box_centres(result))
    return _shares_within(distances, PRECISION_THRESHOLDS_PX, frames or len(truth))


def norm_precision_curve(
    truth: np.ndarray, result: np.ndarray, frames: int | None = None
) -> np.ndarray:
    """Precision curve with both centres divided by the annotated width and height.

    Args:
        truth: Annotation, (n, 4).
        result: Boxes of a tracker, at most n rows.
        frames: Length of the sequence, as in `success_curve`.

    Returns:
        (51,) shares at `NORM_PRECISION_THRESHOLDS`; the one at index 20 is the score.

    Raises:
        BenchmarkError: As `box_overlaps`.
    """
    truth, result = _matched(truth, result)
    size = truth[:, 2:]
    distances = _distances(normalised_centres(truth, size), normalised_centres(result, size))
    return _shares_within(distances, NORM_PRECISION_THRESHOLDS, frames or len(truth))


def _matched(truth: np.ndarray, result: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as (frames, 4) float64, a short result filled up with NaN."""
    truth, result = np.asarray(truth, dtype=np.float64), np.asarray(result, dtype=np.float64)
    if truth.ndim != 2 or truth.shape[1] != 4 or len(truth) == 0:
        raise BenchmarkError(f"annotation of shape {truth.shape}, expected (frames, 4)")
    if result.size and (result.ndim != 2 or result.shape[1] != 4):
        raise BenchmarkError(f"result of shape {result.shape}, expected (frames, 4)")
    missing = len(truth) - len(result)
    if missing < 0:
        raise BenchmarkError(f"result of {len(result)} rows, expected {len(truth)}, one a frame")
    if missing:
        result = np.concatenate((result.reshape(-1, 4), np.full((missing, 4), np.nan)))
    return truth, result


def _distances(truth: np.ndarray, result: np.ndarray) -> np.ndarray:
    """Distances of centres, (frames,); -1 where the annotated one is not positive."""
    with np.errstate(invalid="ignore", over="ignore"):
        distances = np.sqrt(np.square(truth - result).sum(axis=1))
    return np.where((truth > 0).all(axis=1), distances, _UNANNOTATED)


def _shares_within(distances: np.ndarray, thresholds: np.ndarray, frames: int) -> np.ndarray:
    distances = np.sort(distances[~np.isnan(distances)])
    return np.searchsorted(distances, thresholds, side="right") / frames
