"""One frame of the tracker for a batch of clips, as a function that can be differentiated.

It repeats ``host.DSiamTracker`` at one scale, decision by decision: positions,
trust and loss are numbers without a gradient, features and what is learnt from them carry it from
frame to frame. Shapes as in ``models.network``, with B clips in place of scales; m cells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.models.layers import resize_response
from dsiam_plugin.trackers.adaptation import saliency_map
from dsiam_plugin.trackers.localize import cosine_window, peak_shape
from dsiam_plugin.training.joint.clip_state import ClipState, Features, Seen
from dsiam_plugin.training.joint.crop_layer import (
    Sightings,
    bounded,
    cut_windows,
    find_peaks,
    target_maps,
)
from dsiam_plugin.training.joint.learnables import Learnables
from dsiam_plugin.training.joint.spectral import learn_transform, mix_transform


@dataclass(frozen=True)
class Unroller:
    """The tracker's steps for B clips at a time.

    Attributes:
        config: The tracker; its scales are ignored.
        learnables: Numbers in place of the configuration's.
        embed: Features of windows (B, size, size, 3) uint8, float32 a layer.
        stride: Pixels between neighbouring cells of the response.
        max_excursion: Largest distance in px of a position from the annotated one.
    """

    config: TrackerConfig
    learnables: Learnables
    embed: Callable[[Tensor], dict[str, Tensor]]
    stride: int
    max_excursion: float

    def start(self, rows: Tensor, centers: Tensor, fill: Tensor) -> ClipState:
        """State after the first frame, ``DSiamTracker.start``.

        Args:
            rows: (B, S, S, 3) uint8, the first frame.
            centers: (B, 2) where the target is.
            fill: (B, 3) uint8 colour beyond the rows.
        """
        x_feat = self.embed(cut_windows(rows, centers, self._search_size, fill).pixels)
        exemplar = self._middle(x_feat)
        responses = self._correlate(exemplar, x_feat)
        units = {}
        if self.config.fusion.balance:
            units = {layer: _unit_height(item) for layer, item in responses.items()}
        fused = self._fuse(responses, units).detach().cpu().float()
        heights = torch.tensor([peak_shape(item)[0] for item in fused])
        suppressing = torch.zeros(len(rows), dtype=torch.bool, device=rows.device)
        return ClipState(centers, exemplar, exemplar, exemplar, None, suppressing, units, heights)

    def look(
        self, state: ClipState, rows: Tensor, annotated: Tensor, fill: Tensor, learn: bool
    ) -> tuple[ClipState, Seen]:
        """State and responses of the next frame, ``DSiamTracker.step``.

        Args:
            state: Of the frame before.
            rows: (B, S, S, 3) uint8, this frame.
            annotated: (B, 2) positions of the targets.
            fill: (B, 3) uint8 colour beyond the rows.
            learn: Learn V and W; the last frame need not.
        """
        search = cut_windows(rows, state.centers, self._search_size, fill)
        x_feat = self.embed(search.pixels)
        responses = self._fuse(
            self._correlate(state.template, self._suppressed(state, x_feat)), state.units
        )
        with torch.no_grad():
            plain = self._fuse(self._correlate(state.exemplar, x_feat), state.units)
        sightings, plain_sightings = self._find(responses), self._find(plain)
        seen = Seen(
            responses,
            plain,
            search.centers,
            sightings,
            plain_sightings,
            self._trusted(state, sightings),
        )
        moved = bounded(search.centers + sightings.offsets, annotated, self.max_excursion)
        state = state._replace(centers=moved)
        if learn:
            state = self._learn(state, rows, x_feat, seen, fill)
        return state, seen

    @property
    def _search_size(self) -> int:
        return self.config.crop.search_size

    def _middle(self, x_feat: Features) -> dict[str, Tensor]:
        """Features of the exemplar window in the middle of a search window.

        Without padding in the network they are a part of the search window's: both sides differ
        by a multiple of the strides, so nothing has to be embedded for them.
        """
        crop = self.config.crop
        cut = (crop.search_size - crop.exemplar_size) // (2 * self.stride)
        return {layer: item[..., cut:-cut, cut:-cut].contiguous() for layer, item in x_feat.items()}

    def _suppressed(self, state: ClipState, x_feat: Features) -> Features:
        if state.spectra is None:
            return x_feat
        rates = self.learnables.rate["w"]
        chosen = state.suppressing[:, None, None, None]
        return {
            layer: torch.where(
                chosen,
                mix_transform(state.spectra[layer], item, rates[layer](), self.config.transform),
                item,
            )
            for layer, item in x_feat.items()
        }

    def _correlate(self, z_feat: Features, x_feat: Features) -> dict[str, Tensor]:
        """Response of each layer, (B, m, m), each clip's exemplar with its own search (eq. 1)."""
        responses = {layer: correlate_each(z_feat[layer], x_feat[layer]) for layer in z_feat}
        size = max(item.shape[-1] for item in responses.values())
        return {
            layer: resize_response(item[:, None], size)[:, 0] for layer, item in responses.items()
        }

    def _fuse(self, responses: Features, units: Mapping[str, tuple[Tensor, Tensor]]) -> Tensor:
        """Fused and adjusted responses, (B, m, m) (eq. 9)."""
        total = None
        for layer, weights in self.learnables.fusion().items():
            response = responses[layer]
            if units:
                factor, offset = units[layer]
                response = response * factor + offset
            total = weights * response if total is None else total + weights * response
        return total * self.learnables.log_scale.exp() + self.learnables.bias

    def _find(self, responses: Tensor) -> Sightings:
        tracking = self.config.tracking
        window = cosine_window(responses.shape[-1] * tracking.upsample)
        return find_peaks(responses, tracking, window, self.stride)

    def _trusted(self, state: ClipState, seen: Sightings) -> Tensor:
        transform = self.config.transform
        sure = seen.heights >= transform.min_confidence * state.first_heights
        trusted = (seen.ambiguities <= transform.max_ambiguity) & sure
        return trusted & ~self._gated(state, seen)

    def _gated(self, state: ClipState, seen: Sightings) -> Tensor:
        """Clips whose target is lost while the gate acts on it, (B,) bool."""
        tracking = self.config.tracking
        if not self.config.transform.gate:
            return torch.zeros_like(seen.scores, dtype=torch.bool)
        lost = seen.heights < tracking.lost_height * state.first_heights
        if tracking.lost_below is not None:
            lost = lost | (seen.scores <= tracking.lost_below)
        return lost

    def _learn(
        self, state: ClipState, rows: Tensor, x_feat: Features, seen: Seen, fill: Tensor
    ) -> ClipState:
        """V and W of the clips that can be trusted; both off where the gate says lost."""
        transform, device = self.config.transform, rows.device
        trusted = seen.trusted.to(device)[:, None, None, None]
        lost = self._gated(state, seen.sightings).to(device)
        pairs = self._background(state, rows, x_feat, seen, fill)
        if transform.variation or transform.replace_template:
            latest = self._target(state, rows, pairs, fill)
            state = self._with_variation(state, latest, trusted, lost[:, None, None, None])
        if transform.suppression:
            state = self._with_suppression(state, pairs, trusted)
        return state._replace(suppressing=state.suppressing & ~lost)

    def _background(
        self, state: ClipState, rows: Tensor, x_feat: Features, seen: Seen, fill: Tensor
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """Features of G and of G x map of each layer; empty without W."""
        transform, size = self.config.transform, self._search_size
        if not transform.suppression:
            return {}
        if transform.background == "search":
            offsets, sigma = seen.sightings.offsets, transform.saliency_sigma * size
            return {
                layer: (
                    item,
                    item * target_maps(offsets, item.shape[-1], self.stride, sigma).to(item.device),
                )
                for layer, item in x_feat.items()
            }
        region = cut_windows(rows, state.centers, size, fill).pixels
        saliency = torch.from_numpy(saliency_map(size, transform)).to(region.device)
        highlighted = (region * saliency).round().to(torch.uint8)
        both = self.embed(torch.cat([region, highlighted]))
        return {layer: item.chunk(2) for layer, item in both.items()}

    def _target(
        self,
        state: ClipState,
        rows: Tensor,
        pairs: Mapping[str, tuple[Tensor, Tensor]],
        fill: Tensor,
    ) -> dict[str, Tensor]:
        """Features of O, the target window at the new position."""
        if pairs and self.config.transform.background != "search":
            return self._middle({layer: region for layer, (region, _) in pairs.items()})
        size = self.config.crop.exemplar_size
        return self.embed(cut_windows(rows, state.centers, size, fill).pixels)

    def _with_variation(
        self, state: ClipState, latest: Features, trusted: Tensor, lost: Tensor
    ) -> ClipState:
        memory = self.learnables.memory()
        means, templates = {}, {}
        for layer, item in latest.items():
            means[layer] = torch.where(
                trusted, torch.lerp(item, state.mean[layer], memory), state.mean[layer]
            )
            template = torch.where(
                trusted, self._varied(state, layer, means[layer]), state.template[layer]
            )
            templates[layer] = torch.where(lost, state.exemplar[layer], template)
        return state._replace(mean=means, template=templates)

    def _varied(self, state: ClipState, layer: str, mean: Tensor) -> Tensor:
        """The exemplar moved towards the target's present look (eq. 6, 2)."""
        transform = self.config.transform
        if transform.replace_template:
            return mean
        source = state.exemplar[layer]
        log_lambda = self.learnables.log_lambda["v"][layer]
        spectrum = learn_transform(source, mean, log_lambda, transform)
        return mix_transform(spectrum, source, self.learnables.rate["v"][layer](), transform)

    def _with_suppression(
        self, state: ClipState, pairs: Mapping[str, tuple[Tensor, Tensor]], trusted: Tensor
    ) -> ClipState:
        spectra = {}
        for layer, (region, highlighted) in pairs.items():
            log_lambda = self.learnables.log_lambda["w"][layer]
            spectrum = learn_transform(region, highlighted, log_lambda, self.config.transform)
            old = spectrum if state.spectra is None else state.spectra[layer]
            spectra[layer] = torch.where(trusted, spectrum, old)
        return state._replace(spectra=spectra, suppressing=state.suppressing | trusted.flatten())


def correlate_each(z_feat: Tensor, x_feat: Tensor) -> Tensor:
    """Cross-correlation of each exemplar with its own search region (eq. 1).

    Args:
        z_feat: (B, C, h, w).
        x_feat: (B, C, H, W).

    Returns:
        (B, H - h + 1, W - w + 1).
    """
    height, width = z_feat.shape[-2:]
    rows, columns = x_feat.shape[-2:]
    # One matrix product of all cells with all cells, (B, h w, H W): forward and backward it is ten
    # times as fast as a convolution with a group for each clip.
    products = torch.bmm(z_feat.flatten(2).transpose(1, 2), x_feat.flatten(2)).contiguous()
    cells = rows * columns
    # Response (y, x) sums the products of (i, j) with (y + i, x + j): a view of (B, h, w, m, m').
    shape = (len(z_feat), height, width, rows - height + 1, columns - width + 1)
    strides = (height * width * cells, width * cells + columns, cells + 1, columns, 1)
    return products.as_strided(shape, strides).sum(dim=(1, 2))


def _unit_height(responses: Tensor) -> tuple[Tensor, Tensor]:
    """Factor and offset, (B, 1, 1) each, that bring peaks to one and their background to zero."""
    cells = responses.flatten(1)
    background = cells.median(dim=1).values
    height = cells.amax(dim=1) - background
    # a flat first response has no unit
    factor = torch.where(height > 0, 1 / height.clamp_min(torch.finfo(height.dtype).tiny), 1.0)
    return factor[:, None, None], (-background * factor)[:, None, None]
