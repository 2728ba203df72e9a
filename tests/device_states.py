"""A host tracker's states as the device's, to compare one step at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from dsiam_plugin.trackers.device.motion import Motion
from dsiam_plugin.trackers.device.state import TensorState
from dsiam_plugin.trackers.state import TrackerState


def tensor_state(state: TrackerState, suppresses: bool) -> TensorState:
    """The state of one target for a configuration that learns W or does not."""
    motion = Motion(
        center=doubles([state.center]),
        target_size=doubles([state.target_size]),
        search_side=doubles([state.search_side]),
        lost=torch.tensor([state.lost]),
        frames_outside=doubles([state.frames_outside]),
        suppressing=torch.tensor([state.suppression is not None]),
    )
    return TensorState(
        image_size=state.image_size,
        fill=torch.tensor([state.fill]).round(),
        first_search_side=doubles([state.first_search_side]),
        first_height=torch.tensor([state.first_height]),
        exemplar={layer: item[None] for layer, item in state.exemplar.items()},
        calibrations={layer: torch.tensor([unit]) for layer, unit in state.calibrations.items()},
        motion=motion.packed(),
        template={layer: item[None] for layer, item in state.template.items()},
        target_mean={layer: item[None] for layer, item in state.target_mean.items()},
        suppression=_spectra(state) if suppresses else {},
    )


def doubles(values: list) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _spectra(state: TrackerState) -> dict[str, Tensor]:
    """W's, or zeros of their shape while W is off."""
    if state.suppression is not None:
        return {layer: item[None] for layer, item in state.suppression.items()}
    widths = {"conv5": 22, "conv4": 24}  # of SiamFC's AlexNet on 255 px
    shapes = {
        layer: (1, 1, item.shape[1], widths[layer], widths[layer] // 2 + 1)
        for layer, item in state.exemplar.items()
    }
    return {layer: torch.zeros(shape, dtype=torch.complex64) for layer, shape in shapes.items()}
