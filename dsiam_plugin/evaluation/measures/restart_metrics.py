"""Measures of VOT's restart experiment as pure functions of arrays.

A run is one trajectory over a sequence: the tracker is started (code 1), reported lost (code 2),
skipped (code 0) and started again. A fragment is what lies between a start and the next loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.measures.regions import Regions
from dsiam_plugin.evaluation.results.files import CODE_INITIALISED, CODE_LOST


@dataclass(frozen=True)
class Fragment:
    """Overlaps of one stretch of tracking."""

    start: int  # the first frame's place in the sequence
    overlaps: np.ndarray  # one a frame, (n,)
    # It ended in a loss: every later frame would have had overlap 0. Otherwise the sequence ended
    # and later frames are unknown
    failed: bool


def failure_frames(run: Regions) -> np.ndarray:
    """Indices of the frames in which the tracker was reported lost."""
    return np.flatnonzero(run.has_code(CODE_LOST))


def burn_in_frames(run: Regions, burnin: int) -> np.ndarray:
    """Frames too near a start to count for the accuracy, (n,) bool; the start is the first."""
    if burnin <= 0:
        return np.zeros(len(run), dtype=bool)
    starts = np.cumsum(run.has_code(CODE_INITIALISED))
    before = np.concatenate((np.zeros(burnin, dtype=starts.dtype), starts))[: len(run)]
    return starts > before


def pysot_fragments(overlaps: np.ndarray, failures: Sequence[int], skipping: int) -> list[Fragment]:
    """Fragments of one run as pysot cuts them.

    A fragment ends where the tracker starts again, `skipping` frames after the loss. A loss so
    near the end that there is no such frame is forgotten: its fragment counts as one the sequence
    ended. Overlaps that are unknown count as 0.

    Args:
        overlaps: One a frame of the whole run, (n,), NaN where a region is a code.
        failures: Frames of the losses, ascending.
        skipping: Frames between a loss and the next start.

    Returns:
        Fragments in order; all but the last failed.
    """
    known = np.nan_to_num(overlaps)
    restarts = [frame + skipping for frame in failures if frame + skipping <= len(overlaps)]
    starts, ends = [0, *restarts], [restart + 1 for restart in restarts]
    fragments = [
        Fragment(start, known[start:end], failed=True)
        for start, end in zip(starts, ends, strict=False)
    ]
    return [*fragments, Fragment(starts[-1], known[starts[-1] :], failed=False)]


def vot_fragments(overlaps: np.ndarray, run: Regions) -> list[Fragment]:
    """Fragments of one run as the VOT toolkit cuts them: from each start up to the loss.

    Returns:
        Fragments in order.

    Raises:
        ResultsError: A loss has no start before it.
    """
    failures = failure_frames(run).tolist()
    starts = np.flatnonzero(run.has_code(CODE_INITIALISED)).tolist()
    if not failures:
        return [Fragment(0, overlaps, failed=False)]
    if len(starts) < len(failures):
        raise ResultsError(
            f"{len(failures)} losses (code {CODE_LOST}) but {len(starts)} starts "
            f"(code {CODE_INITIALISED}), expected a start before each loss"
        )
    fragments = [
        Fragment(start, overlaps[start:end], failed=True)
        for start, end in zip(starts, failures, strict=False)
    ]
    if len(starts) > len(failures):
        fragments.append(Fragment(starts[-1], overlaps[starts[-1] :], failed=False))
    return fragments


def expected_overlaps(
    fragments: Sequence[Fragment], weights: np.ndarray, length: int
) -> np.ndarray:
    """Expected average overlap by length of a run, in one pass over the frames.

    Entry j is the weighted mean, over the fragments known that far, of a fragment's mean overlap
    in its frames 1 to j (frame 0 is the start). What a failed fragment adds after its end is its
    sum divided by j, so the sums of all failed fragments that ended are carried together.

    Args:
        fragments: Those of all runs of a tracker.
        weights: One a fragment, (len(fragments),).
        length: Entries wanted, at least as many as the longest fragment has frames.

    Returns:
        (length,) float64; entry 0 is the mean overlap of the starts, NaN where no weight is left.
    """
    sums, total = np.zeros(length), np.zeros(length)
    ended_sums, ended_weights = np.zeros(length + 1), np.zeros(length + 1)
    for fragment, weight in zip(fragments, weights, strict=True):
        size = len(fragment.overlaps)
        if size == 0:
            continue
        running = np.cumsum(fragment.overlaps)
        sums[1:size] += weight * (running[1:] - running[0])
        sums[0] += weight * running[0]
        total[:size] += weight
        if fragment.failed:
            ended_sums[size] += weight * (running[-1] - running[0])
            ended_weights[size] += weight
    sums += np.cumsum(ended_sums)[:length]
    total += np.cumsum(ended_weights)[:length]
    sums[1:] /= np.arange(1, length)
    return np.divide(sums, total, out=np.full(length, np.nan), where=total > 0)
