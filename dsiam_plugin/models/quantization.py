"""Convolutions in 8 bits: integer weights with one scale a channel, unsigned inputs with one step.

A convolution's input x >= 0 is kept as ``q = round(x / step)`` in [0, 255], its weights as
``round(w / scale)`` in [-127, 127] with a scale for each output channel, so

    y = step * scale * sum(q_x * q_w) + bias

where the sum is exact. Max pooling and ReLU commute with that rounding. The first input is the
image itself, whose step is one.

Steps come from a few generated pictures, so they depend on the weights alone, neither on a data set
nor on a target. The pictures have the 1/f amplitude spectrum of natural images (Field 1987), which
decides how far activations reach: white noise underestimates them, hard edges between saturated
colours overestimate them threefold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dsiam_plugin.errors import ConfigError
from dsiam_plugin.models.layer_plan import Convolution, LayerPlan, MaxPool, Step

INPUT_LEVELS = 255
WEIGHT_LEVELS = 127
# A range half as large again as what holds all but 1 of 10,000 activations: on crops of photographs
# its error is as small as that of the best range for them (docs/export.md).
QUANTILE = 0.9999
HEADROOM = 1.5
PICTURES = 4
PICTURE_SIZE = 255
CONTRAST = 70.0  # standard deviation of the pictures' lightness, grey levels
COLOUR = 0.35  # that of colours beside it


@dataclass(frozen=True)
class QuantizedConvolution:
    """A convolution in integers."""

    layer: Convolution  # the convolution in float32
    weight: Tensor  # (O, I / groups, k, k) int8
    scale: Tensor  # (O,) float32, of a unit of the weights
    step: float  # of a unit of the input


QuantizedStep = QuantizedConvolution | MaxPool


def quantize_plan(
    plan: LayerPlan, input_steps: Sequence[float] | None = None
) -> tuple[QuantizedStep, ...]:
    """Every convolution of a plan in 8 bits.

    Args:
        plan: The network.
        input_steps: Step of each convolution's input; None finds them on the calibration pictures.

    Raises:
        ConfigError: If the plan's first input is not the image as it is.
    """
    if plan.mean is not None:
        raise ConfigError("precision 'int8': only for siamfc_alexnet, whose input is the image")
    inputs = iter(_input_steps(plan.steps) if input_steps is None else input_steps)
    return tuple(
        step if isinstance(step, MaxPool) else _quantized(step, next(inputs)) for step in plan.steps
    )


def calibration_pictures(count: int = PICTURES, size: int = PICTURE_SIZE) -> np.ndarray:
    """Pictures with a 1/f amplitude spectrum, (count, size, size, 3) uint8; always the same."""
    rng = np.random.default_rng(0)
    lightness = _pink_fields(rng, (count, size, size, 1))
    colour = _pink_fields(rng, (count, size, size, 3))
    levels = 128 + CONTRAST * (lightness + COLOUR * colour)
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def _pink_fields(rng: np.random.Generator, shape: tuple[int, int, int, int]) -> np.ndarray:
    """Random fields (count, size, size, channels) of standard deviation one."""
    along = np.fft.fftfreq(shape[1])
    frequency = np.hypot(along[:, None], along[None, :])
    frequency[0, 0] = 1 / shape[1]  # the mean has no frequency to divide by
    spectra = np.fft.fft2(rng.standard_normal(shape), axes=(1, 2)) / frequency[..., None]
    fields = np.fft.ifft2(spectra, axes=(1, 2)).real
    return fields / fields.std(axis=(1, 2), keepdims=True)


def _quantized(layer: Convolution, step: float) -> QuantizedConvolution:
    largest = layer.weight.abs().amax(dim=(1, 2, 3))
    # A filter of zeros has no scale; any does.
    scale = largest.clamp_min(torch.finfo(torch.float32).tiny) / WEIGHT_LEVELS
    weight = (layer.weight / scale.view(-1, 1, 1, 1)).round().to(torch.int8)
    return QuantizedConvolution(layer, weight, scale, step)


@torch.inference_mode()
def _input_steps(steps: Sequence[Step]) -> list[float]:
    """Steps of the convolutions' inputs, from the activations on the calibration pictures."""
    x = torch.from_numpy(calibration_pictures()).permute(0, 3, 1, 2).float()
    found: list[float] = []
    for step in steps:
        if isinstance(step, MaxPool):
            x = F.max_pool2d(x, step.size, step.stride)
            continue
        found.append(_step_of(x) if found else 1.0)
        x = F.conv2d(x, step.weight, step.bias, step.stride, step.padding, groups=step.groups)
        x = x.relu() if step.relu else x
    return found


def _step_of(activations: Tensor) -> float:
    reach = float(np.quantile(activations.numpy(), QUANTILE)) * HEADROOM
    return max(reach, torch.finfo(torch.float32).tiny) / INPUT_LEVELS
