"""A backbone as a list of steps, for runtimes other than PyTorch's modules.

Exporters and quantised engines walk this list; that it is the backbone's ``forward`` is what their
tests compare.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn

from dsiam_plugin.models.backbones import VGG, Backbone, SiamFCAlexNet


@dataclass(frozen=True)
class Convolution:
    """A convolution and what follows it at once."""

    name: str  # of its parameters in the backbone
    weight: Tensor  # (O, I / groups, k, k) float32
    bias: Tensor  # (O,) float32
    stride: int  # of the convolution
    padding: int  # with zeros, on every side
    groups: int  # of the convolution
    relu: bool  # whether a ReLU follows
    tap: str | None  # level of the backbone that its output is, after the ReLU; None for none


@dataclass(frozen=True)
class MaxPool:
    """Maximum over (size, size) cells."""

    size: int
    stride: int


Step = Convolution | MaxPool


@dataclass(frozen=True)
class LayerPlan:
    """All steps of a backbone."""

    mean: Tensor | None  # subtracted from RGB in [0, 255] first, (1, 3, 1, 1); None for nothing
    deviation: Tensor | None  # what the difference is divided by, (1, 3, 1, 1)
    steps: tuple[Step, ...]  # in order


def layer_plan(backbone: Backbone, levels: Sequence[str]) -> LayerPlan:
    """Steps of a backbone in float32, up to the last of the levels in use."""
    if isinstance(backbone, SiamFCAlexNet):
        return LayerPlan(None, None, _until(_alexnet_steps(backbone), levels))
    if isinstance(backbone, VGG):
        steps = _until(_vgg_steps(backbone), levels)
        return LayerPlan(backbone.mean.float().cpu(), backbone.deviation.float().cpu(), steps)
    raise TypeError(f"no plan of {type(backbone).__name__}")


def _alexnet_steps(backbone: SiamFCAlexNet) -> list[Step]:
    pool = _pool(backbone.pool)
    one, two, three, four, five = (
        _convolution(f"conv{index}", getattr(backbone, f"conv{index}")) for index in range(1, 6)
    )
    four, five = replace(four, tap="conv4"), replace(five, tap="conv5", relu=False)
    return [one, pool, two, pool, three, four, five]


def _vgg_steps(backbone: VGG) -> list[Step]:
    names = {index: level for level, index in backbone.taps.items()}
    steps: list[Step] = []
    for index, module in enumerate(backbone.features):
        if isinstance(module, nn.Conv2d):
            # Each convolution's ReLU, where the taps are, comes right after it.
            layer = _convolution(f"features.{index}", module)
            steps.append(replace(layer, tap=names.get(index + 1)))
        elif isinstance(module, nn.MaxPool2d):
            steps.append(_pool(module))
    return steps


def _pool(module: nn.MaxPool2d) -> MaxPool:
    size, stride = module.kernel_size, module.stride
    assert isinstance(size, int) and isinstance(stride, int)
    return MaxPool(size, stride)


def _convolution(name: str, module: nn.Conv2d) -> Convolution:
    assert module.bias is not None and isinstance(module.padding, tuple)
    return Convolution(
        name,
        module.weight.detach().float().cpu().contiguous(),
        module.bias.detach().float().cpu(),
        module.stride[0],
        module.padding[0],
        module.groups,
        relu=True,
        tap=None,
    )


def _until(steps: list[Step], levels: Sequence[str]) -> tuple[Step, ...]:
    """The steps as far as a level needs them, with the taps that are not in use removed."""
    used = [getattr(step, "tap", None) in levels for step in steps]
    last = max(index for index, tapped in enumerate(used) if tapped)
    return tuple(
        step if tapped or isinstance(step, MaxPool) else replace(step, tap=None)
        for step, tapped in zip(steps[: last + 1], used, strict=False)
    )
