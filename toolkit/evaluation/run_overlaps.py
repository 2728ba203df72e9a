"""Overlaps of restart runs, counted once for all benchmarks of a data set.

Counting pixels is nearly all the work of accuracy and of EAO, and pysot bounds the two a pixel
apart: accuracy counts up to column `width` and row `height`, EAO up to `width - 1` and
`height - 1`. Only regions that reach the last column or row are counted twice.
"""

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from toolkit.evaluation.regions import Regions, region_overlaps


@dataclass(frozen=True)
class RunOverlaps:
    """Overlaps of one tracker's repetitions on one sequence.

    Attributes:
        trajectories: What was counted: the repetitions.
        truth: What it was compared with: the sequence's annotation.
        runs: The repetitions as arrays.
        for_accuracy: One (frames,) array a repetition, NaN where a region is a code.
        for_eao: The same within EAO's narrower bounds.
    """

    trajectories: Sequence
    truth: Sequence
    runs: list[Regions]
    for_accuracy: list[np.ndarray]
    for_eao: list[np.ndarray]


# The last tracker counted on each video: enough for accuracy and EAO one after the other, and no
# growing heap where many trackers are evaluated.
_LAST: "weakref.WeakKeyDictionary[Any, RunOverlaps]" = weakref.WeakKeyDictionary()


def run_overlaps(video: Any, tracker: str, repetitions: Sequence) -> RunOverlaps:
    """Overlaps by pysot's definition, those of the last call where the results are the same ones.

    Args:
        video: The sequence, with `gt_traj`, `width` and `height`.
        tracker: Whose results.
        repetitions: Trajectories, each with one region a frame of the sequence.

    Returns:
        Overlaps of every repetition.
    """
    last = _LAST.get(video)
    if last and last.trajectories is repetitions and last.truth is video.gt_traj:
        return last
    counted = _count(video, repetitions)
    if video.pred_trajs.get(tracker) is repetitions:  # else they were read for this call alone
        _LAST[video] = counted
    return counted


def _count(video: Any, repetitions: Sequence) -> RunOverlaps:
    """Count all repetitions at once, as one long trajectory."""
    truth = Regions.pack(video.gt_traj)
    frames, times = len(truth), len(repetitions)
    together = Regions.pack(list(chain.from_iterable(repetitions)))
    truths = truth.chosen(np.tile(np.arange(frames), times))
    size = (video.width, video.height)
    wide = region_overlaps(together, truths, size)
    narrow = _narrowed(wide, together, truths, size)
    return RunOverlaps(
        repetitions,
        video.gt_traj,
        [together.chosen(slice(start, start + frames)) for start in range(0, len(wide), frames)],
        list(wide.reshape(times, frames)),
        list(narrow.reshape(times, frames)),
    )


def _narrowed(
    overlaps: np.ndarray, runs: Regions, truths: Regions, size: tuple[int, int]
) -> np.ndarray:
    """The overlaps within bounds a pixel narrower on the right and at the bottom."""
    bounds = (size[0] - 1, size[1] - 1)
    beyond = runs.reach_beyond(bounds) | truths.reach_beyond(bounds)
    narrowed = overlaps.copy()
    narrowed[beyond] = region_overlaps(runs.chosen(beyond), truths.chosen(beyond), bounds)
    return narrowed
