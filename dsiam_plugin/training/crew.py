"""Sharing work among processes, with results in the order of the work."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from typing import TypeVar

import cv2

Item = TypeVar("Item")
Result = TypeVar("Result")
AHEAD = 2  # pieces of work that wait for each process


def ordered_map(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    """Results of ``work`` for the items, in their order, from ``workers`` processes.

    Only a few items are taken ahead of the results that were read, so neither piles up in memory,
    and items may be endless.

    Args:
        work: A function that processes can import.
        items: Taken one by one.
        workers: Number of processes; with 1 the work is done in this one.
    """
    if workers <= 1:
        yield from map(work, items)
        return
    context = multiprocessing.get_context("spawn")  # forks copy the threads' locks of OpenCV
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_prepare) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            stream = iter(items)
            waiting.extend(pool.submit(work, item) for item in islice(stream, AHEAD * workers))
            while waiting:
                result = waiting.popleft().result()
                waiting.extend(pool.submit(work, item) for item in islice(stream, 1))
                yield result
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _prepare() -> None:
    """Leave interrupts to the main process, and its cores to the other workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
