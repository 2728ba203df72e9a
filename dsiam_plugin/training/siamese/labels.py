"""Label maps: which cells of a response show the target (paper, sec. 3.5; SiamFC, sec. 2.2)."""

import torch
from torch import Tensor


def response_labels(offsets: Tensor, size: int, stride: int, radius: float) -> Tensor:
    """+1 in the cells within ``radius`` of the target, -1 elsewhere.

    Args:
        offsets: (B, 2) target's displacement ``(dx, dy)`` from the search's middle, px of the crop.
        size: Side m of the response, in cells.
        stride: Pixels between neighbouring cells.
        radius: Pixels of the crop. The cell nearest to the target is positive in any case.

    Returns:
        (B, m, m) float32, on the device of ``offsets``.
    """
    cells = (torch.arange(size, device=offsets.device) - (size - 1) / 2) * stride
    across = (cells - offsets[:, :1]).square()  # (B, m) squared distance of columns
    down = (cells - offsets[:, 1:]).square()  # (B, m) of rows
    distance = across[:, None, :] + down[:, :, None]  # (B, m, m)
    nearest = distance == distance.amin(dim=(1, 2), keepdim=True)
    positive = (distance <= radius**2) | nearest
    return torch.where(positive, 1.0, -1.0)
