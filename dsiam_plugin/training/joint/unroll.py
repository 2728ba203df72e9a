"""One frame of the tracker for a batch of clips, as a function that can be differentiated.

A driver of :mod:`dsiam_plugin.core` at one scale: positions, trust and loss are numbers without a
gradient; features and what is learnt from them carry it from frame to frame. Shapes: B clips in
place of N targets.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.core import rules, step
from dsiam_plugin.core.response import Fixed, fixed
from dsiam_plugin.core.state import Features, Numbers, Peaks, Target, Verdict, Windows
from dsiam_plugin.core.transforms import Pair, bright
from dsiam_plugin.models.backbones import SiamFCAlexNet
from dsiam_plugin.training.joint.crop_layer import bounded, cut_windows
from dsiam_plugin.training.joint.spectral import CLOSED_FORM


class Seen(NamedTuple):
    """The outcome of one frame."""

    responses: Tensor  # (B, m, m), with gradient
    plain: Tensor  # (B, m, m) of the first exemplar without V and W, without gradient
    middles: Tensor  # (B, 2) positions in the middle of the search windows
    peaks: Peaks  # those of `responses`
    plain_peaks: Peaks  # those of `plain`
    verdict: Verdict  # what follows from `peaks`; whether V and W may be learnt


class Unroller:
    """The tracker's steps for B clips at a time.

    Args:
        config: The tracker; its scales are ignored, and its boxes keep their size.
        numbers: Parameters in place of the configuration's numbers.
        embed: Features of windows (B, size, size, 3) uint8, float32 a layer.
        max_excursion: Largest distance in px of a position from the annotated one.
        device: The clips' device.
    """

    backbone = SiamFCAlexNet

    def __init__(
        self,
        config: TrackerConfig,
        numbers: Numbers,
        embed: Callable[[Tensor], dict[str, Tensor]],
        max_excursion: float,
        device: torch.device | None = None,
    ):
        # With one scale the exemplar's response has nothing to choose, and windows neither grow nor
        # leave the packed crop.
        transform = replace(config.transform, anchor_scale=False, recenter=False, lost_growth=1.0)
        tracking = replace(config.tracking, scales=1)
        self.config = replace(config, tracking=tracking, transform=transform)
        self.numbers = numbers
        self.embed = embed
        self.max_excursion = max_excursion
        crop = config.crop
        cells = (crop.search_size - crop.exemplar_size) // self.backbone.stride + 1
        self._fixed: Fixed = fixed(self.config, cells, device)

    def start(self, rows: Tensor, centers: Tensor, fill: Tensor) -> Target:
        """Targets after the first frame.

        Args:
            rows: (B, S, S, 3) uint8, the first frame.
            centers: (B, 2) float64, where the targets are.
            fill: (B, 3) uint8 colour beyond the rows.
        """
        crop = self.config.crop
        x_feat = self.embed(cut_windows(rows, centers, crop.search_size, fill)[0])
        size = torch.full_like(centers, crop.exemplar_size / (1 + 2 * crop.context))
        target = step.first_target(centers, size, fill, _one_scale(self._middle(x_feat)), crop)
        return step.measure(target, _one_scale(x_feat), self.numbers, self.config)

    def look(
        self, target: Target, rows: Tensor, annotated: Tensor, learn: bool
    ) -> tuple[Target, Seen]:
        """Targets and responses of the next frame.

        Args:
            target: State after the frame before.
            rows: (B, S, S, 3) uint8, this frame.
            annotated: (B, 2) float64 positions of the targets.
            learn: Learn V and W; the last frame need not.
        """
        config, side = self.config, self.config.crop.search_size
        pixels, middles = cut_windows(rows, target.center, side, target.fill)
        x_feat = _one_scale(self.embed(pixels))
        peaks, responses = self._observed(target, x_feat)
        with torch.no_grad():
            first = target._replace(template=target.exemplar, suppression={})
            plain_peaks, plain = self._observe(first, x_feat)
        verdict = rules.judge(target, peaks, config)
        windows = Windows(middles[:, None], torch.full_like(middles[:, :1], side))
        place = (windows, self.backbone.stride, (rows.shape[1], rows.shape[2]))
        target = rules.move(target, peaks, verdict, *place, config)
        center = bounded(target.center, annotated, self.max_excursion)
        target = target._replace(center=center)
        if learn:
            pairs = self._background(target, rows, x_feat, peaks)
            latest = self._latest(target, rows, pairs)
            taught = (latest, pairs or None, verdict.learns)
            target = step.adapt(target, *taught, self.numbers, config, CLOSED_FORM)
            target = rules.settle(target, peaks, verdict, self._fixed, config)
        seen = (responses[:, 0, 0], plain[:, 0, 0], middles, peaks, plain_peaks, verdict)
        return target, Seen(*seen)

    def _observed(self, target: Target, x_feat: Features) -> tuple[Peaks, Tensor]:
        """Peaks and responses; under a gradient W's spectra are computed twice and not kept."""
        if not (target.suppression and torch.is_grad_enabled()):
            return self._observe(target, x_feat)
        arguments: tuple[Any, ...] = (self._observe, target, x_feat)
        return checkpoint(*arguments, use_reentrant=False, preserve_rng_state=False)

    def _observe(self, target: Target, x_feat: Features) -> tuple[Peaks, Tensor]:
        return step.observe(target, x_feat, self.numbers, self.config, self._fixed, CLOSED_FORM)

    def _middle(self, x_feat: Features) -> dict[str, Tensor]:
        """Features of the exemplar window in the middle of a search window.

        Without padding in the network they are a part of the search window's: both sides differ
        by a multiple of the strides, so nothing has to be embedded for them.
        """
        crop = self.config.crop
        cut = (crop.search_size - crop.exemplar_size) // (2 * self.backbone.stride)
        return {layer: item[..., cut:-cut, cut:-cut].contiguous() for layer, item in x_feat.items()}

    def _background(
        self, target: Target, rows: Tensor, x_feat: Features, peaks: Peaks
    ) -> Mapping[str, Pair]:
        """G and G x map of each layer; empty without W."""
        transform, size = self.config.transform, self.config.crop.search_size
        if not transform.suppression:
            return {}
        if transform.background == "search":
            sigma = transform.saliency_sigma * size
            region = {layer: item[:, 0] for layer, item in x_feat.items()}
            return bright(region, peaks, self.backbone.stride, self.backbone.levels, sigma)
        pixels, _ = cut_windows(rows, target.center, size, target.fill)
        highlighted = (pixels * self._fixed.saliency[..., None]).round().to(torch.uint8)
        both = self.embed(torch.cat([pixels, highlighted]))
        return {layer: Pair(*item.chunk(2)) for layer, item in both.items()}

    def _latest(self, target: Target, rows: Tensor, pairs: Mapping[str, Pair]) -> Features | None:
        """Features of O, the target window at the new position; None without V."""
        transform = self.config.transform
        if not (transform.variation or transform.replace_template):
            return None
        if pairs and transform.background != "search":
            return self._middle({layer: pair.source for layer, pair in pairs.items()})
        size = self.config.crop.exemplar_size
        return self.embed(cut_windows(rows, target.center, size, target.fill)[0])


def _one_scale(features: Features) -> dict[str, Tensor]:
    """Features (B, C, H, W) as those of one scale, (B, 1, C, H, W)."""
    return {layer: item[:, None] for layer, item in features.items()}
