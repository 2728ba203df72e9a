"""The transforms V (target appearance) and W (background suppression) (paper, sec. 3.2).

A transform is a circular filter for each channel, learnt in closed form from one pair of features
and kept as a half spectrum. Features are (N, ..., C, H, W); each target meets its own filter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from dsiam_plugin.config import TransformConfig
from dsiam_plugin.core.spectra import COMPLEX, Spectra
from dsiam_plugin.core.state import Features, Peaks
from dsiam_plugin.errors import ShapeError

NEGLIGIBLE = 1e-12  # a norm below this share of the features' own is that of no features


class Pair(NamedTuple):
    """What a transform learns from.

    Attributes:
        source: Features, (N, C, H, W).
        target: What they are to become, same shape.
        source_hat: Half spectra of the windowed source, if they are known.
    """

    source: Tensor
    target: Tensor
    source_hat: Tensor | None = None


def learn(
    pair: Pair,
    regularizer: Tensor | float,
    config: TransformConfig,
    spectra: Spectra = COMPLEX,
) -> Tensor:
    """Half spectra of the filters from source to target (eq. 6, 8).

    Args:
        pair: Source and target.
        regularizer: Ridge weight lambda, >= 0.
        config: Window, and what the ridge weight is measured in.
        spectra: Form of the result.

    Raises:
        ShapeError: If the two differ in shape.
    """
    source, target, source_hat = pair
    if source.shape != target.shape:
        raise ShapeError(
            f"transform: source is {tuple(source.shape)}, target is {tuple(target.shape)}; "
            "expected equal shapes"
        )
    weight = ridge(regularizer, source, config)
    if source_hat is not None:
        return spectra.solve(source_hat, spectra.forward(windowed(target, config)), weight)
    return spectra.learn(windowed(source, config), windowed(target, config), weight)


def mix(
    spectrum: Tensor,
    features: Tensor,
    rate: Tensor | float,
    config: TransformConfig,
    spectra: Spectra = COMPLEX,
    features_hat: Tensor | None = None,
) -> Tensor:
    """Features ``(1 - rate) x + rate R * (h x)`` (eq. 2).

    Args:
        spectrum: Half spectra of R, that broadcast over the features'.
        features: x, (N, ..., C, H, W).
        rate: In [0, 1], one or broadcast over the features.
        config: Window h, and whether R * (h x) is brought to each target's norm of x.
        spectra: Form of ``spectrum``.
        features_hat: Half spectra of h x, if they are known.
    """
    if features_hat is None:
        features_hat = spectra.forward(windowed(features, config))
    size = (features.shape[-2], features.shape[-1])
    moved = spectra.inverse(spectra.times(spectrum, features_hat), size)
    if config.keep_norm:
        own = _norm(features)
        smallest = torch.finfo(moved.dtype).tiny
        moved = moved * (own / (_norm(moved) + NEGLIGIBLE * own).clamp_min(smallest))
    weight = rate.to(features.dtype) if isinstance(rate, Tensor) else rate
    return torch.lerp(features, moved, weight)


def analyse(
    x_feat: Features, config: TransformConfig, spectra: Spectra = COMPLEX
) -> dict[str, Tensor]:
    """Half spectra of every layer's windowed features, which W is applied to and learnt from."""
    return {layer: spectra.forward(windowed(item, config)) for layer, item in x_feat.items()}


def bright(
    region: Features,
    peaks: Peaks,
    stride: float,
    levels: Mapping[str, float],
    sigma: float,
    region_hat: Features | None = None,
) -> dict[str, Pair]:
    """Pairs (G, G x map) that W learns from, of the winning search windows themselves.

    The Gaussian map around the target is laid over the features instead of the pixels, in each
    layer's own cells, so nothing is embedded for it.

    Args:
        region: Features of the winning search windows, (N, C, H, W) a layer.
        peaks: Where the targets are.
        stride: Px of the search crop between neighbouring cells of the response.
        levels: Px of the search crop between neighbouring cells of each layer.
        sigma: Deviation of the map, px of the search crop.
        region_hat: :func:`analyse` of the features, if it is known.
    """
    pairs = {}
    for layer, item in region.items():
        cell = levels[layer]
        rows = _bells(item.shape[-2], peaks.dy * stride / cell, sigma / cell)
        columns = _bells(item.shape[-1], peaks.dx * stride / cell, sigma / cell)
        highlighted = item * (rows[:, :, None] * columns[:, None, :])[:, None]
        pairs[layer] = Pair(item, highlighted, region_hat[layer] if region_hat else None)
    return pairs


def windowed(features: Tensor, config: TransformConfig) -> Tensor:
    """``h x``: features (..., H, W), as the transforms are to see them."""
    if not config.window:
        return features
    # Made on the device: a copy from the host cannot be part of a recorded CUDA graph.
    return features * hann_window(features.shape[-1], features.dtype, features.device)


def ridge(regularizer: Tensor | float, features: Tensor, config: TransformConfig) -> Tensor | float:
    """Ridge weight against the unnormalised powers of features (..., H, W)."""
    cells = features.shape[-2] * features.shape[-1]
    return regularizer * cells if config.per_element else regularizer


def hann_window(
    size: int, dtype: torch.dtype = torch.float32, device: torch.device | None = None
) -> Tensor:
    """Outer product of two symmetric Hann windows, (size, size), in [0, 1]; its border is zero."""
    window = torch.hann_window(size, periodic=False, dtype=torch.float64, device=device)
    return torch.outer(window, window).to(dtype)


def saliency_map(size: int, config: TransformConfig) -> Tensor:
    """Weight map on the pixels of G, (size, size) float32, at most 1.

    ``release`` is ``Hamming x Hann^T x exp(-r^2 / 2 (127 * 100)^2)``, whose last factor is all but
    one, divided by its maximum; ``gaussian`` is the paper's.
    """
    offset = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    rows = columns = torch.ones(size, dtype=torch.float64)
    sigma = config.saliency_sigma * size
    if config.saliency == "release":
        rows = torch.hamming_window(size, periodic=False, dtype=torch.float64)
        columns = torch.hann_window(size, periodic=False, dtype=torch.float64)
        sigma = 127 * 100
    bell = torch.exp(-offset.square() / (2 * sigma**2))
    weights = torch.outer(rows * bell, columns * bell)
    return (weights / weights.max()).float()


def _bells(size: int, center: Tensor, sigma: float) -> Tensor:
    """Gaussians over ``size`` cells, (N, size), their tops ``center`` cells beside the middle."""
    cells = torch.arange(size, device=center.device) - (size - 1) / 2
    return torch.exp(-(cells - center[:, None]).square() / (2 * sigma**2))


def _norm(features: Tensor) -> Tensor:
    """Norm over all of a target's features, (N, 1, ...)."""
    return torch.linalg.vector_norm(features, dim=tuple(range(1, features.ndim)), keepdim=True)
