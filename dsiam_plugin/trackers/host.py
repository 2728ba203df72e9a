"""The tracker on the CPU: uint8 crops, one state a target, an early way out of every frame.

:meth:`DSiamTracker.start` and :meth:`DSiamTracker.step` take and return states, so one tracker can
follow many targets; :meth:`DSiamTracker.step_many` embeds those of many together. ``init`` and
``track`` keep the states for you. The method itself is :mod:`dsiam_plugin.core`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.core import rules, step
from dsiam_plugin.core.response import fixed
from dsiam_plugin.core.spectra import PAIRS
from dsiam_plugin.core.state import Features, Peaks, Target, Verdict, Windows, take
from dsiam_plugin.core.transforms import Pair, analyse, bright
from dsiam_plugin.io.boxes import Box, check_box
from dsiam_plugin.models.network import SiameseNet, embed_many
from dsiam_plugin.trackers.crops import Crop, channel_means, search_pyramid
from dsiam_plugin.trackers.state import TrackerState, TrackResult
from dsiam_plugin.trackers.targets import (
    Boxes,
    Images,
    TargetTracker,
    check_size,
    count_of,
    one_each,
)
from dsiam_plugin.trackers.variants import exemplar_variants, wide_size


class Look(NamedTuple):
    """One target on a frame, found and still to be learnt from.

    Attributes:
        frame: (H, W, 3) uint8.
        target: Where it is now.
        windows: The search windows.
        x_feat: Their features, (1, S, C, H, W) a layer.
        x_hat: Their spectra, where W has been applied.
        peaks: What they showed.
        verdict: What follows from it.
    """

    frame: np.ndarray
    target: Target
    windows: Windows
    x_feat: Features
    x_hat: Features | None
    peaks: Peaks
    verdict: Verdict


class DSiamTracker(TargetTracker):
    """Dynamic Siamese tracker (and SiamFC, with both transforms off).

    Args:
        network: Embeds; shared freely between trackers.
        config: Everything else.
        name: What it is called in results and messages.
    """

    def __init__(self, network: SiameseNet, config: TrackerConfig, name: str = "DSiam"):
        super().__init__(network, config, name)
        self._numbers = network.numbers(config)
        self._fixed = fixed(config, network.response_size, network.device)
        self._saliency = self._fixed.saliency[..., None].cpu().numpy()

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
        frames, config = one_each(images, count_of(boxes)), self.config
        places = [_place(*pair) for pair in zip(frames, boxes, strict=True)]
        cuts = [
            self._cut_target(frame, *place) + self._cut_variants(frame, *place)
            for frame, place in zip(frames, places, strict=True)
        ]
        targets = [
            step.first_target(*place, exemplars, config.crop)
            for place, exemplars in zip(places, self._embed(cuts), strict=True)
        ]
        cuts = [
            self._cut_search(frame, target, target.side)
            for frame, target in zip(frames, targets, strict=True)
        ]
        return [
            TrackerState(frame.shape[:2], step.measure(target, x_feat, self._numbers, config))
            for frame, target, x_feat in zip(frames, targets, self._embed(cuts), strict=True)
        ]

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
        frames = one_each(images, len(states))
        for frame, state in zip(frames, states, strict=True):
            check_size(frame, state.image_size, self.name)
        looks = self._observed(frames, [state.target for state in states])
        new_states, results = [], []
        for look, target in zip(looks, self._adapted(looks), strict=True):
            target = rules.settle(target, look.peaks, look.verdict, self._fixed, self.config)
            if not target.suppressing.any():  # so that the next frame does not apply it
                target = target._replace(suppression={})
            box = Box(*rules.boxes(target)[0].tolist())
            new_states.append(TrackerState(look.frame.shape[:2], target))
            results.append(TrackResult(box, look.peaks.score.item(), bool(target.lost)))
        return new_states, results

    def _observed(self, frames: Sequence[np.ndarray], targets: Sequence[Target]) -> list[Look]:
        """Every target where its frame shows it."""
        cuts = [
            self._cut_search(frame, target, target.side * self._fixed.scales)
            for frame, target in zip(frames, targets, strict=True)
        ]
        looks = []
        embedded = self._embed(cuts)
        for frame, target, crops, x_feat in zip(frames, targets, cuts, embedded, strict=True):
            windows = _windows(crops)
            x_hat = analyse(x_feat, self.config.transform, PAIRS) if target.suppression else None
            known = (self._numbers, self.config, self._fixed, PAIRS)
            peaks, _ = step.observe(target, x_feat, *known, x_hat)
            verdict = rules.judge(target, peaks, self.config)
            seen = (peaks, verdict, windows, self.network.stride, frame.shape[:2])
            moved = rules.move(target, *seen, self.config)
            looks.append(Look(frame, moved, windows, x_feat, x_hat, peaks, verdict))
        return looks

    def _adapted(self, looks: Sequence[Look]) -> list[Target]:
        """Every target, after V and W have learnt from the frames that may teach them."""
        targets = [look.target for look in looks]
        if not self.config.transform.adaptive:
            return targets
        teachers = [index for index, look in enumerate(looks) if look.verdict.learns.any()]
        lessons = [looks[index] for index in teachers]
        learnt = zip(teachers, self._latest(lessons), self._pairs(lessons), strict=True)
        for index, latest, pairs in learnt:
            settings = (None, self._numbers, self.config, PAIRS)
            targets[index] = step.adapt(targets[index], latest, pairs, *settings)
        return targets

    def _latest(self, looks: Sequence[Look]) -> list[Features | None]:
        """Features of every target's present look; None without V."""
        transform = self.config.transform
        if not (transform.variation or transform.replace_template):
            return [None] * len(looks)
        targets = [look.target for look in looks]
        cuts = [
            self._cut_target(look.frame, target.center, target.size, target.fill)
            for look, target in zip(looks, targets, strict=True)
        ]
        return [_only(item) for item in self._embed(cuts)]

    def _pairs(self, looks: Sequence[Look]) -> list[Mapping[str, Pair] | None]:
        """G and G x map of every target; None without W."""
        transform, network = self.config.transform, self.network
        if not transform.suppression:
            return [None] * len(looks)
        if transform.background == "search":
            sigma = transform.saliency_sigma * self.config.crop.search_size
            cells = (network.stride, network.backbone.levels, sigma)
            regions = [(_winning(look.x_feat, look), _winning(look.x_hat, look)) for look in looks]
            return [
                bright(region, look.peaks, *cells, region_hat)
                for look, (region, region_hat) in zip(looks, regions, strict=True)
            ]
        embedded = self._embed([self._cut_background(look) for look in looks])
        return [
            {layer: Pair(item[:, 0], item[:, 1]) for layer, item in pair.items()}
            for pair in embedded
        ]

    def _embed(self, cuts: Sequence[Sequence[Crop]]) -> list[dict[str, Tensor]]:
        """Features (1, S, C, h, w) a layer of each target's S crops."""
        return embed_many([[crop.pixels for crop in crops] for crops in cuts], self.network.embed)

    def _cut_target(
        self, frame: np.ndarray, center: Tensor, size: Tensor, fill: Tensor
    ) -> list[Crop]:
        crop = self.config.crop
        side = rules.context_side(size, crop.context)
        return _cut(frame, center, side, crop.exemplar_size, fill)

    def _cut_variants(
        self, frame: np.ndarray, center: Tensor, size: Tensor, fill: Tensor
    ) -> list[Crop]:
        """What a box head compares the target with besides; nothing without one."""
        if not self.config.model.box_head:
            return []
        crop = self.config.crop
        wide = wide_size(crop.exemplar_size)
        side = rules.context_side(size, crop.context) * wide / crop.exemplar_size
        cut = _cut(frame, center, side, wide, fill)[0]
        pixels = torch.from_numpy(cut.pixels).permute(2, 0, 1)[None].float()
        made = exemplar_variants(pixels, crop.exemplar_size)[0].permute(0, 2, 3, 1).byte()
        return [cut._replace(pixels=item.numpy()) for item in made]

    def _cut_search(self, frame: np.ndarray, target: Target, sides: Tensor) -> list[Crop]:
        return _cut(frame, target.center, sides, self.config.crop.search_size, target.fill)

    def _cut_background(self, look: Look) -> list[Crop]:
        """G and G x map, cut anew around the target."""
        at_scale = self.config.transform.background == "crop_at_scale"
        side = take(look.windows.side, look.peaks.scale) if at_scale else look.target.side
        region = self._cut_search(look.frame, look.target, side)[0]
        masked = np.rint(region.pixels * self._saliency).astype(np.uint8)
        return [region, region._replace(pixels=masked)]


def _place(frame: np.ndarray, box: Sequence[float]) -> tuple[Tensor, Tensor, Tensor]:
    """Centre, size and colour beyond the border of a target on its first frame.

    Raises:
        BoxError: If the box is empty, not finite or misses the frame.
    """
    height, width = frame.shape[:2]
    target = check_box(box, width, height)
    place = (target.center, (target.w, target.h), channel_means(frame))
    center, size, fill = (torch.tensor([item], dtype=torch.float64) for item in place)
    return center, size, fill


def _cut(frame: np.ndarray, center: Tensor, sides: Tensor, size: int, fill: Tensor) -> list[Crop]:
    """Crops of one target: center (1, 2), sides (S,), fill (1, 3)."""
    (middle,), (color,) = center.tolist(), fill.tolist()
    return search_pyramid(frame, middle, sides.tolist(), size, color)


def _windows(crops: Sequence[Crop]) -> Windows:
    """Where one target's crops really are."""
    centers = torch.tensor([[crop.center for crop in crops]], dtype=torch.float64)
    return Windows(centers, torch.tensor([[crop.side_px for crop in crops]], dtype=torch.float64))


def _winning(features: Features | None, look: Look) -> Any:
    """Of one target's features the view of those at the winning scale, (1, C, h, w) a layer."""
    scale = int(look.peaks.scale)
    return features and {layer: item[:, scale] for layer, item in features.items()}


def _only(features: Features) -> dict[str, Tensor]:
    """Features (1, C, h, w) of the one crop of (1, 1, C, h, w)."""
    return {layer: item[:, 0] for layer, item in features.items()}
