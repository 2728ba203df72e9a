import numpy as np
import pytest
import torch

from dsiam_plugin.config import TrackingConfig
from dsiam_plugin.trackers.adaptation import highlight
from dsiam_plugin.trackers.crops import crop_square
from dsiam_plugin.trackers.localize import cosine_window
from dsiam_plugin.training.joint.crop_layer import (
    bounded,
    box_centers,
    cut_windows,
    find_peaks,
    target_maps,
)


@pytest.mark.parametrize("center", [(25.0, 25.0), (20.3, 30.5), (2.0, 47.9), (-40.0, 25.0)])
def test_windows_are_the_trackers_crops(center):
    rows = np.random.default_rng(0).integers(0, 256, (2, 51, 51, 3), np.uint8)
    fill = torch.tensor([[1, 2, 3], [4, 5, 6]], dtype=torch.uint8)
    windows = cut_windows(torch.from_numpy(rows), torch.tensor([center, center]), 21, fill)
    for index in range(2):
        crop = crop_square(rows[index], center, 21, 21, tuple(fill[index].tolist()))
        np.testing.assert_array_equal(windows.pixels[index].numpy(), crop.pixels)
        assert tuple(windows.centers[index].tolist()) == crop.center


def test_middle_of_a_box_is_a_pixel_index():
    assert box_centers(torch.tensor([[10.0, 20.0, 3.0, 5.0]])).tolist() == [[11.0, 22.0]]


def test_peaks_are_found_in_every_clip():
    config = TrackingConfig(window_influence=0.0)
    responses = torch.zeros(2, 17, 17)
    responses[0, 8, 10] = 2.0  # two cells right of the middle
    responses[1, 5, 8] = 3.0  # three up
    responses[1, 14, 8] = 1.5
    found = find_peaks(responses.requires_grad_(), config, cosine_window(17 * 16), 8)
    # an even number of upsampled cells has no middle one: half of one of them is lost
    torch.testing.assert_close(
        found.offsets, torch.tensor([[16.0, 0.0], [0.0, -24.0]]), atol=0.3, rtol=0
    )
    torch.testing.assert_close(found.heights, torch.tensor([2.0, 3.0]))
    torch.testing.assert_close(found.ambiguities, torch.tensor([0.0, 0.5]))
    assert not found.offsets.requires_grad


def test_positions_stay_near_the_annotation():
    centers = torch.tensor([[100.0, 50.0], [60.0, 61.0]])
    annotated = torch.tensor([[60.0, 60.0], [60.0, 60.0]])
    assert bounded(centers, annotated, 8).tolist() == [[68.0, 52.0], [60.0, 61.0]]


def test_maps_are_the_trackers():
    offsets = torch.tensor([[12.0, -20.0], [0.0, 8.0]])
    maps = target_maps(offsets, 22, 8, 0.25 * 255)
    for index, (dx, dy) in enumerate(offsets.tolist()):
        highlighted = highlight(
            {"conv5": torch.ones(1, 1, 22, 22)}, {"conv5": 8}, (dx, dy), 0.25 * 255
        )
        torch.testing.assert_close(maps[index, 0], highlighted["conv5"][0, 0])
