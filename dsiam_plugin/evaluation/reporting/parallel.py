"""One task a tracker, in this process or several."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

from dsiam_plugin.evaluation.datasets.dataset import Dataset

Outcome = TypeVar("Outcome")

_held: list[Dataset] = []  # in a worker: the data set, sent once and not with every task


def map_trackers(
    measure: Callable[[Dataset, Path, str], Outcome],
    dataset: Dataset,
    folder: Path,
    trackers: Sequence[str],
    processes: int = 1,
) -> dict[str, Outcome]:
    """Calls ``measure(dataset, folder, tracker)`` for every tracker.

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
        return {tracker: measure(dataset, folder, tracker) for tracker in trackers}
    # "spawn" exists everywhere, and forking a process with threads can hang
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context, initializer=_hold, initargs=(dataset,)) as pool:
        tasks = {tracker: pool.submit(_call, measure, folder, tracker) for tracker in trackers}
        return {tracker: task.result() for tracker, task in tasks.items()}


def _hold(dataset: Dataset) -> None:
    _held[:] = [dataset]


def _call(measure: Callable[[Dataset, Path, str], Outcome], folder: Path, tracker: str) -> Outcome:
    return measure(_held[0], folder, tracker)
