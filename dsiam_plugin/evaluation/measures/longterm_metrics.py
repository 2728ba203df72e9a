"""Measures of VOT's long-term experiment as pure functions of arrays."""

import numpy as np

from dsiam_plugin.errors import BenchmarkError

RESOLUTION = 100  # thresholds on the tracker's confidence


def confidence_thresholds(scores: np.ndarray, resolution: int = RESOLUTION) -> np.ndarray:
    """Thresholds that cut all confidences of a tracker into equal shares, as pysot picks them.

    Args:
        scores: Confidences of all frames of all sequences, any shape; NaN is ignored.
        resolution: How many thresholds, at least 3.

    Returns:
        (resolution,) ascending, from minus to plus infinity.

    Raises:
        BenchmarkError: There are fewer confidences than thresholds between the two ends.
    """
    inner = resolution - 2
    ordered = np.sort(scores[~np.isnan(scores)])
    share = len(ordered) // inner
    if share == 0:
        raise BenchmarkError(f"{len(ordered)} confidences, expected at least {inner}")
    index = np.floor(np.linspace(share - 1, len(ordered) - share, inner) + 0.5).astype(np.intp)
    return np.concatenate(([-np.inf], ordered[index], [np.inf]))


def precision_recall(
    overlaps: np.ndarray, scores: np.ndarray, thresholds: np.ndarray, visible: int
) -> tuple[np.ndarray, np.ndarray]:
    """Tracking precision and recall of one sequence, by confidence threshold.

    A frame counts as reported where its confidence reaches the threshold; at minus infinity,
    where it is positive. Unknown overlaps and confidences count as 0.

    Args:
        overlaps: One a frame, (n,).
        scores: Confidences, (n,).
        thresholds: (m,), any order.
        visible: Frames in which the target is annotated.

    Returns:
        Precision, the mean overlap of the reported frames (1 where there are none), and recall,
        the sum of their overlaps by `visible` (NaN where that is 0); (m,) each.
    """
    overlaps, scores = np.nan_to_num(overlaps), np.nan_to_num(scores)
    order = np.argsort(scores)
    sums = np.append(np.cumsum(overlaps[order][::-1])[::-1], 0.0)  # from the k-th lowest score up
    ranked = scores[order]
    first = np.where(
        thresholds == -np.inf,
        np.searchsorted(ranked, 0, side="right"),
        np.searchsorted(ranked, thresholds, side="left"),
    )
    reported = len(ranked) - first
    precision = np.where(reported > 0, sums[first] / np.maximum(reported, 1), 1.0)
    recall = sums[first] / visible if visible else np.full(len(thresholds), np.nan)
    return precision, recall


def f_measure(precision: np.ndarray, recall: np.ndarray) -> np.ndarray:
    """Harmonic mean of precision and recall; 0 where both are 0."""
    total = precision + recall
    return np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total != 0)
