"""The box head's side of the method: correlations by channel, and boxes out of its maps.

Where SiamFC asks three scales of one shape, a head that has learnt boxes tells one at every cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class BoxMaps(NamedTuple):
    """What a head says of every cell of N responses.

    Attributes:
        scores: Logits that the target is there, (N, m, m).
        sides: What left, top, right and bottom lie further out than those of the first frame's box
            laid on the cell, px of the search crop, (N, 4, m, m).
        quality: Logits of the box's overlap with the target, (N, m, m).
    """

    scores: Tensor
    sides: Tensor
    quality: Tensor


# From correlations by channel, features of the search windows and those of the first exemplars.
ReadBoxes = Callable[[Mapping[str, Tensor], Mapping[str, Tensor], Mapping[str, Tensor]], BoxMaps]


def correlate_channels(z_feat: Tensor, x_feat: Tensor) -> Tensor:
    """Valid cross-correlations of each channel of each target, (N, C, H - h + 1, W - w + 1).

    Args:
        z_feat: (N, C, h, w).
        x_feat: (N, C, H, W).
    """
    targets, channels, height, width = z_feat.shape
    kernels = z_feat.reshape(-1, 1, height, width)
    maps = x_feat.reshape(1, -1, *x_feat.shape[2:])
    return F.conv2d(maps, kernels, groups=targets * channels)[0].unflatten(0, (targets, channels))


def corners(maps: BoxMaps, size: Tensor, stride: float) -> Tensor:
    """Corners ``x1, y1, x2, y2`` (N, 4, m, m) of the boxes, px from the search crop's middle.

    Args:
        maps: Of the head.
        size: ``(w, h)`` of the first frame's box in px of the crop, (N, 2).
        stride: Px between neighbouring cells.
    """
    cells = maps.sides.shape[-1]
    places = (torch.arange(cells, device=size.device) - (cells - 1) / 2) * stride
    x, y = places.expand(cells, cells), places[:, None].expand(cells, cells)
    half = (size / 2)[:, :, None, None]
    left_top = torch.stack([x, y]) - half - maps.sides[:, :2]
    return torch.cat([left_top, torch.stack([x, y]) + half + maps.sides[:, 2:]], dim=1)
