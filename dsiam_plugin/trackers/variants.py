"""The variants of a first exemplar that a box head compares: zoomed and stretched crops."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from dsiam_plugin.core.boxes import VARIANTS


def wide_size(size: int) -> int:
    """Side of the crop, at an exemplar crop's scale, that holds all variants of ``size`` px."""
    reach = max(zoom * math.exp(abs(stretch) / 2) for zoom, stretch in VARIANTS)
    return size + 2 * math.ceil((reach - 1) * size / 2 + 1)


def exemplar_variants(wide: Tensor, size: int) -> Tensor:
    """Variants (N, K, 3, size, size) of exemplars, whole grey levels.

    Args:
        wide: Crops around the exemplars, of their scale, (N, 3, P, P) in [0, 255], with P from
            :func:`wide_size`.
        size: Side of an exemplar crop.
    """
    made = []
    for zoom, stretch in VARIANTS:
        rows, columns = (
            _interpolation(size, wide.shape[-1], zoom * math.exp(power)).to(wide)
            for power in (stretch / 2, -stretch / 2)
        )
        made.append(rows @ wide @ columns.T)
    return torch.stack(made, dim=1).round()


@lru_cache(maxsize=16)
def _interpolation(size: int, source: int, step: float) -> Tensor:
    """Linear interpolation along an axis, (size, source) float32: places ``step`` px apart."""
    places = step * (torch.arange(size, dtype=torch.float64) - (size - 1) / 2) + (source - 1) / 2
    return (1 - (places[:, None] - torch.arange(source)).abs()).clamp_min(0).float()
