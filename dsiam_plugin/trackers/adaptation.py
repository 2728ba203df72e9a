"""What is learnt online: V on the exemplar and W on the search region (paper, sec. 3.2).

Functions of features and constants; the tracker decides when they run.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from dsiam_plugin.config import TransformConfig, of_layer
from dsiam_plugin.trackers.fourier import apply_transform, hann_window, solve_transform

Features = Mapping[str, Tensor]


def learn_transform(
    source: Tensor, target: Tensor, regularizer: float, config: TransformConfig
) -> Tensor:
    """Half spectra of the filters from source to target, both (..., C, H, W) (eq. 6, 8)."""
    return solve_transform(
        windowed(source, config), windowed(target, config), ridge(regularizer, source, config)
    )


def ridge(regularizer: float, features: Tensor, config: TransformConfig) -> float:
    """Weight against the unnormalised powers of features (..., H, W)."""
    return (
        regularizer * features.shape[-2] * features.shape[-1] if config.per_element else regularizer
    )


def windowed(features: Tensor, config: TransformConfig) -> Tensor:
    """``h x``: features (..., H, W), as the transforms are to see them."""
    if not config.window:
        return features
    # Made on the device: a copy from the host cannot be part of a recorded CUDA graph.
    return features * hann_window(features.shape[-1], features.dtype, features.device)


def mix_transform(
    spectrum: Tensor, features: Tensor, rate: float, config: TransformConfig
) -> Tensor:
    """``(1 - rate) x + rate R * (h x)`` for features x, (S, C, H, W) (eq. 2)."""
    moved = apply_transform(spectrum, windowed(features, config))
    if config.keep_norm:
        moved = moved * (features.norm() / moved.norm().clamp_min(torch.finfo(moved.dtype).tiny))
    return torch.lerp(features, moved, rate)


def update_mean(mean: Features, latest: Features, memory: float) -> dict[str, Tensor]:
    """Running mean of target features with decay ``memory``."""
    return {layer: torch.lerp(latest[layer], item, memory) for layer, item in mean.items()}


def learn_variation(
    exemplar: Features, target: Features, config: TransformConfig
) -> dict[str, Tensor]:
    """The exemplar moved towards the target's present look: V learnt (eq. 6) and applied."""
    if config.replace_template:
        return dict(target)
    return {
        layer: mix_transform(
            learn_transform(source, target[layer], of_layer(config.lambda_v, layer), config),
            source,
            of_layer(config.rate_v, layer),
            config,
        )
        for layer, source in exemplar.items()
    }


def learn_suppression(features: Features, config: TransformConfig) -> dict[str, Tensor]:
    """Spectra of W from the pair (G, G x saliency) of each layer, (2, C, H, W) (eq. 8)."""
    return {
        layer: learn_transform(pair[:1], pair[1:], of_layer(config.lambda_w, layer), config)
        for layer, pair in features.items()
    }


def highlight(
    features: Features, strides: Mapping[str, int], offset: tuple[float, float], sigma: float
) -> dict[str, Tensor]:
    """G x saliency of a search region that has been embedded already.

    The map is laid over the features instead of the pixels.

    Args:
        features: Per layer (1, C, H, W).
        strides: Per layer, pixels of the search crop between neighbouring cells.
        offset: Target's displacement ``(dx, dy)`` from the region's middle, in those pixels.
        sigma: Deviation of the Gaussian map, in those pixels.

    Returns:
        Per layer (1, C, H, W).
    """
    highlighted = {}
    for layer, item in features.items():
        dx, dy, deviation = (length / strides[layer] for length in (*offset, sigma))
        columns = _bell(item.shape[-1], dx, deviation)
        rows = _bell(item.shape[-2], dy, deviation)
        highlighted[layer] = item * torch.outer(rows, columns).to(item.device)
    return highlighted


def saliency_map(size: int, config: TransformConfig) -> np.ndarray:
    """Weight map on G, (size, size, 1) float32, at most 1.

    ``release`` is ``Hamming x Hann^T x exp(-r^2 / 2 (127 * 100)^2)``, whose last factor is all but
    one, divided by its maximum; ``gaussian`` is the paper's.
    """
    offset = np.arange(size) - (size - 1) / 2
    if config.saliency == "release":
        rows, columns = np.hamming(size), np.hanning(size)
        sigma = 127 * 100
    else:
        rows = columns = np.ones(size)
        sigma = config.saliency_sigma * size
    bell = np.exp(-(offset**2) / (2 * sigma**2))
    weights = np.outer(rows * bell, columns * bell)
    return (weights / weights.max()).astype(np.float32)[..., None]


def _bell(size: int, center: float, sigma: float) -> Tensor:
    """Gaussian over ``size`` cells, its top ``center`` cells beside their middle."""
    cells = torch.arange(size) - (size - 1) / 2 - center
    return torch.exp(-cells.square() / (2 * sigma**2))
