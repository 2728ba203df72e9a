import math

import pytest
import torch

from dsiam_plugin import Box
from dsiam_plugin.io.boxes import overlap
from dsiam_plugin.training.box.losses import overlaps


def boxes(count, seed):
    """Corners of random boxes, some apart."""
    generator = torch.Generator().manual_seed(seed)
    corner = 40 * torch.rand(count, 2, generator=generator, dtype=torch.float64)
    size = 1 + 30 * torch.rand(count, 2, generator=generator, dtype=torch.float64)
    return torch.cat([corner, corner + size], dim=1)


def by_box(corners):
    x1, y1, x2, y2 = corners.tolist()
    return Box(x1, y1, x2 - x1, y2 - y1)


def test_overlaps_are_the_evaluation_s():
    found, true = boxes(200, 0), boxes(200, 1)
    shared, generalised = overlaps(found, true)
    for row in range(200):
        one, other = by_box(found[row]), by_box(true[row])
        assert shared[row].item() == pytest.approx(overlap(one, other), abs=1e-12)
        hull = torch.minimum(found, true)[row, :2], torch.maximum(found, true)[row, 2:]
        area = math.prod((hull[1] - hull[0]).tolist())
        inner = overlap(one, other)
        union = (one.w * one.h + other.w * other.h) / (1 + inner)
        assert generalised[row].item() == pytest.approx(inner - (area - union) / area, abs=1e-9)
    assert (shared == 0).any()
    assert (shared > 0).any()


def test_by_hand():
    square = torch.tensor([0.0, 0.0, 2.0, 2.0])
    beside, away = torch.tensor([1.0, 0.0, 3.0, 2.0]), torch.tensor([6.0, 0.0, 8.0, 2.0])
    assert [item.item() for item in overlaps(square, square)] == [1, 1]
    assert [item.item() for item in overlaps(square, beside)] == pytest.approx([1 / 3, 1 / 3])
    assert [item.item() for item in overlaps(square, away)] == pytest.approx([0, -0.5])
    inside_out = torch.tensor([2.0, 2.0, 0.0, 0.0])
    assert overlaps(inside_out, square)[0].item() == 0


def test_boxes_apart_are_drawn_together():
    found = torch.tensor([[6.0, 0.0, 8.0, 2.0]], requires_grad=True)
    overlaps(found, torch.tensor([[0.0, 0.0, 2.0, 2.0]]))[1].sum().backward()
    assert found.grad[0, 0] < 0, "the generalised overlap grows as the left side nears"


def test_gradients():
    found, true = boxes(20, 2).requires_grad_(), boxes(20, 3)
    assert torch.autograd.gradcheck(lambda item: overlaps(item, true), found)
