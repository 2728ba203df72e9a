"""The crop layer of joint training (paper, Fig. 5): where a clip's next windows are cut.

Windows are cut at the maximum of the tracker's own response and moved to whole pixels as its crops
are. Positions are numbers without a gradient: the loss flows back through the features of the
windows.

Shapes: B clips, S side of a packed crop. Positions are pixel indices (x, y) in the packed crop.
"""

import torch
from torch import Tensor


def box_centers(boxes: Tensor) -> Tensor:
    """Positions (B, 2) float64 of boxes (B, 4), ``(x, y, w, h)``."""
    return boxes[:, :2].double() + (boxes[:, 2:].double() - 1) / 2


def cut_windows(rows: Tensor, centers: Tensor, size: int, fill: Tensor) -> tuple[Tensor, Tensor]:
    """Squares cut out of each row of a pack, moved to whole pixels and not resized.

    Args:
        rows: (B, S, S, 3) uint8.
        centers: (B, 2) where.
        size: Side of the windows in px.
        fill: (B, 3) uint8 colour beyond the row's border.

    Returns:
        Pixels (B, size, size, 3) uint8, and (B, 2) float64 what their middles show.
    """
    side, middle = rows.shape[1], (size - 1) / 2
    corners = (centers.double() - middle + 0.5).floor()
    steps = torch.arange(size, device=rows.device)
    places = corners.long()[:, :, None] + steps  # (B, 2, size): x, then y
    inside = (places >= 0) & (places < side)
    columns, lines = places.clamp(0, side - 1).unbind(1)
    batch = torch.arange(len(rows), device=rows.device)[:, None, None]
    pixels = rows[batch, lines[:, :, None], columns[:, None, :]]
    seen = inside[:, 1, :, None, None] & inside[:, 0, None, :, None]
    return torch.where(seen, pixels, fill[:, None, None, :]), corners + middle


def bounded(centers: Tensor, annotated: Tensor, limit: float | Tensor) -> Tensor:
    """Positions (B, 2) at most ``limit`` px from the annotated ones in each direction.

    A packed crop shows no more than its margin: a tracker that left it would learn the fill colour.
    """
    return torch.minimum(torch.maximum(centers, annotated - limit), annotated + limit)
