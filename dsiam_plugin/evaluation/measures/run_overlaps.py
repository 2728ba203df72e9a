"""Overlaps of restart runs, counted once for accuracy and EAO.

Counting pixels is nearly all the work of both, and pysot bounds the two a pixel apart: accuracy
counts up to column `width` and row `height`, EAO up to `width - 1` and `height - 1`. Only regions
that reach the last column or row are counted twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from dsiam_plugin.evaluation.measures.regions import Convention, Regions, region_overlaps


@dataclass(frozen=True)
class RunOverlaps:
    """Overlaps of one tracker's repetitions on one sequence."""

    runs: Regions  # the repetitions, one after the other
    truth: Regions  # the annotation
    size: tuple[int, int]  # width and height of the images, px
    for_accuracy: np.ndarray  # (repetitions, frames), NaN where a region is a code
    # The same within EAO's narrower bounds; one array with the VOT toolkit's convention, which has
    # one bound and a number for every code
    for_eao: np.ndarray

    @property
    def repetitions(self) -> list[Regions]:
        """Each repetition by itself."""
        frames = len(self.truth)
        starts = range(0, len(self.runs), frames)
        return [self.runs.take(slice(start, start + frames)) for start in starts]


class OverlapCounter:
    """Counts overlaps and keeps the last ones of every sequence.

    Two benchmarks that share a counter count a tracker's overlaps once, if they evaluate it one
    after the other; the heap does not grow with the trackers.
    """

    def __init__(self, convention: Convention = "pysot") -> None:
        self.convention = convention
        self._last: dict[str, RunOverlaps] = {}

    def count(self, video: Any, repetitions: Sequence) -> RunOverlaps:
        """Overlaps of every repetition; those of the last call if nothing has changed since."""
        runs = Regions.pack(list(chain.from_iterable(repetitions)))
        truth = Regions.pack(video.gt_traj)
        size = (video.width, video.height)
        last = self._last.get(video.name)
        if last and last.size == size and last.runs.equal(runs) and last.truth.equal(truth):
            return last
        self._last[video.name] = counted = self._count(runs, truth, size)
        return counted

    def _count(self, runs: Regions, truth: Regions, size: tuple[int, int]) -> RunOverlaps:
        """Count all repetitions at once, as one long trajectory."""
        frames = len(truth)
        single = len(runs) == frames
        truths = truth if single else truth.take(np.arange(len(runs)) % frames)
        wide = region_overlaps(runs, truths, size, self.convention)
        narrow = wide if self.convention == "vot" else _narrowed(wide, runs, truths, size)
        return RunOverlaps(runs, truth, size, wide.reshape(-1, frames), narrow.reshape(-1, frames))


def _narrowed(
    overlaps: np.ndarray, runs: Regions, truths: Regions, size: tuple[int, int]
) -> np.ndarray:
    """Overlaps within bounds a pixel narrower on the right and at the bottom, (n,)."""
    bounds = (size[0] - 1, size[1] - 1)
    beyond = runs.reach_beyond(bounds) | truths.reach_beyond(bounds)
    narrowed = overlaps.copy()
    narrowed[beyond] = region_overlaps(runs.take(beyond), truths.take(beyond), bounds)
    return narrowed
