import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from dsiam_plugin.errors import DatasetError, TrainingError
from dsiam_plugin.training.data.prefetch import BatchShare, Position, batches, positions


class Numbers(NamedTuple):
    values: torch.Tensor


class Counting:
    """A batch says which one it is, and who made it."""

    def __init__(self, broken=None, deadly=None):
        self.broken = broken
        self.deadly = deadly
        self.made = []

    def __len__(self):
        return 12

    def batch(self, epoch, step, batch_size, rank, world):
        if (epoch, step) == self.broken:
            raise DatasetError("row 7: damaged")
        if (epoch, step) == self.deadly:
            os._exit(9)
        self.made.append((epoch, step))
        here = threading.current_thread() is threading.main_thread()
        return Numbers(torch.tensor([epoch, step, batch_size, rank, world, os.getpid(), here]))


def broken_counting():
    return Counting(broken=(0, 1))


def deadly_counting():
    return Counting(deadly=(0, 1))


def test_positions_start_in_the_middle_of_a_pass():
    found = list(positions(Position(1, 2), 3, 4))
    assert found == [(1, 2), (1, 3), (2, 0), (2, 1), (2, 2), (2, 3)]


def test_batches_come_in_order_from_another_thread():
    order = list(positions(Position(0, 0), 2, 3))
    found = [item.values.tolist() for item in batches(Counting, BatchShare(8, 1, 2), order, 0)]
    assert [tuple(item[:2]) for item in found] == order
    assert all(item[2:] == [8, 1, 2, os.getpid(), 0] for item in found)


def test_only_a_few_batches_are_made_ahead():
    data = Counting()
    source = batches(lambda: data, BatchShare(8), positions(Position(0, 0), 1, 50), 0)
    next(source)
    source.close()
    assert len(data.made) <= 4


def test_errors_of_the_data_reach_the_caller():
    source = batches(broken_counting, BatchShare(8), positions(Position(0, 0), 1, 3), 0)
    next(source)
    with pytest.raises(DatasetError, match="row 7: damaged"):
        next(source)


@pytest.mark.integration
def test_worker_processes_make_the_same_batches():
    order = list(positions(Position(0, 0), 2, 3))
    found = [item.values.tolist() for item in batches(Counting, BatchShare(8), order, 2)]
    assert [tuple(item[:2]) for item in found] == order
    assert os.getpid() not in {item[5] for item in found}


@pytest.mark.integration
def test_errors_of_worker_processes_reach_the_caller():
    with pytest.raises(DatasetError, match="row 7: damaged"):
        list(batches(broken_counting, BatchShare(8), positions(Position(0, 0), 1, 3), 1))


@pytest.mark.integration
def test_a_worker_that_dies_is_reported():
    with pytest.raises(TrainingError, match="fewer --workers"):
        list(batches(deadly_counting, BatchShare(8), positions(Position(0, 0), 1, 3), 1))


ENDLESS = """
import multiprocessing, time
from functools import partial
from tiny_training import TinyDataset
from dsiam_plugin.training.data.prefetch import Position, BatchShare, batches, positions
source = batches(partial(TinyDataset, 400), BatchShare(4), positions(Position(0, 0), 1, 100), 1)
next(source)
print(*(child.pid for child in multiprocessing.active_children()), flush=True)
time.sleep(300)
"""


def is_running(pid):
    """Whether a process exists and is more than an entry that nobody has collected."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.integration
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_workers_end_with_a_run_that_was_killed():
    tests = Path(__file__).resolve().parents[3]
    paths = os.pathsep.join([str(tests), str(tests.parent)])
    run = subprocess.Popen(
        [sys.executable, "-c", ENDLESS],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
    )
    with run:
        worker = int(run.stdout.readline())
        assert is_running(worker)
        run.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(worker)
