"""V, W and the correlation of N targets at once; ``trackers.adaptation`` has the equations.

Features have targets first: templates (N, 1, C, h, w), search regions (N, S, C, h, w), and half
spectra (N, 1, C, h, w // 2 + 1), so that each target meets its own.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dsiam_plugin.config import TransformConfig
from dsiam_plugin.trackers.adaptation import windowed
from dsiam_plugin.trackers.fourier import apply_transform


def mix(spectra: Tensor, features: Tensor, rate: float, config: TransformConfig) -> Tensor:
    """``(1 - rate) x + rate R * (h x)`` (eq. 2); norms are kept a target."""
    moved = apply_transform(spectra, windowed(features, config))
    if config.keep_norm:
        tiny = torch.finfo(moved.dtype).tiny
        moved = moved * (_norms(features) / _norms(moved).clamp_min(tiny))
    return torch.lerp(features, moved, rate)


def highlight(features: Tensor, dx: Tensor, dy: Tensor, sigma: float) -> Tensor:
    """Features (N, 1, C, h, w) times a Gaussian around each target.

    Args:
        features: Of the search regions.
        dx: Displacement of each target from its region's middle, in cells, (N,).
        dy: The same downwards.
        sigma: Deviation, in cells.
    """
    rows, columns = _bells(features.shape[-2], dy, sigma), _bells(features.shape[-1], dx, sigma)
    return features * (rows[:, :, None] * columns[:, None, :])[:, None, None]


def correlate(z_feat: Tensor, x_feat: Tensor) -> Tensor:
    """Valid cross-correlation of each target's exemplar with its own search regions (eq. 1).

    One matrix product gives the inner products of all pairs of cells; a response sums those on
    the diagonals.

    Args:
        z_feat: (N, 1, C, h, w).
        x_feat: (N, S, C, H, W).

    Returns:
        (N, S, H - h + 1, W - w + 1).
    """
    count, scales, _, height, width = x_feat.shape
    rows, columns = z_feat.shape[-2:]
    # (N, 1, h w, C) x (N, S, C, H W) -> (N, S, h w, H W)
    products = z_feat.flatten(3).transpose(2, 3) @ x_feat.flatten(3)
    products = products.contiguous()
    area = height * width
    step = (scales * rows * columns * area, rows * columns * area, width, 1)
    shape = (count, scales, height - rows + 1, width - columns + 1, rows, columns)
    # One row of the exemplar further is `columns` rows of the product and one row of the region.
    pairs = products.as_strided(shape, (*step, columns * area + width, area + 1))
    return pairs.sum(dim=(4, 5))


def _bells(size: int, center: Tensor, sigma: float) -> Tensor:
    """Gaussians over ``size`` cells, (N, size), their tops ``center`` cells beside the middle."""
    cells = torch.arange(size, device=center.device) - (size - 1) / 2
    return torch.exp(-(cells - center[:, None]).square() / (2 * sigma**2))


def _norms(features: Tensor) -> Tensor:
    """Norm over all of a target's features, (N, 1, 1, 1, 1)."""
    return torch.linalg.vector_norm(features, dim=(1, 2, 3, 4), keepdim=True)
