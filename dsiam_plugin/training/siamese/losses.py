"""Losses on responses, all written with ``softplus`` or ``logsumexp`` so that none overflows.

Shapes: B samples, m response cells a side, G samples whose exemplars meet each other's searches.
"""

import torch.nn.functional as F
from torch import Tensor


def logistic_loss(responses: Tensor, labels: Tensor, *, balance: bool = True) -> Tensor:
    """Mean of ``log(1 + exp(-y v))`` over cells and samples (eq. 10).

    Args:
        responses: (B, m, m) scores v.
        labels: (B, m, m) y in {+1, -1}.
        balance: Positive and negative cells of a sample count one half each.

    Returns:
        () loss.
    """
    losses = F.softplus(-labels * responses)
    if not balance:
        return losses.mean()
    positive = (labels > 0).to(losses.dtype)
    near = (losses * positive).sum(dim=(1, 2)) / positive.sum(dim=(1, 2)).clamp_min(1)
    negative = 1 - positive
    far = (losses * negative).sum(dim=(1, 2)) / negative.sum(dim=(1, 2)).clamp_min(1)
    return (near + far).mean() / 2


def contrast_loss(responses: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of the target's cells against all cells of all searches of the group.

    Each exemplar has to find its own target among the other samples' search regions, which costs
    nothing but correlations: ``logsumexp(all cells) - logmeanexp(positive cells)``.

    Args:
        responses: (G, G, m, m), exemplar by search; the diagonal holds the true pairs.
        labels: (G, m, m) y in {+1, -1} of the true pairs.

    Returns:
        () loss.
    """
    group = len(responses)
    own = responses.diagonal(dim1=0, dim2=1).permute(2, 0, 1)  # (m, m, G) -> (G, m, m)
    positive = labels > 0
    # the mean of the log-likelihoods of the positive cells
    near = (own * positive).sum(dim=(1, 2)) / positive.sum(dim=(1, 2))
    return (responses.reshape(group, -1).logsumexp(dim=1) - near).mean()
