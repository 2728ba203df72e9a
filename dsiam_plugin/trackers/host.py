"""The tracker: one frozen state a target, one pure step a frame.

:meth:`DSiamTracker.start` and :meth:`DSiamTracker.step` take and return states, so one tracker can
follow many targets; :meth:`DSiamTracker.step_many` embeds those of many together. ``init`` and
``track`` keep the states for you.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.io.boxes import box_from_center, check_box
from dsiam_plugin.models.network import SiameseNet
from dsiam_plugin.trackers import adaptation
from dsiam_plugin.trackers.crops import (
    Crop,
    channel_means,
    context_side,
    crop_square,
    search_pyramid,
)
from dsiam_plugin.trackers.localize import Peak, cosine_window, localize, peak_shape
from dsiam_plugin.trackers.lockstep import Steps, run_together
from dsiam_plugin.trackers.search import SearchRegion
from dsiam_plugin.trackers.state import (
    Features,
    TrackerState,
    TrackResult,
    calibrated,
    recentered,
    unit_height,
)
from dsiam_plugin.trackers.targets import Boxes, Images, TargetTracker, check_size, one_each


class Found(NamedTuple):
    """Where the target was found: the crop at the scale that won, all scales' region, the peak."""

    crop: Crop
    region: SearchRegion
    peak: Peak


class DSiamTracker(TargetTracker):
    """Dynamic Siamese tracker (and SiamFC, with both transforms off).

    Args:
        network: Embeds and correlates; shared freely between trackers.
        config: Everything else.
        name: What it is called in results and messages.
    """

    def __init__(self, network: SiameseNet, config: TrackerConfig, name: str = "DSiam"):
        super().__init__(network, config, name)
        tracking, crop = config.tracking, config.crop
        half = tracking.scales // 2
        self._scales = [tracking.scale_step**power for power in range(-half, half + 1)]
        window = cosine_window(network.response_size * tracking.upsample)
        self._window = window.to(network.device)
        self._saliency = adaptation.saliency_map(crop.search_size, config.transform)

    def start(self, image: np.ndarray, box: Sequence[float]) -> TrackerState:
        """State of a new target; see :meth:`init`."""
        return self.start_many(image, [box])[0]

    def step(self, image: np.ndarray, state: TrackerState) -> tuple[TrackerState, TrackResult]:
        """State and result of the next frame; see :meth:`track`. ``state`` is not changed."""
        states, results = self.step_many(image, [state])
        return states[0], results[0]

    @torch.inference_mode()
    def start_many(self, images: Images, boxes: Boxes) -> list[TrackerState]:
        """States of new targets: all on one image, or each on its own.

        Raises:
            ImageError: If an array is no image, or the images are not one each.
            BoxError: If a box is empty, not finite or misses its image.
        """
        pairs = zip(one_each(images, len(boxes)), boxes, strict=True)
        return run_together([self._start(*pair) for pair in pairs], self.network.embed)

    @torch.inference_mode()
    def step_many(
        self, images: Images, states: Sequence[TrackerState]
    ) -> tuple[list[TrackerState], list[TrackResult]]:
        """States and results of the next frame: one image for all, or one a state.

        Every target's result is the one that :meth:`step` gives for it alone. ``states`` are not
        changed.

        Raises:
            ImageError: If an array is no image or of another size than its state's first, or the
                images are not one each.
        """
        pairs = list(zip(one_each(images, len(states)), states, strict=True))
        for image, state in pairs:
            check_size(image, state.image_size, self.name)
        found = run_together([self._step(*pair) for pair in pairs], self.network.embed)
        return [state for state, _ in found], [result for _, result in found]

    def _start(self, image: np.ndarray, box: Sequence[float]) -> Steps[TrackerState]:
        height, width = image.shape[:2]
        target = check_box(box, width, height)
        crop = self.config.crop
        fill = channel_means(image)
        exemplar_side = context_side(target.w, target.h, crop.context)
        search_side = self._own_search_side((target.w, target.h))
        exemplar = yield [
            crop_square(image, target.center, exemplar_side, crop.exemplar_size, fill).pixels
        ]
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
        return (yield from self._calibrate(image, state))

    def _step(
        self, image: np.ndarray, state: TrackerState
    ) -> Steps[tuple[TrackerState, TrackResult]]:
        """One frame of one target; what is yielded comes back as features."""
        crops = self._search_crops(image, state)
        x_feat = yield [crop.pixels for crop in crops]
        region = SearchRegion(x_feat, self.config.transform)
        response, deciding = self._respond(state, region)
        peak = localize(response, deciding, self.config.tracking, self._window)
        lost = self._is_lost(peak, state)
        recovered = state.lost and not lost
        state = replace(state, center=self._moved(crops[peak.scale], peak), lost=lost)
        if self.config.transform.recenter:
            state = recentered(state)
        if lost and self._gated:
            state = self._search_wider(state)
        else:
            if recovered and self._gated:
                state = replace(state, search_side=self._own_search_side(state.target_size))
            found = Found(crops[peak.scale], region, peak)
            state = yield from self._adapted(image, state, found)
            state = self._resized(state, peak)
        box = box_from_center(*state.center, *state.target_size)
        return state, TrackResult(box, peak.score, state.lost)

    @property
    def _gated(self) -> bool:
        return self.config.transform.gate and self.config.transform.adaptive

    def _is_lost(self, peak: Peak, state: TrackerState) -> bool:
        tracking = self.config.tracking
        too_low = tracking.lost_below is not None and peak.score <= tracking.lost_below
        return too_low or peak.height < tracking.lost_height * state.first_height

    def _calibrate(self, image: np.ndarray, state: TrackerState) -> Steps[TrackerState]:
        """Measure the first frame's responses: its peaks are the unit of later ones."""
        size = self.config.crop.search_size
        crop = crop_square(image, state.center, state.search_side, size, state.fill)
        responses = self.network.correlate(state.exemplar, (yield [crop.pixels]))
        if self.config.fusion.balance:
            calibrations = {layer: unit_height(item[0, 0]) for layer, item in responses.items()}
            state = replace(state, calibrations=calibrations)
        fused = self.network.fuse(calibrated(responses, state.calibrations))
        height, _ = peak_shape(fused[0, 0])
        return replace(state, first_height=height)

    def _search_crops(self, image: np.ndarray, state: TrackerState) -> list[Crop]:
        sides = [state.search_side * scale for scale in self._scales]
        size = self.config.crop.search_size
        return search_pyramid(image, state.center, sides, size, state.fill)

    def _respond(self, state: TrackerState, region: SearchRegion) -> tuple[Tensor, Tensor]:
        """Fused responses (S, 1, m, m) that find the target, and those that choose the scale."""
        transform = self.config.transform
        exemplars = state.template
        anchored = transform.anchor_scale and transform.adaptive
        if anchored:
            # The first exemplar's own response: neither V nor W applied.
            exemplars = {
                layer: torch.cat([item, state.exemplar[layer]]) for layer, item in exemplars.items()
            }
        if state.suppression is None:
            responses = self.network.correlate(exemplars, region.features)
        else:
            responses = self.network.align(
                region.suppressed_responses(exemplars, state.suppression)
            )
        fused = self.network.fuse(calibrated(responses, state.calibrations))
        response = fused[:, :1]
        return response, fused.mean(1, keepdim=True) if anchored else response

    def _own_search_side(self, target_size: tuple[float, float]) -> float:
        crop = self.config.crop
        return context_side(*target_size, crop.context) * crop.search_size / crop.exemplar_size

    def _moved(self, crop: Crop, peak: Peak) -> tuple[float, float]:
        pixels_a_cell = self.network.stride * crop.side_px / self.config.crop.search_size
        return (
            crop.center[0] + peak.dx * pixels_a_cell,
            crop.center[1] + peak.dy * pixels_a_cell,
        )

    def _adapted(self, image: np.ndarray, state: TrackerState, found: Found) -> Steps[TrackerState]:
        """Learn V and W on the box just found, if the frame can be trusted."""
        transform = self.config.transform
        trusted = (
            found.peak.ambiguity <= transform.max_ambiguity
            and found.peak.height >= transform.min_confidence * state.first_height
        )
        if not trusted:
            return state
        if transform.variation or transform.replace_template:
            state = yield from self._with_variation(image, state)
        if transform.suppression:
            spectra = yield from self._suppression(image, state, found)
            state = replace(state, suppression=spectra)
        return state

    def _with_variation(self, image: np.ndarray, state: TrackerState) -> Steps[TrackerState]:
        transform, size = self.config.transform, self.config.crop
        side = context_side(*state.target_size, size.context)
        crop = crop_square(image, state.center, side, size.exemplar_size, state.fill)
        latest = yield [crop.pixels]
        mean = adaptation.update_mean(state.target_mean, latest, transform.memory)
        template = adaptation.learn_variation(state.exemplar, mean, transform)
        return replace(state, target_mean=mean, template=template)

    def _suppression(self, image: np.ndarray, state: TrackerState, found: Found) -> Steps[Features]:
        """W learnt from G and G x saliency."""
        transform, size = self.config.transform, self.config.crop.search_size
        scale = found.peak.scale
        if transform.background == "search":
            stride = self.network.stride
            offset = (found.peak.dx * stride, found.peak.dy * stride)
            sigma = transform.saliency_sigma * size
            strides = self.network.backbone.levels
            region = {
                layer: item[scale : scale + 1] for layer, item in found.region.features.items()
            }
            highlighted = adaptation.highlight(region, strides, offset, sigma)
            return found.region.learn_suppression(scale, highlighted)
        at_scale = transform.background == "crop_at_scale"
        side = found.crop.side_px if at_scale else state.search_side
        pixels = crop_square(image, state.center, side, size, state.fill).pixels
        masked = np.rint(pixels * self._saliency).astype(np.uint8)
        return adaptation.learn_suppression((yield [pixels, masked]), transform)

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
