from dataclasses import replace

import numpy as np
import pytest
import torch
from seeded_network import write_weights

from dsiam_plugin.config import CropConfig, FusionConfig, ModelConfig, TrackerConfig
from dsiam_plugin.errors import CheckpointError, ConfigError
from dsiam_plugin.models.network import build_network, fusion_maps
from dsiam_plugin.models.weights import Weights, load_weights

CPU = torch.device("cpu")
BOTH = ModelConfig(layers=("conv5", "conv4"))


@pytest.fixture
def weights(tmp_path):
    return load_weights(write_weights(tmp_path / "net.npz"))


def build(weights, model=BOTH, fusion=None, dtype=torch.float32):
    fusion = FusionConfig(primary_weight=0.75) if fusion is None else fusion
    return build_network(model, fusion, weights, CropConfig(), CPU, dtype)


def crops(count, size, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), np.uint8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_features_and_numbers(weights, dtype):
    network = build(weights, dtype=dtype)
    z, x = network.embed(crops(1, 127)), network.embed(crops(3, 255))
    assert z["conv5"].shape[-2:] == (6, 6)
    assert x["conv4"].shape[-2:] == (24, 24)
    assert {item.dtype for item in x.values()} == {torch.float32}
    numbers = network.numbers(TrackerConfig())
    assert {item.item() for item in numbers.fusion["conv4"].unique()} == {0.25}
    assert (numbers.scale, numbers.bias) == (0.001, pytest.approx(-2.14836))


def test_rgb_channels_reach_the_first_convolution_in_order(weights):
    network = build(weights)
    image = crops(1, 127)
    manual = network.backbone(torch.from_numpy(image.transpose(0, 3, 1, 2)).float())["conv5"]
    torch.testing.assert_close(network.embed(image)["conv5"], manual, atol=1e-4, rtol=1e-4)
    swapped = network.embed(image[..., ::-1].copy())["conv5"]
    assert (swapped - manual).abs().max() > 0.1


def test_batch_does_not_change_the_features(weights):
    network = build(weights)
    many = crops(3, 127)
    together = network.embed(many)["conv5"]
    alone = torch.cat([network.embed(many[index : index + 1])["conv5"] for index in range(3)])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


def test_head_of_the_configuration_wins_and_balance_drops_the_weights_own(weights):
    assert build(weights).bias == -2.14836
    assert build(weights, ModelConfig(head_bias=-1.0)).bias == -1.0
    balanced = build(weights, BOTH, FusionConfig(primary_weight=0.5, balance=True))
    assert (balanced.scale, balanced.bias) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("fusion", "size"), [(FusionConfig(0.9922, 2), 17), (FusionConfig(0.3, -1), 9)]
)
def test_fusion_maps_sum_to_one(fusion, size):
    maps = fusion_maps(("a", "b", "c"), fusion, size)
    torch.testing.assert_close(sum(maps.values()), torch.ones(size, size))


def test_release_map_has_thirteen_cells():
    weights = fusion_maps(("conv5", "conv4"), FusionConfig(0.9922, 2), 17)["conv5"]
    assert int((weights < 1).sum()) == 13
    assert weights[8, 8].item() == pytest.approx(0.9922)
    assert weights[8, 10].item() == pytest.approx(0.9922)
    assert weights[9, 10] == 1


@pytest.mark.data
def test_release_map_agrees_with_the_authors_file(shared):
    loadmat = pytest.importorskip("scipy.io").loadmat
    theirs = loadmat(shared / "golden" / "sumw.mat")["sumw"]
    ours = fusion_maps(("conv5", "conv4"), FusionConfig(0.9922, 2), 17)["conv5"]
    np.testing.assert_allclose(ours, theirs, atol=6e-4)


def test_weights_of_another_network(weights, tmp_path):
    with pytest.raises(CheckpointError, match="weights of siamfc_alexnet, expected vgg19"):
        build(weights, ModelConfig(backbone="vgg19", layers=("conv5_4",)))
    tensors = {name: item for name, item in weights.tensors.items() if name != "conv4.bias"}
    with pytest.raises(CheckpointError, match=r"net\.npz: not the weights.*conv4\.bias"):
        build(Weights(**{**vars(weights), "tensors": tensors}))
    tensors = {**weights.tensors, "conv3.weight": torch.zeros(24, 8, 3, 3)}
    with pytest.raises(CheckpointError, match=r"conv3\.weight"):
        build(Weights(**{**vars(weights), "tensors": tensors}))


def test_level_that_the_backbone_lacks(weights):
    with pytest.raises(ConfigError, match="conv9; the backbone has conv4, conv5"):
        build(weights, ModelConfig(layers=("conv5", "conv9")))
    with pytest.raises(ConfigError, match="expected one of siamfc_alexnet, vgg16, vgg19"):
        build(weights, ModelConfig(backbone="resnet"))


def with_map(weights, primary):
    return replace(weights, tensors={**weights.tensors, "fusion.conv5": primary})


def test_learnt_map_comes_from_the_weights(weights):
    primary = torch.rand(17, 17, generator=torch.Generator().manual_seed(0))
    trained = with_map(weights, primary)
    fusion = FusionConfig(primary_weight=0.1, center_radius=2, learnt=True)
    network = build(trained, fusion=fusion)
    torch.testing.assert_close(network.fusion_conv5, primary)
    torch.testing.assert_close(network.fusion_conv4, 1 - primary)
    uniform = build(trained, fusion=FusionConfig(learnt=True, uniform=True))
    torch.testing.assert_close(uniform.fusion_conv5, primary.mean().expand(17, 17))
    # a map in the weights changes nothing for who does not ask for it
    torch.testing.assert_close(build(trained).fusion_conv5, torch.full((17, 17), 0.75))


@pytest.mark.parametrize("there", [None, torch.rand(9, 9)])
def test_learnt_map_that_is_not_there(weights, there):
    trained = weights if there is None else with_map(weights, there)
    with pytest.raises(CheckpointError, match=r"fusion.learnt needs the map fusion.conv5"):
        build(trained, fusion=FusionConfig(learnt=True))
