"""What is known of N targets between two frames, what a frame showed, and the numbers in use.

All tensors of a :class:`Target` have the targets first, so that targets can be cut out, joined and
chosen between by one function, :func:`each`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, NamedTuple

import torch
from torch import Tensor

from dsiam_plugin.config import TrackerConfig, of_layer

Features = Mapping[str, Tensor]  # a tensor for each layer, by its name
ByLayer = Mapping[str, float | Tensor]  # a number for each layer: a constant, or () in training


class Target(NamedTuple):
    """N targets between two frames.

    Attributes:
        center: Pixel indices ``(cx, cy)``, (N, 2) float64.
        size: ``(w, h)`` in px, (N, 2) float64.
        side: Side of the search window in px, (N,) float64.
        first_side: That of the first frame; it bounds ``side``.
        lost: Whether the last frame lost them or, where ``recenter`` says so, had them beyond the
            image's border, (N,) bool.
        outside: Whether they were beyond the image's border on an odd number of frames, (N,) bool.
        suppressing: Whether W is on, (N,) bool.
        first_height: Height of the first frame's peak over its background, (N,) float32.
        shape: ``(w, h)`` of the first frame's box in px of its exemplar crop, (N, 2) float32.
        fill: Colour beyond the border, (N, 3).
        units: Factor and offset of each layer's response, (N, 2); empty for raw responses.
        exemplar: Features of the first target crops, (N, C, h, w) a layer.
        bank: What tells K variants of them apart (``core.boxes.distinguish``), (N, K, C, h, w) a
            layer; empty without a box head.
        template: The exemplars after V, what is correlated.
        mean: Running mean of target features, which V learns from.
        suppression: Half spectra of W by layer, in the form of the spectra in use; empty as long
            as W is off for all targets.
    """

    center: Tensor
    size: Tensor
    side: Tensor
    first_side: Tensor
    lost: Tensor
    outside: Tensor
    suppressing: Tensor
    first_height: Tensor
    shape: Tensor
    fill: Tensor
    units: Features
    exemplar: Features
    bank: Features
    template: Features
    mean: Features
    suppression: Features


class Windows(NamedTuple):
    """S square windows around each of N targets, as they were cut.

    Attributes:
        center: Pixel index ``(cx, cy)`` of each middle, (N, S, 2) float64.
        side: Px, (N, S) float64.
    """

    center: Tensor
    side: Tensor


class Peaks(NamedTuple):
    """Where the responses of a frame have their peaks, (N,) each.

    Attributes:
        scale: Index of the winning scale, int64.
        dx, dy: Displacement from the window's middle, in cells of the response.
        score: Maximum of the winning scale's upsampled response after the scale penalty, before
            the map is normalised and windowed.
        height: Maximum of that scale's response over its background, the median.
        ambiguity: Height of the second peak as a share of the first's; 0 if it is the only one.
        growth: What a box head has width and height change by, (N, 2); None where the scale says.
    """

    scale: Tensor
    dx: Tensor
    dy: Tensor
    score: Tensor
    height: Tensor
    ambiguity: Tensor
    growth: Tensor | None = None


class Verdict(NamedTuple):
    """What follows from the peaks, (N,) bool each.

    Attributes:
        lost: Targets that were not found.
        learns: Targets whose frame may teach V and W.
        acts: Lost targets whose loss is acted on: V and W off, and what ``lost_growth`` says.
        recovers: Targets found again after such a loss: the search side is again their own.
    """

    lost: Tensor
    learns: Tensor
    acts: Tensor
    recovers: Tensor


class Numbers(NamedTuple):
    """The numbers of the method: constants of a configuration, or parameters of a training.

    Attributes:
        lambda_v, rate_v, lambda_w, rate_w: By layer; see ``TransformConfig``.
        memory: Decay of the running mean.
        fusion: Weight of each layer, (m, m), or () for all cells (eq. 9).
        scale, bias: Affine adjust of the fused response.
        read_boxes: A ``core.boxes.ReadBoxes``; None where boxes come from a search over scales.
    """

    lambda_v: ByLayer
    rate_v: ByLayer
    lambda_w: ByLayer
    rate_w: ByLayer
    memory: float | Tensor
    fusion: Features
    scale: float | Tensor
    bias: float | Tensor
    read_boxes: Callable[..., Any] | None = None


def numbers_of(
    config: TrackerConfig,
    fusion: Features,
    head: tuple[float, float],
    read_boxes: Callable[..., Any] | None = None,
) -> Numbers:
    """The numbers of a configuration.

    Args:
        config: Of the tracker.
        fusion: Weight map of each layer in use.
        head: ``(scale, bias)`` of the affine adjust.
        read_boxes: The box head, if there is one.
    """
    transform = config.transform
    lambda_v, rate_v, lambda_w, rate_w = (
        {layer: of_layer(value, layer) for layer in fusion}
        for value in (transform.lambda_v, transform.rate_v, transform.lambda_w, transform.rate_w)
    )
    return Numbers(lambda_v, rate_v, lambda_w, rate_w, transform.memory, fusion, *head, read_boxes)


def each(change: Callable[..., Tensor], *targets: Target) -> Target:
    """Targets of ``change(tensor, ...)`` over the corresponding tensors of all ``targets``."""
    changed: list = []
    for values in zip(*targets, strict=True):
        if isinstance(values[0], Tensor):
            changed.append(change(*values))
        else:
            layers = values[0]
            changed.append({name: change(*(item[name] for item in values)) for name in layers})
    return Target(*changed)


def tensors_of(target: Target) -> list[Tensor]:
    """All tensors, always in the same order."""
    values = (item.values() if isinstance(item, Mapping) else (item,) for item in target)
    return list(chain.from_iterable(values))


def pick(mask: Tensor | None, yes: Features, no: Features) -> Features:
    """Of each target's two sets of features the one that its ``mask`` (N,) says; None: all yes."""
    if mask is None or not no:
        return yes
    return {layer: torch.where(column(mask, item), item, no[layer]) for layer, item in yes.items()}


def column(values: Tensor, like: Tensor) -> Tensor:
    """Values (N,) as (N, 1, ...), to be broadcast over ``like`` (N, ...)."""
    return values.view(-1, *[1] * (like.ndim - 1))


def take(items: Tensor, scale: Tensor) -> Tensor:
    """Of each target's S items (N, S, ...) the one at ``scale`` (N,): (N, ...)."""
    return items[torch.arange(len(items), device=items.device), scale]


def winning(features: Features, peaks: Peaks) -> dict[str, Tensor]:
    """Of every layer's features (N, S, ...) those at each target's winning scale, (N, ...)."""
    return {layer: take(item, peaks.scale) for layer, item in features.items()}
