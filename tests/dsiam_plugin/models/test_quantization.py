import numpy as np
import pytest
import torch

from dsiam_plugin.errors import ConfigError
from dsiam_plugin.models.backbones import VGG19, SiamFCAlexNet
from dsiam_plugin.models.layer_plan import MaxPool, layer_plan
from dsiam_plugin.models.quantization import calibration_pictures, quantize_plan

LEVELS = ("conv4", "conv5")


@pytest.fixture(scope="module")
def alexnet():
    torch.manual_seed(0)
    return SiamFCAlexNet((8, 8, 8, 8, 8)).requires_grad_(False)


def convolutions(steps):
    return [step for step in steps if not isinstance(step, MaxPool)]


def test_plan_ends_where_the_last_level_in_use_is(alexnet):
    plan = layer_plan(alexnet, ("conv4",))
    assert [step.name for step in convolutions(plan.steps)] == ["conv1", "conv2", "conv3", "conv4"]
    assert [step.tap for step in convolutions(plan.steps)] == [None, None, None, "conv4"]


def test_rounded_weights_are_within_half_a_unit(alexnet):
    for item in convolutions(quantize_plan(layer_plan(alexnet, LEVELS))):
        scale = item.scale.view(-1, 1, 1, 1)
        assert item.weight.dtype == torch.int8
        assert item.weight.abs().amax(dim=(1, 2, 3)).eq(127).all()
        assert ((item.weight * scale - item.layer.weight).abs() <= 0.501 * scale).all()


def test_a_filter_of_zeros_stays_one():
    backbone = SiamFCAlexNet((4, 4, 4, 4, 4)).requires_grad_(False)
    backbone.conv2.weight.zero_()
    item = convolutions(quantize_plan(layer_plan(backbone, LEVELS)))[1]
    assert not item.weight.any()
    assert item.scale.isfinite().all()


def test_inputs_reach_over_the_activations_of_the_pictures(alexnet):
    first, second, *_ = convolutions(quantize_plan(layer_plan(alexnet, LEVELS)))
    x = torch.from_numpy(calibration_pictures()).permute(0, 3, 1, 2).float()
    pooled = alexnet.pool(torch.relu(alexnet.conv1(x)))
    within = float((pooled <= 255 * second.step / 1.5).float().mean())
    assert first.step == 1.0
    assert within == pytest.approx(0.9999, abs=2e-5)


def test_networks_that_change_the_image_first_have_no_integer_form():
    with pytest.raises(ConfigError, match="siamfc_alexnet"):
        quantize_plan(layer_plan(VGG19(), ("conv4_4",)))


def test_pictures_have_the_spectrum_of_photographs():
    pictures = calibration_pictures(8, 128)
    assert (pictures == calibration_pictures(8, 128)).all()
    grey = pictures.astype(float).mean(axis=3)
    power = (np.abs(np.fft.fft2(grey - grey.mean(axis=(1, 2), keepdims=True))) ** 2).mean(axis=0)
    octaves = [power[0, low : 2 * low].mean() for low in (2, 4, 8, 16, 32)]
    slope = np.polyfit(range(5), np.log2(octaves), 1)[0]
    assert slope == pytest.approx(
        -2, abs=0.35
    )  # power falls with the square where amplitude is 1/f
