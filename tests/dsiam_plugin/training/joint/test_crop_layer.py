import numpy as np
import pytest
import torch

from dsiam_plugin.trackers.crops import crop_square
from dsiam_plugin.training.joint.crop_layer import (
    bounded,
    box_centers,
    cut_windows,
)


@pytest.mark.parametrize("center", [(25.0, 25.0), (20.3, 30.5), (2.0, 47.9), (-40.0, 25.0)])
def test_windows_are_the_trackers_crops(center):
    rows = np.random.default_rng(0).integers(0, 256, (2, 51, 51, 3), np.uint8)
    fill = torch.tensor([[1, 2, 3], [4, 5, 6]], dtype=torch.uint8)
    pixels, middles = cut_windows(torch.from_numpy(rows), torch.tensor([center, center]), 21, fill)
    for index in range(2):
        crop = crop_square(rows[index], center, 21, 21, tuple(fill[index].tolist()))
        np.testing.assert_array_equal(pixels[index].numpy(), crop.pixels)
        assert tuple(middles[index].tolist()) == crop.center


def test_middle_of_a_box_is_a_pixel_index():
    assert box_centers(torch.tensor([[10.0, 20.0, 3.0, 5.0]])).tolist() == [[11.0, 22.0]]


def test_positions_stay_near_the_annotation():
    centers = torch.tensor([[100.0, 50.0], [60.0, 61.0]])
    annotated = torch.tensor([[60.0, 60.0], [60.0, 60.0]])
    assert bounded(centers, annotated, 8).tolist() == [[68.0, 52.0], [60.0, 61.0]]
