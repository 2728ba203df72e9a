import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from dsiam_plugin.config import TrackingConfig
from dsiam_plugin.trackers.localize import cosine_window, localize, locate, peak_shape, upsampled

CONFIG = TrackingConfig(window_influence=0.0)
WINDOW = cosine_window(17 * 16)


def bump(row, column, height=1.0, cells=17):
    """A bell two cells wide whose top is between the cells where row and column say so."""
    rows, columns = np.mgrid[:cells, :cells]
    values = height * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 8)
    return torch.from_numpy(values).float()


def stack(*maps):
    return torch.stack(maps)[:, None]


def find(maps, config=CONFIG):
    return localize(maps, maps, config, WINDOW)


@pytest.mark.parametrize(("row", "column"), [(8, 8), (5, 11), (8.4, 6.7)])
def test_displacement_is_that_of_the_peak(row, column):
    peak = find(stack(bump(0, 0, 0.1), bump(row, column), bump(0, 0, 0.1)))
    assert peak.scale == 1
    assert peak.dx == pytest.approx(column - 8, abs=0.1)
    assert peak.dy == pytest.approx(row - 8, abs=0.1)


def test_symmetric_peak_has_no_bias():
    peak = find(stack(bump(8, 8)))
    assert abs(peak.dx) == pytest.approx(0.5 / 16)  # the two middle samples tie
    assert abs(peak.dy) == pytest.approx(0.5 / 16)


@pytest.mark.parametrize(
    ("heights", "winner"), [((1.0, 0.98, 0.9), 1), ((1.1, 1.0, 0.9), 0), ((0.9, 1.0, 1.04), 2)]
)
def test_scale_penalty(heights, winner):
    maps = stack(*[bump(8, 8, height) for height in heights])
    peak = find(maps)
    assert peak.scale == winner
    factor = 1.0 if winner == 1 else CONFIG.scale_penalty
    # bicubic upsampling samples the top 1/32 of a cell beside it
    assert peak.score == pytest.approx(heights[winner] * factor, rel=2e-3)


def test_window_decides_between_equal_peaks():
    maps = stack(torch.maximum(bump(8, 8), bump(2, 2)))
    centred = find(maps, TrackingConfig(window_influence=0.3))
    assert abs(centred.dx) < 0.5
    assert abs(centred.dy) < 0.5


def test_flat_map_stays_at_the_centre():
    peak = find(torch.zeros(1, 1, 17, 17), TrackingConfig())
    assert (abs(peak.dx), abs(peak.dy)) == (0.5 / 16, 0.5 / 16)
    assert peak.score == 0
    assert (peak.height, peak.ambiguity) == (0.0, 1.0)


def test_peak_shape_by_hand():
    response = torch.full((17, 17), 1.0)
    response[4, 4] = 5.0  # height 4
    response[4, 6] = 4.5  # of the same peak: two cells away
    response[12, 4] = 3.0  # second peak, height 2
    assert peak_shape(response) == (4.0, 0.5)


def test_peak_shape_at_a_corner():
    response = torch.zeros(17, 17)
    response[0, 0] = 2.0
    response[16, 16] = 1.0
    assert peak_shape(response) == (2.0, 0.5)


def test_cosine_window_sums_to_one():
    window = cosine_window(272)
    assert window.sum().item() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(
        window / window.max(), np.outer(np.hanning(272), np.hanning(272)), atol=1e-4
    )


def test_other_responses_can_choose_the_scale():
    responses = stack(bump(8, 8, 1.0), bump(4, 4, 2.0), bump(12, 10, 0.5))
    deciding = stack(bump(8, 8, 0.1), bump(8, 8, 0.1), bump(8, 8, 3.0))
    peak = localize(responses, deciding, CONFIG, WINDOW)
    assert peak.scale == 2
    assert peak.dx == pytest.approx(2, abs=0.1)
    assert peak.dy == pytest.approx(4, abs=0.1)
    assert peak.score == pytest.approx(0.5 * CONFIG.scale_penalty, rel=2e-3)


def full_maps(responses):
    return F.interpolate(responses, size=(272, 272), mode="bicubic", align_corners=False)[:, 0]


def peak_by_the_book(responses, deciding, config):
    """Scale, displacement and score by interpolated maps, one scale after the other."""
    penalties = [config.scale_penalty, 1.0, config.scale_penalty]
    heights = [
        item.max().item() * penalty
        for item, penalty in zip(full_maps(deciding), penalties, strict=True)
    ]
    scale = int(np.argmax(heights))
    response = full_maps(responses)[scale]
    score = response.max().item() * penalties[scale]
    floor = response - response.min()
    mixed = (1 - config.window_influence) * floor / floor.sum() + config.window_influence * WINDOW
    row, column = divmod(int(mixed.argmax()), 272)
    return scale, (column - 135.5) / 16, (row - 135.5) / 16, score


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**31), st.sampled_from([1e-2, 1.0, 30.0]), st.sampled_from([0.0, 0.176, 0.6])
)
def test_peak_is_that_of_the_interpolated_map(seed, size, influence):
    noise = size * torch.randn(2, 3, 1, 17, 17, generator=torch.Generator().manual_seed(seed))
    config = TrackingConfig(window_influence=influence)
    peak = localize(noise[0], noise[1], config, WINDOW)
    expected = peak_by_the_book(noise[0], noise[1], config)
    assert peak[:3] == expected[:3]
    assert peak.score == pytest.approx(expected[3], rel=1e-5)


def test_upsampling_is_bicubic_interpolation():
    maps = torch.randn(2, 1, 9, 9, generator=torch.Generator().manual_seed(0))
    expected = F.interpolate(maps, size=(36, 36), mode="bicubic", align_corners=False)
    torch.testing.assert_close(upsampled(maps, 4), expected, atol=1e-5, rtol=1e-5)


def test_many_targets_are_found_as_each_alone():
    generator = torch.Generator().manual_seed(1)
    responses = torch.randn(5, 3, 17, 17, generator=generator)
    deciding = torch.randn(5, 3, 17, 17, generator=generator)
    together = locate(responses, deciding, TrackingConfig(), WINDOW)
    alone = [
        localize(one[:, None], other[:, None], TrackingConfig(), WINDOW)
        for one, other in zip(responses, deciding, strict=True)
    ]
    torch.testing.assert_close(together, torch.tensor(alone))
