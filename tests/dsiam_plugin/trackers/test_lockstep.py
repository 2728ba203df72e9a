import numpy as np
import pytest
import torch

from dsiam_plugin.trackers.lockstep import run_together


class Recorder:
    """A network that adds up the pixels of a crop, and remembers its batches."""

    def __init__(self):
        self.batches = []

    def __call__(self, crops):
        self.batches.append(crops.shape[:2])
        return {"sum": torch.from_numpy(crops.sum(axis=(1, 2, 3), dtype=np.float64))}


def crop(value, size=255):
    return np.full((size, size, 1), value, np.uint8)


def asks(*requests):
    """A step that asks for these crops in turn and returns the mean pixels it was told."""
    means = []
    for crops in requests:
        features = yield crops
        means += [total.item() / crops[0].size for total in features["sum"]]
    return means


def test_each_step_gets_its_own_features_in_its_order():
    steps = [
        asks([crop(1), crop(2)], [crop(3, 127)]),
        asks([crop(4)]),
        asks(),
        asks([crop(5)], [crop(6, 127), crop(7, 127)], [crop(8)]),
    ]
    assert run_together(steps, Recorder()) == [[1, 2, 3], [4], [], [5, 6, 7, 8]]


def test_requests_are_embedded_together_by_size_and_up_to_six_search_crops():
    network = Recorder()
    pyramid = [crop(1)] * 3
    run_together([asks(pyramid, [crop(2, 127)]) for _ in range(5)], network)
    assert network.batches == [(6, 255), (6, 255), (3, 255), (5, 127)]
    network = Recorder()
    run_together([asks([crop(1)] * 8), asks([crop(1)])], network)
    assert network.batches == [(8, 255), (1, 255)]
    network = Recorder()
    run_together([asks(pyramid), asks([crop(2, 127)]), asks(pyramid)], network)
    assert network.batches == [(6, 255), (1, 127)]


def test_no_steps_need_no_network():
    assert run_together([], Recorder()) == []


def test_a_step_that_fails_is_heard():
    def fails():
        yield [crop(1)]
        raise ValueError("this one")

    with pytest.raises(ValueError, match="this one"):
        run_together([asks([crop(1)]), fails()], Recorder())
