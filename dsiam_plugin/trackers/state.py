"""What is known of a target between two frames, and what a frame showed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from torch import Tensor

from dsiam_plugin.io.boxes import Box, box_from_center, overlap

Features = Mapping[str, Tensor]


@dataclass(frozen=True)
class TrackResult:
    """What a frame showed.

    Attributes:
        box: The target, 0-based float pixels; it may reach over the image's border.
        score: Maximum of the response after the scale penalty; higher is surer.
        lost: Whether the response says that the target was not found.
    """

    box: Box
    score: float
    lost: bool


class Calibration(NamedTuple):
    """Affine map of a layer's raw response: ``scale * response + offset``."""

    scale: float
    offset: float


@dataclass(frozen=True)
class TrackerState:
    """One target between two frames. Shapes: C_l, h_l, w_l as in ``models.network``.

    Attributes:
        image_size: ``(height, width)`` that every frame must have.
        center: Pixel index ``(cx, cy)`` of the target's centre.
        target_size: ``(w, h)`` in px.
        search_side: Side of the search window in px.
        first_search_side: That of the first frame; it bounds ``search_side``.
        fill: Colour beyond the border, the first frame's channel means.
        exemplar: Features of the first target crop, (1, C_l, h_l, w_l) a layer.
        template: The exemplar after V, what is correlated.
        target_mean: Running mean of target features that V learns from.
        suppression: Half spectra of W, (1, C_l, h_l, w_l // 2 + 1) a layer; None while off.
        calibrations: Affine map of each layer's response; empty for raw responses.
        first_height: Height of the first frame's peak over its background.
        lost: Whether the last frame was.
        frames_outside: Successive frames with the target beyond the border.
    """

    image_size: tuple[int, int]
    center: tuple[float, float]
    target_size: tuple[float, float]
    search_side: float
    first_search_side: float
    fill: tuple[float, float, float]
    exemplar: Features
    template: Features
    target_mean: Features
    suppression: Features | None
    calibrations: Mapping[str, Calibration]
    first_height: float
    lost: bool = False
    frames_outside: int = 0


def unit_height(response: Tensor) -> Calibration:
    """Map the peak of a response (m, m) to one and its background, the median, to zero."""
    background = float(response.median())
    height = float(response.max()) - background
    scale = 1 / height if height > 0 else 1.0  # a flat first response has no unit
    return Calibration(scale, -background * scale)


def calibrated(responses: Features, calibrations: Mapping[str, Calibration]) -> dict[str, Tensor]:
    """Responses in the units of the first frame's."""
    if not calibrations:
        return dict(responses)
    return {
        layer: item * calibrations[layer].scale + calibrations[layer].offset
        for layer, item in responses.items()
    }


def recentered(state: TrackerState) -> TrackerState:
    """Back to the image's centre once the target has been beyond the border twice in a row."""
    height, width = state.image_size
    box = box_from_center(*state.center, *state.target_size)
    if overlap(box, Box(0, 0, width, height)) > 0:
        return replace(state, frames_outside=0)
    if state.frames_outside == 0:
        return replace(state, frames_outside=1)
    return replace(state, center=((width - 1) / 2, (height - 1) / 2), frames_outside=0)
