"""One task a tracker, in this process or several."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

from dsiam_plugin.evaluation.datasets.dataset import Dataset

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

    Args:
        measure: A module's function or a partial of one, so that other processes can find it; it
            loads the results.
        dataset: The data set, without results.
        folder: Holds one folder a tracker.
        trackers: Whose results.
        processes: At most so many; 1 does everything here.

    Returns:
        Tracker -> what ``measure`` returned, in the order of ``trackers``.
    """
    count = min(processes, len(trackers))
    if count <= 1:
        return _measure_all(measure, dataset, folder, trackers)
    # "spawn" exists everywhere, and forking a process with threads can hang. One task a process,
    # as sending the data set takes longer than measuring a tracker.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context) as pool:
        tasks = [
            pool.submit(_measure_all, measure, dataset, folder, trackers[first::count])
            for first in range(count)
        ]
        found = {name: result for task in tasks for name, result in task.result().items()}
    return {tracker: found[tracker] for tracker in trackers}


def _measure_all(
    measure: Measure[Measured], dataset: Dataset, folder: Path, trackers: Sequence[str]
) -> dict[str, Measured]:
    return {tracker: measure(dataset, folder, tracker) for tracker in trackers}
