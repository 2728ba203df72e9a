"""The search region of a frame: correlated under W and learnt from, by one Fourier transform each.

W is never applied to the features. Correlating an exemplar z with R * x is correlating x with the
exemplar that the adjoint of R has spread over the whole circular map, and in the Fourier domain
both are products, so the spectra of x that W is learnt from also give the responses:

    z . ((1 - rate) x + rate R * x)  ->  conj(Z) ((1 - rate) + rate R) X, summed over channels

Shapes: S scales, K exemplars, C channels, (H, W) and (h, w) sizes of region and exemplar.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import torch
from torch import Tensor

from dsiam_plugin.config import TransformConfig, of_layer
from dsiam_plugin.models.layers import cross_correlate
from dsiam_plugin.trackers.adaptation import ridge, windowed
from dsiam_plugin.trackers.fourier import (
    correlate_spectra,
    padded_spectra,
    solve_spectra,
    spectral_energy,
)

Features = Mapping[str, Tensor]


class SearchRegion:
    """Features of one target's search crops; their spectra are computed when first asked for.

    Args:
        features: Per layer (S, C, H, W).
        config: Of the transforms.
    """

    def __init__(self, features: Features, config: TransformConfig):
        self.features = features
        self.config = config

    @cached_property
    def spectra(self) -> dict[str, Tensor]:
        """Half spectra (S, C, H, W // 2 + 1) a layer of the features, windowed as W sees them."""
        return {
            layer: torch.fft.rfft2(windowed(item, self.config))
            for layer, item in self.features.items()
        }

    def suppressed_responses(self, exemplars: Features, suppression: Features) -> dict[str, Tensor]:
        """Responses (S, K, H - h + 1, W - w + 1) a layer.

        Args:
            exemplars: Per layer (K, C, h, w). The first meets the region under W, others as it is.
            suppression: Half spectra of W, (1, C, H, W // 2 + 1) a layer.
        """
        return {
            layer: self._suppressed_response(layer, item, suppression[layer])
            for layer, item in exemplars.items()
        }

    def learn_suppression(self, scale: int, highlighted: Features) -> dict[str, Tensor]:
        """Half spectra of W (eq. 8), with G the region at one scale as it is.

        Args:
            scale: Index of the scale.
            highlighted: G x saliency, (1, C, H, W) a layer.
        """
        config = self.config
        return {
            layer: solve_spectra(
                self.spectra[layer][scale : scale + 1],
                torch.fft.rfft2(windowed(item, config)),
                ridge(of_layer(config.lambda_w, layer), item, config),
            )
            for layer, item in highlighted.items()
        }

    def _suppressed_response(self, layer: str, exemplars: Tensor, spectrum: Tensor) -> Tensor:
        features, rate = self.features[layer], of_layer(self.config.rate_w, layer)
        size = features.shape[-2:]
        if self.config.keep_norm:
            spectrum = spectrum * self._kept_norm(layer, spectrum)
        if not self.config.window:
            z_hat = padded_spectra(exemplars, size)
            z_hat[:1] *= ((1 - rate) + rate * spectrum).conj()
            return correlate_spectra(z_hat, self.spectra[layer], size, exemplars.shape[-2:])
        # The share that W leaves alone is not windowed, so the two have no spectrum in common.
        responses = cross_correlate(exemplars, features)
        z_hat = padded_spectra(exemplars[:1], size) * spectrum.conj()
        moved = correlate_spectra(z_hat, self.spectra[layer], size, exemplars.shape[-2:])
        responses[:, :1] = torch.lerp(responses[:, :1], moved, rate)
        return responses

    def _kept_norm(self, layer: str, spectrum: Tensor) -> Tensor:
        """Factor that gives R * (h x) the norm of x."""
        x_hat, features = self.spectra[layer], self.features[layer]
        height, width = features.shape[-2:]
        power = (x_hat.real.square() + x_hat.imag.square()).sum(0, keepdim=True)
        gain = spectrum.real.square() + spectrum.imag.square()
        moved = spectral_energy(gain * power, width).clamp_min(torch.finfo(power.dtype).tiny)
        if self.config.window:  # the spectra are those of h x
            return (features.square().sum() * (height * width) / moved).sqrt()
        return (spectral_energy(power, width) / moved).sqrt()
