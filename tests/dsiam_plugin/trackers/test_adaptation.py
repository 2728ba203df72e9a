from dataclasses import replace

import numpy as np
import pytest
import torch

from dsiam_plugin.config import TransformConfig
from dsiam_plugin.config.variants import find_variant
from dsiam_plugin.trackers import adaptation

RELEASE = find_variant("DSiam").config("release").transform
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
    exemplar, target = {"conv5": planes(arrays["X1"])}, {"conv5": planes(arrays["Yt"])}
    ours = adaptation.learn_variation(exemplar, target, config)["conv5"]
    assert relative_error(ours, planes(arrays[output])) < 1e-4


@pytest.mark.data
def test_suppression_agrees_with_the_authors_routine(shared):
    arrays = golden(shared, "golden_rlr.mat")
    config = replace(
        RELEASE, lambda_w=float(arrays["lw"].item()), rate_w=float(arrays["wlr"].item())
    )
    pair = torch.cat([planes(arrays["G"]), planes(arrays["Gb"])])
    spectrum = adaptation.learn_suppression({"conv5": pair}, config)["conv5"]
    ours = adaptation.mix_transform(spectrum, planes(arrays["Z"]), config.rate_w, config)
    assert relative_error(ours, planes(arrays["W_out"])) < 1e-4


@pytest.mark.data
def test_saliency_agrees_with_the_authors_window(shared):
    theirs = golden(shared, "golden_window.mat")["sw"]
    ours = adaptation.saliency_map(255, RELEASE)[..., 0]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def features(seed, size=6):
    generator = torch.Generator().manual_seed(seed)
    return {"conv5": torch.randn(1, 3, size, size, generator=generator)}


def test_paper_transform_without_ridge_reaches_the_target():
    moved = adaptation.learn_variation(features(0), features(1), replace(PAPER, lambda_v=1e-9))
    torch.testing.assert_close(moved["conv5"], features(1)["conv5"], atol=1e-3, rtol=1e-3)


def test_release_keeps_the_exemplar_at_the_border():
    """The window is zero there, so V's input is too; only the unwindowed share passes."""
    source = features(0)
    moved = adaptation.learn_variation(source, source, replace(RELEASE, lambda_v=1e-9))["conv5"]
    torch.testing.assert_close(
        moved[..., 0, :], (1 - RELEASE.rate_v) * source["conv5"][..., 0, :], atol=1e-4, rtol=1e-4
    )


def test_ridge_per_element_counts_the_elements():
    per_element = replace(PAPER, per_element=True)
    first, second = features(0)["conv5"], features(1)["conv5"]
    torch.testing.assert_close(
        adaptation.learn_transform(first, second, 0.5, per_element),
        adaptation.learn_transform(first, second, 0.5 * 36, PAPER),
    )


def test_keep_norm_makes_up_for_a_ridge_that_shrinks():
    config = TransformConfig(keep_norm=True, lambda_w=50.0)
    pair = torch.cat([features(0, 8)["conv5"], features(1, 8)["conv5"]])
    spectrum = adaptation.learn_suppression({"conv5": pair}, config)["conv5"]
    search = features(2, 8)["conv5"]
    kept = adaptation.mix_transform(spectrum, search, 1.0, config)
    shrunk = adaptation.mix_transform(spectrum, search, 1.0, replace(config, keep_norm=False))
    assert kept.norm().item() == pytest.approx(search.norm().item(), rel=1e-5)
    assert shrunk.norm() < 0.5 * search.norm()


def test_replaced_template_is_the_target_itself():
    config = TransformConfig(variation=False, replace_template=True)
    assert adaptation.learn_variation(features(0), features(1), config)["conv5"].equal(
        features(1)["conv5"]
    )


def test_running_mean_decays_by_its_memory():
    mean = adaptation.update_mean({"a": torch.ones(2)}, {"a": torch.full((2,), 5.0)}, 0.75)
    assert mean["a"].tolist() == [2.0, 2.0]


def test_gaussian_saliency_has_its_deviation():
    config = replace(PAPER, saliency_sigma=0.25)
    weights = adaptation.saliency_map(101, config)[..., 0]
    assert weights[50, 50] == 1
    assert weights[50, 75] == pytest.approx(np.exp(-(25**2) / (2 * 25.25**2)), rel=1e-5)


def test_highlight_lays_the_map_around_the_target_in_every_layers_cells():
    features = {"fine": torch.ones(1, 2, 22, 22), "coarse": torch.ones(1, 2, 15, 15)}
    strides = {"fine": 8, "coarse": 16}
    fine, coarse = (
        adaptation.highlight(features, strides, (28.0, -20.0), 32.0)["fine"],
        adaptation.highlight(features, strides, (32.0, -16.0), 32.0)["coarse"],
    )
    assert fine.shape == (1, 2, 22, 22)
    assert fine[0, 1].equal(fine[0, 0])
    weights = fine[0, 0]
    # The middle lies between cells 10 and 11: 3.5 cells right and 2.5 up is column 14, row 8.
    assert divmod(int(weights.argmax()), 22) == (8, 14)
    assert weights[8, 14] == 1
    assert weights[8, 18].item() == pytest.approx(np.exp(-0.5))
    assert weights[12, 14].item() == pytest.approx(np.exp(-0.5))
    # The middle is cell 7: two coarse cells right and one up; the deviation is two cells.
    assert divmod(int(coarse[0, 0].argmax()), 15) == (6, 9)
    assert coarse[0, 0, 6, 11].item() == pytest.approx(np.exp(-0.5))
