from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from dsiam_plugin.config import TrackerConfig, TrackingConfig, TransformConfig
from dsiam_plugin.core.response import (
    align,
    correlate,
    cosine_window,
    fixed,
    fuse,
    interpolation,
    locate,
    peak_shape,
    respond,
    unit,
)
from dsiam_plugin.core.spectra import COMPLEX, PAIRS
from dsiam_plugin.core.state import Numbers
from dsiam_plugin.core.transforms import Pair, learn, mix
from dsiam_plugin.errors import ShapeError

CONFIG = TrackingConfig(window_influence=0.0)
WINDOW = cosine_window(17 * 16)
STEADY = TransformConfig(lambda_w=0.2, rate_w=0.3)


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_correlation_by_its_definition():
    z, x = random(2, 2, 2, 3, 2), random(2, 3, 2, 5, 4, seed=1)
    expected = torch.zeros(2, 3, 2, 3, 3, dtype=torch.float64)
    for n, s, k, row, column in np.ndindex(2, 3, 2, 3, 3):
        window = x[n, s, :, row : row + 3, column : column + 2]
        expected[n, s, k, row, column] = (z[n, k] * window).sum()
    torch.testing.assert_close(correlate(z, x), expected)
    assert torch.autograd.gradcheck(correlate, (z[:1].requires_grad_(), x[:1].requires_grad_()))


def test_correlation_takes_features_in_any_order_of_memory():
    z, x = torch.randn(1, 1, 4, 3, 3), torch.randn(2, 4, 6, 6)
    last = x.contiguous(memory_format=torch.channels_last)[None]
    torch.testing.assert_close(correlate(z, last)[0], F.conv2d(x, z[0]), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("z", [(1, 1, 3, 2, 2), (1, 1, 2, 6, 2), (1, 1, 2, 2, 6)])
def test_correlation_names_shapes_that_do_not_fit(z):
    with pytest.raises(ShapeError, match="does not fit"):
        correlate(torch.zeros(z), torch.zeros(1, 1, 2, 5, 5))


@pytest.mark.parametrize("spectra", [COMPLEX, PAIRS], ids=["complex", "pairs"])
@pytest.mark.parametrize("window", [False, True])
@pytest.mark.parametrize("keep_norm", [False, True])
@pytest.mark.parametrize("size", [8, 9])
def test_responses_are_those_of_the_suppressed_features(spectra, window, keep_norm, size):
    """W applied to the features, then correlated; for the target whose W is on."""
    config = replace(STEADY, window=window, keep_norm=keep_norm)
    x_feat, z_feat = random(2, 3, 3, size, size), random(2, 2, 3, 4, 4, seed=1)
    pair = random(2, 3, size, size, seed=5), random(2, 3, size, size, seed=6)
    spectrum = learn(Pair(*pair), config.lambda_w, config, spectra)
    on = torch.tensor([True, False])
    ours = respond(z_feat, x_feat, spectrum, on, config.rate_w, config, spectra)
    moved = mix(spectrum[:, None], x_feat, config.rate_w, config, spectra)
    for target, seen in enumerate((moved[0], x_feat[1])):
        first = F.conv2d(seen, z_feat[target, :1])
        plain = F.conv2d(x_feat[target], z_feat[target, 1:])
        expected = torch.cat([first, plain], dim=1)
        torch.testing.assert_close(ours[target], expected, atol=1e-7, rtol=1e-7)


def test_known_spectra_are_not_computed_again():
    x_feat, z_feat = random(1, 3, 3, 8, 8), random(1, 2, 3, 4, 4, seed=1)
    spectrum = learn(Pair(random(1, 3, 8, 8), random(1, 3, 8, 8, seed=2)), 0.2, STEADY)
    arguments = (z_feat, x_feat, spectrum, torch.tensor([True]), 0.3, STEADY)
    known = respond(*arguments, x_hat=COMPLEX.forward(x_feat))
    torch.testing.assert_close(known, respond(*arguments), atol=0, rtol=0)


def test_a_coarser_response_keeps_its_cells_in_place():
    """Four fine cells of 4 px against two coarse of 8 px: every second cell is the same place."""
    coarse, fine = random(2, 1, 1, 9, 9), random(2, 1, 1, 17, 17, seed=1)
    aligned = align({"coarse": coarse, "fine": fine})
    torch.testing.assert_close(aligned["coarse"][..., ::2, ::2], coarse, atol=1e-5, rtol=1e-5)
    assert aligned["fine"] is fine


def test_fusion_is_elementwise_in_each_targets_units():
    first, second = torch.full((2, 1, 1, 3, 3), 2.0), torch.full((2, 1, 1, 3, 3), 10.0)
    weights = torch.linspace(0, 1, 9).view(3, 3)
    numbers = Numbers({}, {}, {}, {}, 0.0, {"a": weights, "b": 1 - weights}, 3.0, 1.0)
    fused = fuse({"a": first, "b": second}, {}, numbers)
    torch.testing.assert_close(fused[1, 0, 0], 3 * (10 - 8 * weights) + 1)
    units = {"a": torch.tensor([[1.0, 0], [2.0, 1]]), "b": torch.tensor([[1.0, 0], [0.5, 0]])}
    fused = fuse({"a": first, "b": second}, units, numbers)
    torch.testing.assert_close(fused[1, 0, 0], torch.full((3, 3), 16.0))


def test_unit_maps_peaks_to_one_and_medians_to_zero():
    responses = torch.stack([torch.arange(25.0).view(5, 5), torch.full((5, 5), 2.0)])
    (scale, offset), (flat_scale, _) = unit(responses).tolist()
    assert 24 * scale + offset == pytest.approx(1, abs=1e-6)
    assert 12 * scale + offset == pytest.approx(0, abs=1e-6)
    assert flat_scale == 1


def bump(row, column, height=1.0, cells=17):
    """A bell two cells wide whose top is between the cells where row and column say so."""
    rows, columns = np.mgrid[:cells, :cells]
    values = height * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 8)
    return torch.from_numpy(values).float()


def stack(*maps):
    return torch.stack(maps)[:, None]


def find(maps, config=CONFIG, deciding=None):
    """Peaks of one target's maps (S, 1, m, m), as numbers."""
    config = replace(config, scales=len(maps))
    constants = fixed(TrackerConfig(tracking=config), 17)
    one = maps.transpose(0, 1)
    peaks = locate(one, one if deciding is None else deciding.transpose(0, 1), constants, config)
    return type(peaks)(*(item.item() for item in peaks if item is not None))


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
    assert peak_shape(response[None]) == (4.0, 0.5)


def test_peak_shape_at_a_corner():
    response = torch.zeros(17, 17)
    response[0, 0] = 2.0
    response[16, 16] = 1.0
    assert peak_shape(response[None]) == (2.0, 0.5)


def test_cosine_window_sums_to_one():
    window = cosine_window(272)
    assert window.sum().item() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(
        window / window.max(), np.outer(np.hanning(272), np.hanning(272)), atol=1e-4
    )


def test_other_responses_can_choose_the_scale():
    responses = stack(bump(8, 8, 1.0), bump(4, 4, 2.0), bump(12, 10, 0.5))
    deciding = stack(bump(8, 8, 0.1), bump(8, 8, 0.1), bump(8, 8, 3.0))
    peak = find(responses, CONFIG, deciding)
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
    peak = find(noise[0], config, noise[1])
    expected = peak_by_the_book(noise[0], noise[1], config)
    assert peak[:3] == expected[:3]
    assert peak.score == pytest.approx(expected[3], rel=1e-5)


def test_upsampling_is_bicubic_interpolation():
    maps, matrix = random(2, 1, 9, 9).float(), interpolation(9, 4)
    expected = F.interpolate(maps, size=(36, 36), mode="bicubic", align_corners=False)
    torch.testing.assert_close(matrix @ maps @ matrix.T, expected, atol=1e-5, rtol=1e-5)


def test_many_targets_are_found_as_each_alone():
    responses, deciding = random(5, 3, 17, 17).float(), random(5, 3, 17, 17, seed=1).float()
    together = locate(responses, deciding, fixed(TrackerConfig(), 17), TrackingConfig())
    for index in range(5):
        alone = find(responses[index][:, None], TrackingConfig(), deciding[index][:, None])
        assert [item[index].item() for item in together[:6]] == pytest.approx(list(alone[:6]))
