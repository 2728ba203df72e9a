import math

import pytest
import torch

from dsiam_plugin.training.siamese.labels import response_labels


def slow(offset, size, stride, radius):
    """Cell by cell, the nearest one positive in any case."""
    distance = {}
    for row in range(size):
        for column in range(size):
            x, y = ((cell - (size - 1) / 2) * stride for cell in (column, row))
            distance[row, column] = math.hypot(x - offset[0], y - offset[1])
    nearest = min(distance.values())
    return [
        [1.0 if distance[r, c] <= max(radius, nearest) else -1.0 for c in range(size)]
        for r in range(size)
    ]


@pytest.mark.parametrize("offset", [(0.0, 0.0), (13.0, -9.5), (-40.0, 21.0)])
@pytest.mark.parametrize("radius", [0.5, 12.0, 16.0])
def test_cells_within_the_radius_are_positive(offset, radius):
    labels = response_labels(torch.tensor([offset]), 17, 8, radius)
    assert labels[0].tolist() == slow(offset, 17, 8, radius)


def test_siamfc_counts_13_positive_cells():
    assert (response_labels(torch.zeros(1, 2), 17, 8, 16) > 0).sum() == 13


def test_columns_follow_x():
    labels = response_labels(torch.tensor([[16.0, 0.0]]), 17, 8, 4)
    assert labels[0, 8, 10] == 1
    assert labels[0, 10, 8] == -1
