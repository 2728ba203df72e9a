import numpy as np
import torch

from dsiam_plugin.models.network import embed_many


class Recorder:
    """A network that adds up the pixels of a crop, and remembers its batches."""

    def __init__(self):
        self.batches = []

    def __call__(self, crops):
        self.batches.append(crops.shape[:2])
        return {"sum": torch.from_numpy(crops.sum(axis=(1, 2, 3), dtype=np.float64))}


def crop(value, size=255):
    return np.full((size, size, 1), value, np.uint8)


def test_each_group_gets_its_own_features_in_its_order():
    groups = [[crop(1), crop(2)], [crop(3, 127)], [crop(4)], [crop(6, 127), crop(7, 127)]]
    answers = embed_many(groups, Recorder())
    means = [
        (item["sum"][0] / crops[0].size).tolist()
        for item, crops in zip(answers, groups, strict=True)
    ]
    assert means == [[1, 2], [3], [4], [6, 7]]


def test_groups_are_embedded_together_by_size_and_up_to_six_search_crops():
    network = Recorder()
    pyramid = [crop(1)] * 3
    embed_many([pyramid] * 5 + [[crop(2, 127)]] * 5, network)
    assert network.batches == [(6, 255), (6, 255), (3, 255), (5, 127)]
    network = Recorder()
    embed_many([[crop(1)] * 8, [crop(1)]], network)
    assert network.batches == [(8, 255), (1, 255)]
    network = Recorder()
    embed_many([pyramid, [crop(2, 127)], pyramid], network)
    assert network.batches == [(6, 255), (1, 127)]


def test_no_crops_need_no_network():
    assert embed_many([], Recorder()) == []
