from dataclasses import replace

import pytest
import torch

from dsiam_plugin.config import TransformConfig
from dsiam_plugin.config.variants import find_variant
from dsiam_plugin.core.spectra import COMPLEX
from dsiam_plugin.core.transforms import Pair, learn, mix
from dsiam_plugin.training.joint.spectral import CLOSED_FORM

# (batch, channels, height, width): even and odd sides, one and many of the first two
SHAPES = [(1, 1, 4, 4), (2, 3, 3, 5), (1, 2, 5, 4), (2, 1, 4, 3), (1, 2, 1, 2)]
PAPER = find_variant("DSiam").config("paper").transform
RELEASE = find_variant("DSiam").config("release").transform
STEADY = TransformConfig()
PLAIN = (COMPLEX.learn, COMPLEX.convolve)
OURS = (CLOSED_FORM.learn, CLOSED_FORM.convolve)
MODES = {"paper": PAPER, "release": RELEASE, "steady": STEADY}


def random(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def leaves(*tensors):
    return tuple(tensor.clone().requires_grad_() for tensor in tensors)


@pytest.mark.parametrize("shape", SHAPES)
def test_regression_gradients(shape):
    inputs = leaves(random(*shape), random(*shape, seed=1), torch.tensor(0.3).double())
    assert torch.autograd.gradcheck(CLOSED_FORM.learn, inputs)


def test_regression_gradients_with_a_weight_a_channel():
    weights = torch.tensor([0.1, 2.0, 30.0]).double().reshape(3, 1, 1)
    inputs = leaves(random(2, 3, 4, 5), random(2, 3, 4, 5, seed=1), weights)
    assert torch.autograd.gradcheck(CLOSED_FORM.learn, inputs)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("filters", ["one a clip", "shared"])
def test_convolution_gradients(shape, filters):
    features = random(*shape)
    batch = shape[:1] if filters == "one a clip" else (1,)
    half = (*batch, *shape[1:3], shape[3] // 2 + 1)
    spectrum = torch.complex(random(*half, seed=1), random(*half, seed=2))
    assert torch.autograd.gradcheck(CLOSED_FORM.convolve, leaves(spectrum, features))


@pytest.mark.parametrize("shape", SHAPES[:3])
@pytest.mark.parametrize("mode", MODES)
def test_both_layers_in_every_mode(shape, mode):
    side = shape[-2]
    square = (*shape[:2], side, side)  # the window is square

    def output(source, target, log_regularizer, features, rate):
        spectrum = learn(Pair(source, target), log_regularizer.exp(), MODES[mode], CLOSED_FORM)
        return mix(spectrum, features, rate, MODES[mode], CLOSED_FORM)

    log_regularizer, rate = torch.tensor(-1.2).double(), torch.tensor(0.4).double()
    features = [random(*square, seed=seed) for seed in range(3)]
    inputs = leaves(features[0], features[1], log_regularizer, features[2], rate)
    assert torch.autograd.gradcheck(output, inputs)


@pytest.mark.parametrize("shape", [(2, 3, 6, 6), (1, 4, 7, 5)])
def test_forward_and_gradients_are_those_of_plain_autograd(shape):
    sources = [random(*shape, seed=seed) for seed in range(3)]
    weight = torch.tensor(0.7).double()
    target = random(*shape, seed=9)

    def gradients(solve, apply):
        source, goal, features, regularizer = leaves(*sources, weight)
        out = apply(solve(source, goal, regularizer), features)
        loss = (out * target).sum() + out.square().sum()
        return out, torch.autograd.grad(loss, (source, goal, features, regularizer))

    ours, expected = gradients(*OURS), gradients(*PLAIN)
    torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize("mode", MODES)
def test_forward_equals_what_the_tracker_computes(mode):
    config = replace(MODES[mode], lambda_v=0.02)
    source, target, features = (random(1, 3, 6, 6, seed=seed).float() for seed in range(3))
    spectrum = learn(Pair(source, target), config.lambda_v, config)
    ours = learn(Pair(source, target), torch.tensor(config.lambda_v), config, CLOSED_FORM)
    torch.testing.assert_close(ours, spectrum)
    expected = mix(spectrum, features, 0.4, config)
    torch.testing.assert_close(
        mix(spectrum, features, torch.tensor(0.4), config, CLOSED_FORM), expected
    )


def test_clips_of_a_batch_do_not_touch_each_other():
    source, target = random(2, 3, 6, 6), random(2, 3, 6, 6, seed=1)
    rate, log_regularizer = torch.tensor(0.4).double(), torch.tensor(-2.0).double()

    def output(chosen):
        pair = Pair(source[chosen], target[chosen])
        spectrum = learn(pair, log_regularizer.exp(), STEADY, CLOSED_FORM)
        return mix(spectrum, source[chosen], rate, STEADY, CLOSED_FORM)

    together = output(slice(0, 2))
    torch.testing.assert_close(together[:1], output(slice(0, 1)))
    torch.testing.assert_close(together[1:], output(slice(1, 2)))


def test_half_precision_is_transformed_in_float32():
    source, target = random(1, 2, 6, 6).bfloat16(), random(1, 2, 6, 6, seed=1).bfloat16()
    leaf = source.clone().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        spectrum = CLOSED_FORM.learn(leaf, target, torch.tensor(0.1))
        out = CLOSED_FORM.convolve(spectrum, leaf)
    assert spectrum.dtype == torch.complex64
    assert out.dtype == torch.float32
    torch.testing.assert_close(spectrum, COMPLEX.learn(source.float(), target.float(), 0.1))
    out.sum().backward()
    assert leaf.grad.dtype == torch.bfloat16


def test_printed_equations_are_not_the_gradient():
    """Eq. 11, 12 and 15 as printed; docs/joint_training.md says what is missing in each."""
    x, y, grad = (random(1, 1, 4, 5, seed=seed) for seed in range(3))
    source, target, weight = leaves(x, y, torch.tensor(0.5).double())
    spectrum = CLOSED_FORM.learn(source, target, weight)
    filters = torch.fft.irfft2(spectrum, s=(4, 5))
    actual = torch.autograd.grad(filters, (source, target, weight), grad)
    x_hat, y_hat, grad_hat = torch.fft.fft2(x), torch.fft.fft2(y), torch.fft.fft2(grad)
    gain = 1 / (x_hat.abs().square() + 0.5)
    slope = torch.fft.ifft2(-gain.square() * x_hat.conj() * y_hat).real
    torch.testing.assert_close(actual[2], (slope * grad).sum())  # eq. 13 is right
    printed_12 = torch.fft.ifft2(gain * x_hat.conj() * grad_hat).real
    printed_15 = torch.fft.ifft2(-2 * gain.square() * x_hat.conj().square() * y_hat * grad_hat).real
    assert not torch.allclose(actual[1], printed_12, rtol=0.1)
    assert not torch.allclose(actual[0], printed_15, rtol=0.1)
    torch.testing.assert_close(actual[1], torch.fft.ifft2(gain * x_hat * grad_hat).real)
    right_15 = gain.square() * (
        0.5 * y_hat * grad_hat.conj() - x_hat.square() * y_hat.conj() * grad_hat
    )
    torch.testing.assert_close(actual[0], torch.fft.ifft2(right_15).real)


def test_nothing_but_the_inputs_is_kept_for_the_backward_pass():
    source, target, features = leaves(*(random(2, 3, 6, 6, seed=seed) for seed in range(3)))
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        spectrum = CLOSED_FORM.learn(source, target, torch.tensor(0.1).double())
        CLOSED_FORM.convolve(spectrum, features)
    known = {tensor.data_ptr() for tensor in (source, target, features, spectrum)}
    assert {tensor.data_ptr() for tensor in kept if tensor.numel() > 1} == known


def test_much_less_is_kept_than_by_plain_autograd():
    kept = {}
    for name, layers in {"ours": OURS, "plain": PLAIN}.items():
        features = leaves(*(random(2, 8, 12, 12, seed=seed) for seed in range(3)))
        kept[name] = kept_bytes(*layers, *features)
    assert kept["plain"] > 1.5 * kept["ours"]


def kept_bytes(solve, apply, source, target, features):
    """Bytes of all storages kept by both layers, the features themselves too."""
    storages = {}

    def note(tensor):
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    weight = torch.tensor(0.1).double().requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        alive = apply(solve(source, target, weight), features).sum()
    assert alive.requires_grad
    return sum(storages.values())
