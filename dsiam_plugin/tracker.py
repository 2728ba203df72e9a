"""The tracker: one frozen state a target, one pure step a frame.

:meth:`DSiamTracker.start` and :meth:`DSiamTracker.step` take and return states, so one tracker can
follow many targets; ``init`` and ``track`` keep the state of one for you.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dsiam_plugin import adaptation
from dsiam_plugin.boxes import Box, box_from_center, check_box, overlap
from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.crops import Crop, channel_means, context_side, crop_square, search_pyramid
from dsiam_plugin.errors import ImageError, TrackerStateError
from dsiam_plugin.images import as_rgb
from dsiam_plugin.localize import Peak, cosine_window, localize, peak_shape
from dsiam_plugin.network import SiameseNet

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


class Found(NamedTuple):
    """The search region that won: its crop, features (1, C_l, h_l, w_l) a layer, and peak."""

    crop: Crop
    features: Features
    peak: Peak


@dataclass(frozen=True)
class TrackerState:
    """One target between two frames. Shapes: C_l, h_l, w_l as in :mod:`dsiam_plugin.network`.

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


class DSiamTracker:
    """Dynamic Siamese tracker (and SiamFC, with both transforms off).

    Args:
        network: Embeds and correlates; shared freely between trackers.
        config: Everything else.
        name: What it is called in results and messages.
    """

    image_mode = "RGB"

    def __init__(self, network: SiameseNet, config: TrackerConfig, name: str = "DSiam"):
        self.network = network
        self.config = config
        self.name = name
        self.state: TrackerState | None = None
        tracking, crop = config.tracking, config.crop
        half = tracking.scales // 2
        self._scales = [tracking.scale_step**power for power in range(-half, half + 1)]
        window = cosine_window(network.response_size * tracking.upsample)
        self._window = window.to(network.device)
        self._saliency = adaptation.saliency_map(crop.search_size, config.transform)

    def init(self, image: np.ndarray, box: Sequence[float]) -> None:
        """Start on a target.

        Args:
            image: (H, W, 3) uint8 RGB; grey, RGBA and 16-bit images are converted.
            box: ``(x, y, w, h)``, 0-based float pixels.

        Raises:
            ImageError: If the array is no image.
            BoxError: If the box is empty, not finite or misses the image.
        """
        self.state = self.start(image, box)

    def track(self, image: np.ndarray) -> TrackResult:
        """Find the target in the next frame.

        Raises:
            TrackerStateError: Before :meth:`init`.
            ImageError: If the array is no image or has another size than the first.
        """
        if self.state is None:
            raise TrackerStateError(f"{self.name}: track() before init(image, box)")
        self.state, result = self.step(image, self.state)
        return result

    @torch.inference_mode()
    def start(self, image: np.ndarray, box: Sequence[float]) -> TrackerState:
        """State of a new target; see :meth:`init`."""
        image = as_rgb(image)
        height, width = image.shape[:2]
        target = check_box(box, width, height)
        crop = self.config.crop
        fill = channel_means(image)
        exemplar_side = context_side(target.w, target.h, crop.context)
        search_side = self._own_search_side((target.w, target.h))
        exemplar = self._embed(
            [crop_square(image, target.center, exemplar_side, crop.exemplar_size, fill)]
        )
        state = TrackerState(
            image_size=(height, width),
            center=target.center,
            target_size=(target.w, target.h),
            search_side=search_side,
            first_search_side=search_side,
            fill=fill,
            exemplar=exemplar,
            template=exemplar,
            target_mean=exemplar,
            suppression=None,
            calibrations={},
            first_height=1.0,
        )
        return self._calibrate(image, state)

    @torch.inference_mode()
    def step(self, image: np.ndarray, state: TrackerState) -> tuple[TrackerState, TrackResult]:
        """State and result of the next frame; see :meth:`track`. ``state`` is not changed."""
        image = as_rgb(image)
        if image.shape[:2] != state.image_size:
            raise ImageError(
                f"{self.name}: frame is {image.shape[1]}x{image.shape[0]}, expected "
                f"{state.image_size[1]}x{state.image_size[0]} as the first"
            )
        crops = self._search_crops(image, state)
        x_feat = self._embed(crops)
        response = self._respond(state, x_feat)
        deciding = response
        if self.config.transform.anchor_scale and self.config.transform.adaptive:
            # The first exemplar's own response: neither V nor W applied.
            deciding = (response + self._correlate(state, state.exemplar, x_feat)) / 2
        peak = localize(response, deciding, self.config.tracking, self._window)
        lost = self._is_lost(peak, state)
        recovered = state.lost and not lost
        state = replace(state, center=self._moved(crops[peak.scale], peak), lost=lost)
        if self.config.transform.recenter:
            state = _recentered(state)
        if lost and self._gated:
            state = self._search_wider(state)
        else:
            if recovered and self._gated:
                state = replace(state, search_side=self._own_search_side(state.target_size))
            found = Found(
                crops[peak.scale],
                {layer: item[peak.scale : peak.scale + 1] for layer, item in x_feat.items()},
                peak,
            )
            state = self._resized(self._adapted(image, state, found), peak)
        box = box_from_center(*state.center, *state.target_size)
        return state, TrackResult(box, peak.score, state.lost)

    @property
    def _gated(self) -> bool:
        return self.config.transform.gate and self.config.transform.adaptive

    def _is_lost(self, peak: Peak, state: TrackerState) -> bool:
        tracking = self.config.tracking
        too_low = tracking.lost_below is not None and peak.score <= tracking.lost_below
        return too_low or peak.height < tracking.lost_height * state.first_height

    def _embed(self, crops: Sequence[Crop]) -> dict[str, Tensor]:
        return self.network.embed(np.stack([crop.pixels for crop in crops]))

    def _calibrate(self, image: np.ndarray, state: TrackerState) -> TrackerState:
        """Measure the first frame's responses: its peaks are the unit of later ones."""
        size = self.config.crop.search_size
        crop = crop_square(image, state.center, state.search_side, size, state.fill)
        responses = self.network.correlate(state.exemplar, self._embed([crop]))
        if self.config.fusion.balance:
            calibrations = {layer: _unit_height(item[0, 0]) for layer, item in responses.items()}
            state = replace(state, calibrations=calibrations)
        fused = self.network.fuse(_calibrated(responses, state.calibrations))
        height, _ = peak_shape(fused[0, 0])
        return replace(state, first_height=height)

    def _search_crops(self, image: np.ndarray, state: TrackerState) -> list[Crop]:
        sides = [state.search_side * scale for scale in self._scales]
        size = self.config.crop.search_size
        return search_pyramid(image, state.center, sides, size, state.fill)

    def _respond(self, state: TrackerState, x_feat: Features) -> Tensor:
        """Fused responses (S, 1, m, m) of search features (S, C_l, h_l, w_l)."""
        if state.suppression is not None:
            x_feat = adaptation.suppress(state.suppression, x_feat, self.config.transform)
        return self._correlate(state, state.template, x_feat)

    def _correlate(self, state: TrackerState, z_feat: Features, x_feat: Features) -> Tensor:
        """Fused responses (S, 1, m, m) of exemplar features in the state's units."""
        responses = self.network.correlate(z_feat, x_feat)
        return self.network.fuse(_calibrated(responses, state.calibrations))

    def _own_search_side(self, target_size: tuple[float, float]) -> float:
        crop = self.config.crop
        return context_side(*target_size, crop.context) * crop.search_size / crop.exemplar_size

    def _moved(self, crop: Crop, peak: Peak) -> tuple[float, float]:
        pixels_a_cell = self.network.stride * crop.side_px / self.config.crop.search_size
        return (
            crop.center[0] + peak.dx * pixels_a_cell,
            crop.center[1] + peak.dy * pixels_a_cell,
        )

    def _adapted(self, image: np.ndarray, state: TrackerState, found: Found) -> TrackerState:
        """Learn V and W on the box just found, if the frame can be trusted."""
        transform = self.config.transform
        trusted = (
            found.peak.ambiguity <= transform.max_ambiguity
            and found.peak.height >= transform.min_confidence * state.first_height
        )
        if not trusted:
            return state
        if transform.variation or transform.replace_template:
            state = self._with_variation(image, state)
        if transform.suppression:
            pairs = self._background(image, state, found)
            spectra = adaptation.learn_suppression(pairs, transform)
            state = replace(state, suppression=spectra)
        return state

    def _with_variation(self, image: np.ndarray, state: TrackerState) -> TrackerState:
        transform, size = self.config.transform, self.config.crop
        side = context_side(*state.target_size, size.context)
        crop = crop_square(image, state.center, side, size.exemplar_size, state.fill)
        mean = adaptation.update_mean(state.target_mean, self._embed([crop]), transform.memory)
        template = adaptation.learn_variation(state.exemplar, mean, transform)
        return replace(state, target_mean=mean, template=template)

    def _background(
        self, image: np.ndarray, state: TrackerState, found: Found
    ) -> dict[str, Tensor]:
        """Features of G and of G x saliency, (2, C_l, h_l, w_l) a layer."""
        transform, size = self.config.transform, self.config.crop.search_size
        if transform.background == "search":
            stride = self.network.stride
            offset = (found.peak.dx * stride, found.peak.dy * stride)
            sigma = transform.saliency_sigma * size
            strides = self.network.backbone.levels
            return adaptation.highlight(found.features, strides, offset, sigma)
        at_scale = transform.background == "crop_at_scale"
        side = found.crop.side_px if at_scale else state.search_side
        region = crop_square(image, state.center, side, size, state.fill).pixels
        highlighted = np.rint(region * self._saliency).astype(np.uint8)
        return self.network.embed(np.stack([region, highlighted]))

    def _resized(self, state: TrackerState, peak: Peak) -> TrackerState:
        """Follow the winning scale; the search side stays within its bounds."""
        tracking = self.config.tracking
        factor = 1 + tracking.scale_damping * (self._scales[peak.scale] - 1)
        width, height = state.target_size
        side = self._bounded(state, state.search_side * factor)
        return replace(state, target_size=(width * factor, height * factor), search_side=side)

    def _search_wider(self, state: TrackerState) -> TrackerState:
        """After a loss: both transforms off, a larger search region, the target's size kept."""
        return replace(
            state,
            template=state.exemplar,
            suppression=None,
            search_side=self._bounded(state, state.search_side * self.config.transform.lost_growth),
        )

    def _bounded(self, state: TrackerState, side: float) -> float:
        tracking = self.config.tracking
        low = tracking.min_search * state.first_search_side
        return min(max(side, low), tracking.max_search * state.first_search_side)


def _unit_height(response: Tensor) -> Calibration:
    """Map the peak of a response (m, m) to one and its background, the median, to zero."""
    background = float(response.median())
    height = float(response.max()) - background
    scale = 1 / height if height > 0 else 1.0  # a flat first response has no unit
    return Calibration(scale, -background * scale)


def _calibrated(responses: Features, calibrations: Mapping[str, Calibration]) -> dict[str, Tensor]:
    if not calibrations:
        return dict(responses)
    return {
        layer: item * calibrations[layer].scale + calibrations[layer].offset
        for layer, item in responses.items()
    }


def _recentered(state: TrackerState) -> TrackerState:
    """Back to the image's centre once the target has been beyond the border twice in a row."""
    height, width = state.image_size
    box = box_from_center(*state.center, *state.target_size)
    if overlap(box, Box(0, 0, width, height)) > 0:
        return replace(state, frames_outside=0)
    if state.frames_outside == 0:
        return replace(state, frames_outside=1)
    return replace(state, center=((width - 1) / 2, (height - 1) / 2), frames_outside=0)
