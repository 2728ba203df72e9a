"""What boxes are judged by: generalised overlap (Rezatofighi et al., CVPR 2019)."""

import torch
import torch.nn.functional as F
from torch import Tensor


def overlaps(found: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    """Intersection over union, and the generalised one, of corners (..., 4); (...) each.

    The second is below zero where boxes are apart, the more the farther, and has a gradient there.
    Boxes turned inside out have no area.
    """
    inner = (found[..., 2:].minimum(true[..., 2:]) - found[..., :2].maximum(true[..., :2])).clamp(0)
    hull = (found[..., 2:].maximum(true[..., 2:]) - found[..., :2].minimum(true[..., :2])).clamp(0)
    areas = [(box[..., 2:] - box[..., :2]).clamp(0).prod(-1) for box in (found, true)]
    shared, around = inner.prod(-1), hull.prod(-1).clamp_min(1e-6)
    union = (areas[0] + areas[1] - shared).clamp_min(1e-6)
    return shared / union, shared / union - (around - union) / around


def score_loss(scores: Tensor, near: Tensor, wide: Tensor) -> Tensor:
    """Mean logistic loss () of the cells that show the target, and of those that do not; by halves.

    Args:
        scores: Logits, (B, m, m).
        near: Above zero where the target is shown.
        wide: Below zero where it is not; cells that are neither do not count.
    """
    total = torch.zeros((), device=scores.device)
    for sign, counts in ((1.0, near > 0), (-1.0, wide < 0)):
        losses = F.softplus(-sign * scores) * counts
        total = total + (losses.sum(dim=(1, 2)) / counts.sum(dim=(1, 2)).clamp_min(1)).mean() / 2
    return total
