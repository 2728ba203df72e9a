"""What is known of N targets between two frames, as tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from dsiam_plugin.errors import ImageError

Features = Mapping[str, Tensor]


@dataclass(frozen=True)
class TensorState:
    """N targets between two frames; the first dimension of every tensor is N.

    ``len``, slices and ``+`` work as on a list of states.

    Attributes:
        image_size: ``(height, width)`` that every frame must have.
        fill: Colour beyond the border, whole grey levels, (N, 3) float32.
        first_search_side: (N,) float64, px.
        first_height: Height of the first frame's peak over its background, (N,) float32.
        exemplar: Features of the first target crops, (N, 1, C_l, h_l, w_l) a layer.
        calibrations: Scale and offset of each layer's response, (N, 2); empty for raw responses.
        motion: :meth:`dsiam_plugin.trackers.device.motion.Motion.packed`, (N, 8) float64.
        template: The exemplars after V.
        target_mean: Running means that V learns from.
        suppression: Half spectra of W, (N, 1, C_l, h_l, w_l // 2 + 1); zeros at first.
    """

    image_size: tuple[int, int]
    fill: Tensor
    first_search_side: Tensor
    first_height: Tensor
    exemplar: Features
    calibrations: Features
    motion: Tensor
    template: Features
    target_mean: Features
    suppression: Features

    def __len__(self) -> int:
        return len(self.fill)

    def __getitem__(self, targets: slice) -> TensorState:
        return rebuilt(self, [item[targets] for item in tensors(self)])

    def __add__(self, other: TensorState) -> TensorState:
        if other.image_size != self.image_size:
            sizes = [f"{state.image_size[1]}x{state.image_size[0]}" for state in (other, self)]
            raise ImageError(f"frame is {sizes[0]}, expected {sizes[1]} as the other targets'")
        pairs = zip(tensors(self), tensors(other), strict=True)
        return rebuilt(self, [torch.cat(pair) for pair in pairs])


def tensors(state: TensorState) -> list[Tensor]:
    """All tensors of a state, always in the same order."""
    found: list[Tensor] = []
    _mapped(state, lambda item: found.append(item) or item)
    return found


def rebuilt(state: TensorState, items: list[Tensor]) -> TensorState:
    """A state like this one of other tensors, in the order of :func:`tensors`."""
    remaining = iter(items)
    return _mapped(state, lambda _: next(remaining))


def _mapped(state: TensorState, change: Callable[[Tensor], Tensor]) -> TensorState:
    changes: dict[str, Any] = {}
    for field in fields(state):
        value = getattr(state, field.name)
        if isinstance(value, Tensor):
            changes[field.name] = change(value)
        elif isinstance(value, Mapping):
            changes[field.name] = {layer: change(item) for layer, item in value.items()}
    return replace(state, **changes)
