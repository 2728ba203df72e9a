"""Batches made ahead of the network: by a thread, or by processes of their own."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
import torch

from dsiam_plugin.errors import TrainingError

BATCHES_AHEAD = 2  # of each worker


class Position(NamedTuple):
    """Number of a pass and of a step in it, both from 0."""

    epoch: int
    step: int


class Dataset(Protocol):
    """Batches as a pure function of pass and step."""

    def __len__(self) -> int:
        """Samples of one pass."""

    def batch(self, epoch: int, step: int, batch_size: int, rank: int = 0, world: int = 1) -> Any:
        """The share of process ``rank`` in a global batch, a NamedTuple of CPU tensors."""


@dataclass(frozen=True)
class BatchShare:
    """The part of each batch that this process makes."""

    batch_size: int  # samples of the global batch
    rank: int = 0  # rank, world: this process and how many there are
    world: int = 1


def positions(start: Position, epochs: int, steps: int) -> Iterator[Position]:
    """Every step from ``start`` to the end of the last pass."""
    for epoch in range(start.epoch, epochs):
        for step in range(start.step if epoch == start.epoch else 0, steps):
            yield Position(epoch, step)


def batches(
    make_dataset: Callable[[], Dataset], share: BatchShare, order: Iterable[Position], workers: int
) -> Generator[Any, None, None]:
    """Batches in the given order, made ahead while the caller computes.

    Args:
        make_dataset: Opens the data; with worker processes it is sent to each and must pickle.
        share: What part of each batch to make.
        order: Which batches.
        workers: Processes; 0 for one thread of this process.

    Yields:
        NamedTuples of CPU tensors.

    Raises:
        TrainingError: If a worker process died.
        DSiamError: What the data raised in a worker.
    """
    if workers:
        executor = _processes(make_dataset, workers)
        make = _make_in_process
    else:
        executor = ThreadPoolExecutor(1, "batches")
        make = partial(_make, make_dataset())
    order = iter(order)
    waiting: deque[Future] = deque()
    try:
        for position in islice(order, BATCHES_AHEAD * max(1, workers)):
            waiting.append(executor.submit(make, share, position))
        while waiting:
            kind, arrays = waiting.popleft().result()
            waiting.extend(executor.submit(make, share, item) for item in islice(order, 1))
            yield kind(*map(torch.from_numpy, arrays))
    except BrokenProcessPool:
        raise TrainingError(
            "a process that prepares batches died (out of memory?); fewer --workers need less"
        ) from None
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _processes(make_dataset: Callable[[], Dataset], workers: int) -> Executor:
    """Fresh processes: forked ones would inherit locks of torch's and OpenCV's threads."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, context, _open_in_process, (make_dataset,))


def _make(dataset: Dataset, share: BatchShare, position: Position) -> tuple[type, list[np.ndarray]]:
    """Type and arrays of a batch; arrays travel between processes without shared memory."""
    batch = dataset.batch(*position, share.batch_size, share.rank, share.world)
    return type(batch), [item.numpy() for item in batch]


_opened: list[Dataset] = []  # of a worker process


def _open_in_process(make_dataset: Callable[[], Dataset]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends the run in good order
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    _opened.append(make_dataset())


def _end_with_parent() -> None:
    """Ends this process when the run's is gone, even if that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make_in_process(share: BatchShare, position: Position) -> tuple[type, list[np.ndarray]]:
    return _make(_opened[0], share, position)
