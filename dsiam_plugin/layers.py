"""Cross-correlation and multi-layer fusion (paper, sec. 3.3)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from dsiam_plugin.errors import ShapeError


def cross_correlate(z_feat: Tensor, x_feat: Tensor) -> Tensor:
    """Valid cross-correlation of one exemplar with several search regions (eq. 1).

    Args:
        z_feat: (1, C, h, w).
        x_feat: (S, C, H, W), H >= h and W >= w.

    Returns:
        (S, 1, H - h + 1, W - w + 1).

    Raises:
        ShapeError: If channels differ or the exemplar is larger than the search region.
    """
    fits = z_feat.shape[-2] <= x_feat.shape[-2] and z_feat.shape[-1] <= x_feat.shape[-1]
    if z_feat.shape[0] != 1 or z_feat.shape[1] != x_feat.shape[1] or not fits:
        raise ShapeError(
            f"cross-correlation: exemplar {tuple(z_feat.shape)} does not fit search region "
            f"{tuple(x_feat.shape)}; expected (1, C, h, w) in (S, C, H, W)"
        )
    return F.conv2d(x_feat, z_feat)


def resize_response(response: Tensor, size: int) -> Tensor:
    """Bicubic resampling of a coarser response (S, 1, h, w) to (S, 1, size, size).

    Corners stay aligned: cells of both grids lie at the same displacements of the target.
    """
    if response.shape[-1] == size:
        return response
    return F.interpolate(response, size=(size, size), mode="bicubic", align_corners=True)


def fuse(responses: Mapping[str, Tensor], maps: Mapping[str, Tensor]) -> Tensor:
    """Elementwise weighted sum over layers (eq. 9).

    Args:
        responses: Per layer (S, 1, h, w).
        maps: Per layer (h, w), or a scalar tensor for one weight everywhere.

    Returns:
        (S, 1, h, w).
    """
    return torch.stack([maps[layer] * response for layer, response in responses.items()]).sum(0)
