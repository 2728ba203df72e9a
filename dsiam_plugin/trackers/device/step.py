"""One frame of N targets as tensor operations alone: what a CUDA graph can record.

The mathematics is that of ``DSiamTracker.step``. Where that one decides
with ``if``, here both outcomes are computed and a mask takes one: the host never waits for a value
of the device. Only settings, the same for all frames, are branched on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from dsiam_plugin.config import TrackerConfig, TransformConfig, of_layer
from dsiam_plugin.models.network import SiameseNet
from dsiam_plugin.trackers.adaptation import learn_transform, saliency_map
from dsiam_plugin.trackers.device import transforms
from dsiam_plugin.trackers.device.crops import Windows, context_sides, sample, windows_around
from dsiam_plugin.trackers.device.motion import (
    Motion,
    Peaks,
    chosen,
    displaced,
    is_lost,
    is_trusted,
    own_search_side,
    recentered,
    resized,
    results,
)
from dsiam_plugin.trackers.device.state import TensorState
from dsiam_plugin.trackers.localize import cosine_window, locate, peak_shapes

Features = Mapping[str, Tensor]


class Constants(NamedTuple):
    """What is the same for all targets and frames.

    Attributes:
        config: The tracker's.
        scales: Search scales, (S,) float64.
        window: :func:`dsiam_plugin.trackers.localize.cosine_window` of the upsampled response.
        saliency: Map on background crops, (size, size).
    """

    config: TrackerConfig
    scales: Tensor
    window: Tensor
    saliency: Tensor


class Scene(NamedTuple):
    """A frame, and what it takes to cut and embed crops of it.

    Attributes:
        images: (B, 3, H, W) float32.
        fill: (N, 3).
        network: Embeds.
    """

    images: Tensor
    fill: Tensor
    network: SiameseNet

    def embed_windows(self, windows: Windows, size: int) -> dict[str, Tensor]:
        """Features (N, S, C_l, h_l, w_l) of windows."""
        return embed(self.network, sample(self.images, windows, self.fill, size))


def make_constants(config: TrackerConfig, network: SiameseNet) -> Constants:
    """The constants on the network's device."""
    tracking, device = config.tracking, network.device
    half = tracking.scales // 2
    powers = torch.arange(-half, half + 1, dtype=torch.float64)
    saliency = torch.from_numpy(saliency_map(config.crop.search_size, config.transform)[..., 0])
    return Constants(
        config,
        (tracking.scale_step**powers).to(device),
        cosine_window(network.response_size * tracking.upsample).to(device),
        saliency.to(device),
    )


def embed(network: SiameseNet, crops: Tensor) -> dict[str, Tensor]:
    """Features (N, S, C_l, h_l, w_l) float32 of crops (N, S, 3, size, size)."""
    flat = crops.flatten(0, 1).to(network.dtype, memory_format=torch.channels_last)
    levels = network.backbone(flat)
    return {
        # The Fourier transforms need float32 and planes of their own.
        layer: levels[layer]
        .to(torch.float32, memory_format=torch.contiguous_format)
        .unflatten(0, crops.shape[:2])
        for layer in network.layers
    }


def device_start(
    images: Tensor, boxes: Tensor, fill: Tensor, network: SiameseNet, constants: Constants
) -> TensorState:
    """States of N new targets.

    Args:
        images: (B, H, W, 3) uint8 RGB, B one or N.
        boxes: Centre and size ``(cx, cy, w, h)``, (N, 4) float64.
        fill: Colour beyond the border, (N, 3) float32.
        network: Embeds and correlates.
        constants: :func:`make_constants`.
    """
    config = constants.config
    crop, center, size = config.crop, boxes[:, :2], boxes[:, 2:]
    scene = Scene(_planes(images), fill.round(), network)
    exemplar_side = context_sides(size, crop.context)[:, None]
    search_side = own_search_side(size, crop)
    exemplar = scene.embed_windows(windows_around(center, exemplar_side), crop.exemplar_size)
    search = scene.embed_windows(windows_around(center, search_side[:, None]), crop.search_size)
    off = torch.zeros_like(search_side)
    state = TensorState(
        image_size=(images.shape[1], images.shape[2]),
        fill=scene.fill,
        first_search_side=search_side,
        first_height=off.float(),
        exemplar=exemplar,
        calibrations={},
        motion=Motion(center, size, search_side, off, off, off).packed(),
        template=exemplar,
        target_mean=exemplar,
        suppression=_no_spectra(search) if config.transform.suppression else {},
    )
    responses = _responses(network, exemplar, search)
    if config.fusion.balance:
        units = {layer: _unit_heights(item[:, 0]) for layer, item in responses.items()}
        state = replace(state, calibrations=units)
    fused = network.fuse(_calibrated(responses, state.calibrations))
    return replace(state, first_height=peak_shapes(fused[:, 0])[0])


def device_step(
    images: Tensor, state: TensorState, network: SiameseNet, constants: Constants
) -> tuple[TensorState, Tensor]:
    """States and results of the next frame.

    Args:
        images: (B, H, W, 3) uint8 RGB, B one or N, of the state's size.
        state: N targets; not changed.
        network: Embeds and correlates.
        constants: :func:`make_constants`.

    Returns:
        The new state, and (N, 6) float64: the box ``x, y, w, h``, the score, and lost (0 or 1).
    """
    config, before = constants.config, Motion.unpacked(state.motion)
    transform, crop = config.transform, config.crop
    gated = transform.gate and transform.adaptive
    scene = Scene(_planes(images), state.fill, network)
    windows = windows_around(before.center, before.search_side[:, None] * constants.scales)
    x_feat = scene.embed_windows(windows, crop.search_size)
    peaks = _found(state, before.suppressing, x_feat, network, constants)
    lost = is_lost(peaks, state.first_height, config.tracking)
    center = displaced(windows, peaks, network.stride, crop)
    motion = before._replace(center=center, lost=lost)
    if transform.recenter:
        motion = recentered(motion, state.image_size)
    learns = is_trusted(peaks, state.first_height, transform)
    frozen = lost if gated else torch.zeros_like(lost)
    if gated:
        own = own_search_side(motion.target_size, crop)
        recovered = before.lost & ~lost
        motion = motion._replace(search_side=torch.where(recovered, own, motion.search_side))
        learns = learns & ~lost
    if transform.variation or transform.replace_template:
        state = _with_variation(state, motion, scene, learns, config)
    if transform.suppression:
        background = _background(motion, x_feat, windows, peaks, scene, constants)
        state = _with_suppression(state, background, learns, transform)
        motion = motion._replace(suppressing=(motion.suppressing | learns) & ~frozen)
    if gated:
        state = replace(state, template=_where(lost, state.exemplar, state.template))
    factor = 1 + config.tracking.scale_damping * (constants.scales[peaks.scale] - 1)
    motion = resized(motion, factor, frozen, state.first_search_side, config)
    return replace(state, motion=motion.packed()), results(motion, peaks.score)


def _found(
    state: TensorState,
    suppressing: Tensor,
    x_feat: Features,
    network: SiameseNet,
    constants: Constants,
) -> Peaks:
    """Peaks of search features (N, S, C_l, h_l, w_l); W is on where ``suppressing`` (N,)."""
    transform = constants.config.transform
    seen = x_feat
    if transform.suppression:
        suppressed = {
            layer: transforms.mix(
                state.suppression[layer], item, of_layer(transform.rate_w, layer), transform
            )
            for layer, item in x_feat.items()
        }
        seen = _where(suppressing, suppressed, x_feat)
    response = deciding = _fused(state, state.template, seen, network)
    if transform.anchor_scale and transform.adaptive:
        # The first exemplar's own response: neither V nor W applied.
        deciding = (response + _fused(state, state.exemplar, x_feat, network)) / 2
    return Peaks.unpacked(locate(response, deciding, constants.config.tracking, constants.window))


def _with_variation(
    state: TensorState, motion: Motion, scene: Scene, learns: Tensor, config: TrackerConfig
) -> TensorState:
    """V learnt on the targets just found, where ``learns`` (N,)."""
    transform, crop = config.transform, config.crop
    sides = context_sides(motion.target_size, crop.context)[:, None]
    latest = scene.embed_windows(windows_around(motion.center, sides), crop.exemplar_size)
    mean = {
        layer: torch.lerp(latest[layer], item, transform.memory)
        for layer, item in state.target_mean.items()
    }
    template = mean
    if not transform.replace_template:
        template = {
            layer: transforms.mix(
                learn_transform(
                    source, mean[layer], of_layer(transform.lambda_v, layer), transform
                ),
                source,
                of_layer(transform.rate_v, layer),
                transform,
            )
            for layer, source in state.exemplar.items()
        }
    return replace(
        state,
        target_mean=_where(learns, mean, state.target_mean),
        template=_where(learns, template, state.template),
    )


def _background(
    motion: Motion,
    x_feat: Features,
    windows: Windows,
    peaks: Peaks,
    scene: Scene,
    constants: Constants,
) -> dict[str, tuple[Tensor, Tensor]]:
    """Features of G and of G x saliency, (N, 1, C_l, h_l, w_l) each."""
    transform, size = constants.config.transform, constants.config.crop.search_size
    network = scene.network
    if transform.background == "search":
        pairs = {}
        for layer, item in x_feat.items():
            cells = network.stride / network.backbone.levels[layer]
            sigma = transform.saliency_sigma * size / network.backbone.levels[layer]
            region = chosen(item, peaks.scale)[:, None]
            bright = transforms.highlight(region, peaks.dx * cells, peaks.dy * cells, sigma)
            pairs[layer] = (region, bright)
        return pairs
    at_scale = transform.background == "crop_at_scale"
    side = chosen(windows.side, peaks.scale) if at_scale else motion.search_side
    around = windows_around(motion.center, side[:, None])
    region = sample(scene.images, around, scene.fill, size)
    both = torch.cat([region, (region * constants.saliency).round()], dim=1)
    return {layer: (item[:, :1], item[:, 1:]) for layer, item in embed(network, both).items()}


def _with_suppression(
    state: TensorState,
    background: Mapping[str, tuple[Tensor, Tensor]],
    learns: Tensor,
    transform: TransformConfig,
) -> TensorState:
    """W learnt from the pairs (G, G x saliency), where ``learns`` (N,)."""
    spectra = {
        layer: learn_transform(*pair, of_layer(transform.lambda_w, layer), transform)
        for layer, pair in background.items()
    }
    return replace(state, suppression=_where(learns, spectra, state.suppression))


def _fused(state: TensorState, z_feat: Features, x_feat: Features, network: SiameseNet) -> Tensor:
    """Fused responses (N, S, m, m) in the states' units."""
    return network.fuse(_calibrated(_responses(network, z_feat, x_feat), state.calibrations))


def _responses(network: SiameseNet, z_feat: Features, x_feat: Features) -> dict[str, Tensor]:
    """Responses (N, S, m, m) of each layer, all of the finest layer's size."""
    return network.align(
        {layer: transforms.correlate(z_feat[layer], x_feat[layer]) for layer in network.layers}
    )


def _calibrated(responses: Features, calibrations: Features) -> Features:
    if not calibrations:
        return responses
    return {
        layer: item * calibrations[layer][:, 0, None, None, None]
        + calibrations[layer][:, 1, None, None, None]
        for layer, item in responses.items()
    }


def _unit_heights(responses: Tensor) -> Tensor:
    """Scale and offset (N, 2) that map each peak to one and its background to zero."""
    height, _ = peak_shapes(responses)
    background = responses.flatten(1).median(dim=1).values
    scale = torch.where(height > 0, 1 / height, 1.0)  # a flat first response has no unit
    return torch.stack([scale, -background * scale], dim=1)


def _no_spectra(search: Features) -> dict[str, Tensor]:
    """Half spectra of zeros for search features (N, 1, C, h, w)."""
    return {layer: torch.zeros_like(torch.fft.rfft2(item)) for layer, item in search.items()}


def _planes(images: Tensor) -> Tensor:
    """(B, H, W, 3) uint8 as (B, 3, H, W) float32."""
    return images.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)


def _where(mask: Tensor, chosen_ones: Features, others: Features) -> dict[str, Tensor]:
    """For each target (N,) one of two sets of features."""
    return {
        layer: torch.where(mask.view(-1, *[1] * (item.ndim - 1)), item, others[layer])
        for layer, item in chosen_ones.items()
    }
