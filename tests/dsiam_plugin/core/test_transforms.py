from dataclasses import replace

import numpy as np
import pytest
import torch

from dsiam_plugin.config import TransformConfig
from dsiam_plugin.config.variants import find_variant
from dsiam_plugin.core.spectra import COMPLEX, PAIRS
from dsiam_plugin.core.state import Peaks
from dsiam_plugin.core.transforms import (
    Pair,
    analyse,
    bright,
    hann_window,
    learn,
    mix,
    saliency_map,
)
from dsiam_plugin.errors import ShapeError

RELEASE = find_variant("DSiam").config("release").transform
STEADY = TransformConfig()
PAPER = find_variant("DSiam").config("paper").transform


def golden(shared, name):
    loadmat = pytest.importorskip("scipy.io").loadmat
    return loadmat(shared / "golden" / name)


def planes(array):
    """MATLAB's (H, W, C[, N]) as (N, C, H, W)."""
    array = array[..., None] if array.ndim == 3 else array
    return torch.from_numpy(np.ascontiguousarray(array.transpose(3, 2, 0, 1)))


def relative_error(ours, theirs):
    return ((ours - theirs).norm() / theirs.norm()).item()


@pytest.mark.data
@pytest.mark.parametrize(("regularizer", "output"), [("lv", "V_out"), ("lv2", "V_out_l10")])
def test_variation_agrees_with_the_authors_routine(shared, regularizer, output):
    arrays = golden(shared, "golden_rlr.mat")
    config = replace(
        RELEASE,
        lambda_v=float(arrays[regularizer].item()),
        rate_v=float(arrays["vlr"].item()),
    )
    ours = vary(planes(arrays["X1"]), planes(arrays["Yt"]), config)
    assert relative_error(ours, planes(arrays[output])) < 1e-4


@pytest.mark.data
def test_suppression_agrees_with_the_authors_routine(shared):
    arrays = golden(shared, "golden_rlr.mat")
    config = replace(
        RELEASE, lambda_w=float(arrays["lw"].item()), rate_w=float(arrays["wlr"].item())
    )
    spectrum = learn(Pair(planes(arrays["G"]), planes(arrays["Gb"])), config.lambda_w, config)
    ours = mix(spectrum, planes(arrays["Z"]), config.rate_w, config)
    assert relative_error(ours, planes(arrays["W_out"])) < 1e-4


@pytest.mark.data
def test_saliency_agrees_with_the_authors_window(shared):
    theirs = golden(shared, "golden_window.mat")["sw"]
    ours = saliency_map(255, RELEASE)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def vary(source, target, config, spectra=COMPLEX):
    """V learnt and applied."""
    spectrum = learn(Pair(source, target), config.lambda_v, config, spectra)
    return mix(spectrum, source, config.rate_v, config, spectra)


def features(seed, size=6, count=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, size, size, generator=generator)


def test_paper_transform_without_ridge_reaches_the_target():
    moved = vary(features(0), features(1), replace(PAPER, lambda_v=1e-9))
    torch.testing.assert_close(moved, features(1), atol=1e-3, rtol=1e-3)


def test_release_keeps_the_exemplar_at_the_border():
    """The window is zero there, so V's input is too; only the unwindowed share passes."""
    source = features(0)
    moved = vary(source, source, replace(RELEASE, lambda_v=1e-9))
    expected = (1 - RELEASE.rate_v) * source[..., 0, :]
    torch.testing.assert_close(moved[..., 0, :], expected, atol=1e-4, rtol=1e-4)


def test_ridge_per_element_counts_the_elements():
    per_element = replace(PAPER, per_element=True)
    first, second = features(0), features(1)
    torch.testing.assert_close(
        learn(Pair(first, second), 0.5, per_element),
        learn(Pair(first, second), 0.5 * 36, PAPER),
    )


def test_keep_norm_makes_up_for_a_ridge_that_shrinks():
    """Each target's norm by itself, whatever the norms of the others."""
    config = TransformConfig(keep_norm=True, lambda_w=50.0)
    scale = torch.tensor([1.0, 100.0]).view(2, 1, 1, 1)
    source, target = features(0, 8, 2) * scale, features(1, 8, 2) * scale
    spectrum = learn(Pair(source, target), config.lambda_w, config)
    search = features(2, 8, 2) * scale
    kept = mix(spectrum, search, 1.0, config)
    shrunk = mix(spectrum, search, 1.0, replace(config, keep_norm=False))
    torch.testing.assert_close(kept.flatten(1).norm(dim=1), search.flatten(1).norm(dim=1))
    assert shrunk[0].norm() < 0.5 * search[0].norm()


@pytest.mark.parametrize("spectra", [COMPLEX, PAIRS])
def test_no_filter_and_no_features_have_no_norm_to_keep(spectra):
    config = TransformConfig(keep_norm=True)
    nothing = torch.zeros(1, 3, 6, 6)
    spectrum = spectra.forward(nothing)
    assert not mix(spectrum, features(0), 1.0, config, spectra).any()
    assert not mix(spectrum, nothing, 0.5, config, spectra).any()


def test_features_of_two_sizes_are_refused():
    with pytest.raises(ShapeError, match=r"\(1, 3, 6, 6\).*\(1, 3, 8, 8\)"):
        learn(Pair(features(0), features(1, 8)), 1.0, PAPER)


def test_hann_window_is_symmetric_with_zero_border():
    window = hann_window(6)
    np.testing.assert_allclose(window, np.outer(np.hanning(6), np.hanning(6)), atol=1e-7)
    assert window[0].max() == 0


def test_gaussian_saliency_has_its_deviation():
    weights = saliency_map(101, replace(PAPER, saliency_sigma=0.25))
    assert weights[50, 50] == 1
    assert weights[50, 75] == pytest.approx(np.exp(-(25**2) / (2 * 25.25**2)), rel=1e-5)


def test_bright_lays_the_map_around_each_target_in_every_layers_cells():
    features = {"fine": torch.ones(2, 2, 22, 22), "coarse": torch.ones(2, 2, 15, 15)}
    features["fine"][0] = 5.0
    none, scale = torch.zeros(2), torch.tensor([2, 0])
    # In cells of 8 px: 3.5 right and 2.5 up of the middle; 4 right and 2 up.
    dx, dy = torch.tensor([3.5, 4.0]), torch.tensor([-2.5, -2.0])
    peaks = Peaks(scale, dx, dy, none, none, none)
    pairs = bright(features, peaks, 8, {"fine": 8, "coarse": 16}, 32.0)
    region, fine, _ = pairs["fine"]
    assert (region[0] == 5).all()
    assert (region[1] == 1).all()
    weights = fine[0, 0] / 5
    assert fine[0, 1].equal(fine[0, 0])
    # The middle lies between cells 10 and 11, so the first target is at column 14, row 8.
    assert divmod(int(weights.argmax()), 22) == (8, 14)
    assert weights[8, 14] == 1
    assert weights[8, 18].item() == pytest.approx(np.exp(-0.5))
    assert weights[12, 14].item() == pytest.approx(np.exp(-0.5))
    known = bright(features, peaks, 8, {"fine": 8, "coarse": 16}, 32.0, analyse(features, STEADY))
    torch.testing.assert_close(
        learn(known["fine"], 0.3, STEADY), learn(pairs["fine"], 0.3, STEADY), atol=1e-4, rtol=1e-4
    )
    # The middle is cell 7: two coarse cells right and one up; the deviation is two cells.
    coarse = pairs["coarse"][1][1, 0]
    assert divmod(int(coarse.argmax()), 15) == (6, 9)
    assert coarse[6, 11].item() == pytest.approx(np.exp(-0.5))
