"""One task a tracker, in this process or several."""

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar

from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.io.workers import ordered_map

Measured = TypeVar("Measured")
Measure = Callable[[Dataset, Path, str], Measured]


def map_trackers(
    measure: Measure[Measured],
    dataset: Dataset,
    folder: Path,
    trackers: Sequence[str],
    processes: int = 1,
) -> dict[str, Measured]:
    """Results of ``measure(dataset, folder, tracker)`` for every tracker.

    Returns:
        Tracker -> what ``measure`` returned, in the order of ``trackers``.
    """
    count = max(min(processes, len(trackers)), 1)
    # One share a process, as sending the data set takes longer than measuring a tracker.
    shares = [trackers[first::count] for first in range(count)]
    found: dict[str, Measured] = {}
    with closing(
        ordered_map(partial(_measure_all, measure, dataset, folder), shares, count)
    ) as parts:
        for part in parts:
            found |= part
    return {tracker: found[tracker] for tracker in trackers}


def _measure_all(
    measure: Measure[Measured], dataset: Dataset, folder: Path, trackers: Sequence[str]
) -> dict[str, Measured]:
    return {tracker: measure(dataset, folder, tracker) for tracker in trackers}
