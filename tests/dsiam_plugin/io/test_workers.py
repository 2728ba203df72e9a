"""Work shared among processes: order, laziness and what goes wrong."""

import os
import signal
from itertools import count

import pytest

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.io.workers import AHEAD, ordered_map


def square(number: int) -> int:
    return number * number


def test_one_process_takes_nothing_ahead():
    taken = []

    def items():
        for number in count():
            taken.append(number)
            yield number

    results = ordered_map(square, items(), 1)
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    assert taken == [0, 1, 2]


@pytest.mark.parametrize("workers", [0, -1])
def test_workers_out_of_range(workers):
    with pytest.raises(DatasetError, match=f"workers is {workers}; expected at least 1"):
        list(ordered_map(square, [1], workers))


@pytest.mark.integration
def test_processes_keep_the_order_and_little_in_hand():
    taken = []

    def items():
        for number in count():
            taken.append(number)
            yield number

    results = ordered_map(square, items(), 2)
    assert [next(results) for _ in range(20)] == [number**2 for number in range(20)]
    assert len(taken) <= 20 + 2 * AHEAD
    results.close()


@pytest.mark.integration
def test_an_error_of_the_work_comes_through():
    with pytest.raises(ZeroDivisionError):
        list(ordered_map(divide, [1, 0, 2], 2))


def divide(number: int) -> float:
    return 1 / number


@pytest.mark.integration
def test_a_killed_process_is_one_clear_error():
    with pytest.raises(DatasetError, match="worker process was killed"):
        list(ordered_map(die, [1, 2], 2))


def die(number: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
