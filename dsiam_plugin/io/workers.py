"""Sharing work among processes, with results in the order of the work."""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TypeVar

from dsiam_plugin.errors import DatasetError

Item = TypeVar("Item")
Result = TypeVar("Result")
AHEAD = 2  # pieces of work in hand for each process


def ordered_map(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Generator[Result, None, None]:
    """Results of ``work`` for the items, in their order, from ``workers`` processes.

    Only a few items are taken ahead of the results that were read, so neither piles up in memory,
    and items may be endless.

    Raises:
        DatasetError: A process was killed, or ``workers`` is below 1.
    """
    if workers < 1:
        raise DatasetError(f"workers is {workers}; expected at least 1")
    if workers == 1:
        yield from map(work, items)
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy locks of OpenCV's threads
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_prepare)
    try:
        yield from _in_order(pool, work, iter(items), AHEAD * workers)
    except BrokenProcessPool as error:
        raise DatasetError(
            "a worker process was killed, perhaps for want of memory; expected it to finish (try"
            " fewer workers)"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _in_order(
    pool: ProcessPoolExecutor, work: Callable[[Item], Result], items: Iterator[Item], ahead: int
) -> Iterator[Result]:
    """Results in the items' order, with ``ahead`` items in the pool's hands."""
    waiting: deque[Future[Result]] = deque()
    waiting.extend(pool.submit(work, item) for item in islice(items, ahead))
    while waiting:
        result = waiting.popleft().result()
        waiting.extend(pool.submit(work, item) for item in islice(items, 1))
        yield result


def _prepare() -> None:
    """Leave interrupts to the main process, and its cores to the other workers."""
    import cv2  # here: the main process may do without

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
