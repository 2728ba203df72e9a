"""The backbone in 8-bit integers, by the oneDNN convolutions that PyTorch brings along."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dsiam_plugin.errors import DeviceError
from dsiam_plugin.models.backbones import Backbone
from dsiam_plugin.models.backends.base import RuntimeBackbone
from dsiam_plugin.models.layer_plan import MaxPool, layer_plan
from dsiam_plugin.models.quantization import QuantizedConvolution, QuantizedStep, quantize_plan


class Int8Backbone(RuntimeBackbone):
    """Integer convolutions from the pixels to the last level, which comes out in float32.

    Levels before it are 8-bit inputs of the next convolution, told in float32.

    Raises:
        ConfigError: If the backbone has no 8-bit form.
        DeviceError: If this PyTorch has no such convolutions.
    """

    def __init__(
        self,
        backbone: Backbone,
        levels: tuple[str, ...],
        input_steps: Sequence[float] | None = None,
    ):
        super().__init__(backbone, levels)
        self._stages = _stages(quantize_plan(layer_plan(backbone, levels), input_steps))
        first = self._stages[0]
        if not (isinstance(first, _Convolution) and _is_exact(first)):
            raise DeviceError(
                f"precision 'int8': torch {torch.__version__} does not convolve 8-bit integers as "
                "expected; use bfloat16 or float32, or --backend openvino"
            )

    def forward(self, crops: Tensor) -> dict[str, Tensor]:
        """See :class:`RuntimeBackbone`."""
        features: dict[str, Tensor] = {}
        x = crops.contiguous(memory_format=torch.channels_last)
        for stage in self._stages:
            x = stage(x)
            if isinstance(stage, _Convolution) and stage.tap is not None:
                features[stage.tap] = x if stage.is_last else x.float() * stage.unit
        return features


class _Convolution:
    """One integer convolution with its ReLU.

    The kernel computes ``x_scale * w_scale * sum + bias``. Its output is wanted in units of the
    next input's step, which is divided out of ``x_scale`` and bias here, because versions of
    PyTorch differ in how the kernel takes a scale of the output.

    Args:
        quantized: The convolution.
        unit: Step of the next convolution's input; None for the last one, whose output stays
            float32.
    """

    def __init__(self, quantized: QuantizedConvolution, unit: float | None):
        layer = quantized.layer
        self.tap = layer.tap
        self.is_last = unit is None
        self.unit = 1.0 if unit is None else unit
        self.quantized = quantized
        self._input_scale = quantized.step / self.unit
        self._bias = layer.bias / self.unit
        self._zero_points = torch.zeros(len(quantized.scale), dtype=torch.int32)
        # stride, padding, dilation, groups
        self._geometry = ([layer.stride] * 2, [layer.padding] * 2, [1, 1], layer.groups)
        self._packed: dict[tuple[int, ...], Tensor] = {}

    def __call__(self, x: Tensor) -> Tensor:
        """(S, I, H, W) uint8, channels last, to (S, O, H', W') uint8, or float32 from the last."""
        return torch.ops.onednn.qconv2d_pointwise(
            *(x, self._input_scale, 0, self._weight(x.shape)),
            *(self.quantized.scale, self._zero_points, self._bias),
            *self._geometry,
            *(1.0, 0, torch.float32 if self.is_last else torch.uint8),
            *("relu" if self.quantized.layer.relu else "none", [], ""),
        )

    def _weight(self, shape: torch.Size) -> Tensor:
        """Weights in the order that the kernel for inputs of this size wants.

        Those in another order are sorted anew on every call, which takes longer than convolving.
        """
        size = tuple(shape[1:])
        if size not in self._packed:
            self._packed[size] = torch.ops.onednn.qconv_prepack(
                self.quantized.weight,
                self.quantized.scale,
                *(self._input_scale, 0),
                *self._geometry,
                [1, *size],
            )
        return self._packed[size]


def _stages(steps: tuple[QuantizedStep, ...]) -> list[Callable[[Tensor], Tensor]]:
    inputs = [step.step for step in steps if isinstance(step, QuantizedConvolution)]
    units = iter([*inputs[1:], None])
    return [
        _pool(step) if isinstance(step, MaxPool) else _Convolution(step, next(units))
        for step in steps
    ]


def _pool(step: MaxPool) -> Callable[[Tensor], Tensor]:
    """Maxima of 8-bit cells, which are in the order of the numbers they stand for."""
    size, stride = [step.size] * 2, [step.stride] * 2
    return lambda x: torch.ops.quantized.max_pool2d(x, size, stride, [0, 0], [1, 1], False)


def _is_exact(convolution: _Convolution) -> bool:
    """True if PyTorch's kernels, no public functions, do what is expected of them.

    Pixels of 255 everywhere are where a processor that adds 8-bit products in 16 bits overflows.
    """
    layer, quantized = convolution.quantized.layer, convolution.quantized
    size = layer.weight.shape[-1]
    pixels = torch.full((1, layer.weight.shape[1] * layer.groups, size, size), 255).byte()
    sums = 255.0 * quantized.weight.sum(dim=(1, 2, 3)) * quantized.scale * quantized.step
    expected = ((sums + layer.bias).relu() / convolution.unit).clamp(max=255)
    try:
        found = convolution(pixels.contiguous(memory_format=torch.channels_last))
    except (AttributeError, RuntimeError):
        return False
    return bool(((found.float().flatten() - expected).abs() <= 1).all())  # one is a tie's rounding
