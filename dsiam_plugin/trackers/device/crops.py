"""Square crops of an image on the device, where ``crops.crop_square`` cuts them.

Windows lie on whole source pixels. Crop pixel i shows the window's ``(i + 1/2) side / size - 1/2``,
between the window's first and last pixel, and is rounded to a whole grey level.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from dsiam_plugin.core.state import Windows


def windows_around(center: Tensor, sides: Tensor) -> Windows:
    """Windows of about ``sides`` (N, S) around ``center`` (N, 2), moved to whole pixels."""
    side = (sides + 0.5).floor().clamp_min(1)
    reach = (side[..., None] - 1) / 2
    corner = (center[:, None] - reach + 0.5).floor()
    return Windows(corner + reach, side)


def sample(images: Tensor, windows: Windows, fill: Tensor, size: int) -> Tensor:
    """Cut and resize windows.

    Args:
        images: (B, H, W, 3) uint8, B one or N.
        windows: S of each target.
        fill: Colour beyond the border, whole grey levels, (N, 3) float32.
        size: Side of the crops.

    Returns:
        (N, S, 3, size, size) float32, whole grey levels.
    """
    count, scales = windows.side.shape
    height, width = images.shape[1:3]
    planes = images.permute(0, 3, 1, 2).float().contiguous()
    corner = windows.center - (windows.side[..., None] - 1) / 2
    xs = _positions(corner[..., 0], windows.side, size)
    ys = _positions(corner[..., 1], windows.side, size)
    shape = (count, scales, size, size)
    columns = ((2 * xs + 1) / width - 1).float()[:, :, None, :].expand(shape)
    rows = ((2 * ys + 1) / height - 1).float()[:, :, :, None].expand(shape)
    # All crops of an image one below the other: (B, S N / B size, size, 2)
    grid = torch.stack([columns, rows], dim=-1).view(len(images), -1, size, 2)
    seen = F.grid_sample(planes, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    seen = seen.view(len(images), 3, -1, size, size).transpose(1, 2)
    seen = seen.reshape(count, scales, 3, size, size)
    beyond = 1 - _share_inside(ys, height)[..., :, None] * _share_inside(xs, width)[..., None, :]
    return (seen + beyond[:, :, None].float() * fill[:, None, :, None, None]).round()


def _positions(corner: Tensor, side: Tensor, size: int) -> Tensor:
    """Source coordinate of each crop pixel along one axis, (N, S, size)."""
    steps = torch.arange(size, dtype=side.dtype, device=side.device) + 0.5
    inside = steps * (side / size)[..., None] - 0.5
    last = side[..., None] - 1
    return corner[..., None] + torch.minimum(inside.clamp_min(0), last)


def _share_inside(positions: Tensor, length: int) -> Tensor:
    """Weight of the pixels 0 to ``length - 1`` in a linear interpolation at these positions."""
    return torch.minimum(positions + 1, length - positions).clamp(0, 1)
