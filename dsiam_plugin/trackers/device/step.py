"""One frame of N targets as tensor operations alone: what a CUDA graph can record.

Where the host decides with ``if``, here both outcomes are computed and a mask takes one: the host
never waits for a value of the device. Only settings, the same for all frames, are branched on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.core import rules, step
from dsiam_plugin.core.response import Fixed, fixed
from dsiam_plugin.core.spectra import COMPLEX
from dsiam_plugin.core.state import Features, Numbers, Peaks, Target, Windows, take, winning
from dsiam_plugin.core.transforms import Pair, analyse, bright
from dsiam_plugin.models.network import SiameseNet
from dsiam_plugin.trackers.device.crops import sample, windows_around
from dsiam_plugin.trackers.device.embedding import Embedding, make_embedding
from dsiam_plugin.trackers.state import TrackerState
from dsiam_plugin.trackers.variants import exemplar_variants, wide_size


class Constants(NamedTuple):
    """What is the same for all targets and frames.

    Attributes:
        config: The tracker's.
        embedding: Embeds, with a network.
        numbers: Of the configuration.
        fixed: Of the configuration, on the network's device.
    """

    config: TrackerConfig
    embedding: Embedding
    numbers: Numbers
    fixed: Fixed


class Scene(NamedTuple):
    """A frame, and what it takes to cut and embed crops of it.

    Attributes:
        images: (B, H, W, 3) uint8.
        fill: (N, 3).
        embedding: Embeds.
    """

    images: Tensor
    fill: Tensor
    embedding: Embedding

    def embed_windows(self, windows: Windows, size: int) -> dict[str, Tensor]:
        """Features (N, S, C, h, w) of windows."""
        return self.embedding.windows(self.images, windows, self.fill, size)


def make_constants(config: TrackerConfig, network: SiameseNet, kernels: bool = True) -> Constants:
    """The constants on the network's device, with kernels of our own where they may and can be."""
    constants = fixed(config, network.response_size, network.device)
    embedding = make_embedding(network, kernels)
    return Constants(config, embedding, network.numbers(config), constants)


def device_start(images: Tensor, boxes: Tensor, fill: Tensor, constants: Constants) -> TrackerState:
    """State of N new targets.

    Args:
        images: (B, H, W, 3) uint8 RGB, B one or N.
        boxes: Centre and size ``(cx, cy, w, h)``, (N, 4) float64.
        fill: Colour beyond the border, (N, 3) float32.
        constants: :func:`make_constants`.
    """
    config = constants.config
    center, size, fill = boxes[:, :2], boxes[:, 2:], fill.round()
    scene = Scene(images, fill, constants.embedding)
    exemplars = _exemplars(scene, center, size, config)
    target = step.first_target(center, size, fill, exemplars, config.crop)
    search = windows_around(center, target.side[:, None])
    x_feat = scene.embed_windows(search, config.crop.search_size)
    target = step.measure(target, x_feat, constants.numbers, config)
    if config.transform.suppression:  # a recorded step has a fixed set of tensors
        spectra = {layer: COMPLEX.forward(item[:, 0]) for layer, item in x_feat.items()}
        none = {layer: torch.zeros_like(item) for layer, item in spectra.items()}
        target = target._replace(suppression=none)
    return TrackerState((images.shape[1], images.shape[2]), target)


def device_step(
    images: Tensor, state: TrackerState, constants: Constants
) -> tuple[TrackerState, Tensor]:
    """State and results of the next frame.

    Args:
        images: (B, H, W, 3) uint8 RGB, B one or N, of the state's size.
        state: N targets; not changed.
        constants: :func:`make_constants`.

    Returns:
        The new state, and (N, 6) float64: the box ``x, y, w, h``, the score, and lost (0 or 1).
    """
    config, embedding, numbers, constant = constants
    transform, target = config.transform, state.target
    scene = Scene(images, target.fill, embedding)
    windows = windows_around(target.center, target.side[:, None] * constant.scales)
    x_feat = scene.embed_windows(windows, config.crop.search_size)
    x_hat = analyse(x_feat, transform) if transform.suppression else None
    peaks, _ = step.observe(target, x_feat, numbers, config, constant, x_hat=x_hat)
    verdict = rules.judge(target, peaks, config)
    place = (windows, embedding.network.stride, state.image_size)
    target = rules.move(target, peaks, verdict, *place, config)
    latest = pairs = None
    if transform.variation or transform.replace_template:
        latest = _latest(scene, target.center, target.size, config)
    if x_hat is not None:
        pairs = _background(target, (x_feat, x_hat), windows, peaks, scene, constants)
    target = step.adapt(target, latest, pairs, verdict.learns, numbers, config)
    target = rules.settle(target, peaks, verdict, constant, config)
    facts = torch.stack([peaks.score.double(), target.lost.double()], dim=1)
    return TrackerState(state.image_size, target), torch.cat([rules.boxes(target), facts], dim=1)


def _latest(scene: Scene, center: Tensor, size: Tensor, config: TrackerConfig) -> Features:
    """Features (N, C, h, w) of the targets' own crops."""
    sides = rules.context_side(size, config.crop.context)[:, None]
    windows = windows_around(center, sides)
    features = scene.embed_windows(windows, config.crop.exemplar_size)
    return {layer: item[:, 0] for layer, item in features.items()}


def _exemplars(scene: Scene, center: Tensor, size: Tensor, config: TrackerConfig) -> Features:
    """Features (N, 1 + K, C, h, w) of the targets' first crops and, for a box head, variants."""
    latest = {k: v[:, None] for k, v in _latest(scene, center, size, config).items()}
    if not config.model.box_head:
        return latest
    crop = config.crop
    wide = wide_size(crop.exemplar_size)
    side = rules.context_side(size, crop.context) * wide / crop.exemplar_size
    windows = windows_around(center, side[:, None])
    pixels = sample(scene.images, windows, scene.fill, wide)[:, 0]
    made = scene.embedding.crops(exemplar_variants(pixels, crop.exemplar_size))
    return {layer: torch.cat([item, made[layer]], dim=1) for layer, item in latest.items()}


def _background(
    target: Target,
    seen: tuple[Features, Features],
    windows: Windows,
    peaks: Peaks,
    scene: Scene,
    constants: Constants,
) -> Mapping[str, Pair]:
    """G and G x map of every layer, from the search windows' features and spectra or cut anew."""
    transform, size = constants.config.transform, constants.config.crop.search_size
    embedding = scene.embedding
    network = embedding.network
    if transform.background == "search":
        sigma = transform.saliency_sigma * size
        region, region_hat = (winning(features, peaks) for features in seen)
        return bright(region, peaks, network.stride, network.backbone.levels, sigma, region_hat)
    at_scale = transform.background == "crop_at_scale"
    side = take(windows.side, peaks.scale) if at_scale else target.side
    pixels = sample(scene.images, windows_around(target.center, side[:, None]), scene.fill, size)
    both = torch.cat([pixels, (pixels * constants.fixed.saliency).round()], dim=1)
    return {layer: Pair(item[:, 0], item[:, 1]) for layer, item in embedding.crops(both).items()}
