"""What a batch of clips carries from frame to frame, and what a frame showed.

Shapes as in :mod:`dsiam_plugin.models.network`, with B clips in place of scales; m response cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor

from dsiam_plugin.training.joint.crop_layer import Sightings

Features = Mapping[str, Tensor]


class ClipState(NamedTuple):
    """Targets of B clips between two frames.

    Attributes:
        centers: (B, 2) positions, on the CPU.
        exemplar: Features of the first target window, (B, C_l, h_l, w_l) a layer.
        template: The exemplar after V.
        mean: Running mean of target features.
        spectra: Half spectra of W, (B, C_l, h_l, w_l // 2 + 1) a layer; None before the first.
        suppressing: (B,) bool, whether W is on.
        units: Factor and offset of a layer's response, (B, 1, 1) each; empty for raw responses.
        first_heights: (B,) height of the first frame's peak, on the CPU.
    """

    centers: Tensor
    exemplar: Features
    template: Features
    mean: Features
    spectra: Features | None
    suppressing: Tensor
    units: Mapping[str, tuple[Tensor, Tensor]]
    first_heights: Tensor


class Seen(NamedTuple):
    """What a frame showed.

    Attributes:
        responses: (B, m, m), with gradient.
        plain: (B, m, m) of the first exemplar without V and W, without gradient.
        middles: (B, 2) positions in the middle of the search windows.
        sightings: Where the target was seen in ``responses``.
        plain_sightings: And in ``plain``.
        trusted: (B,) bool, whether V and W may be learnt on it.
    """

    responses: Tensor
    plain: Tensor
    middles: Tensor
    sightings: Sightings
    plain_sightings: Sightings
    trusted: Tensor


def detached(state: ClipState) -> ClipState:
    """The same state as constants: no gradient passes to earlier frames."""
    spectra = state.spectra
    return state._replace(
        exemplar=_constant(state.exemplar),
        template=_constant(state.template),
        mean=_constant(state.mean),
        spectra=None if spectra is None else _constant(spectra),
        units={layer: (a.detach(), b.detach()) for layer, (a, b) in state.units.items()},
    )


def _constant(features: Features) -> dict[str, Tensor]:
    return {layer: item.detach() for layer, item in features.items()}
