import math

import pytest
import torch

from dsiam_plugin.training.siamese.losses import contrast_loss, logistic_loss


@pytest.fixture
def scores():
    return torch.randn(3, 5, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def labels():
    labels = -torch.ones(3, 5, 5, dtype=torch.float64)
    labels[:, 2, 1:4] = 1
    return labels


def test_logistic_loss_is_that_of_eq_10(scores, labels):
    values = zip(scores.flatten().tolist(), labels.flatten().tolist(), strict=True)
    expected = [math.log(1 + math.exp(-y * v)) for v, y in values]
    assert float(logistic_loss(scores, labels, balance=False)) == pytest.approx(
        sum(expected) / len(expected)
    )


def test_balanced_classes_count_one_half_each(scores, labels):
    halves = [
        torch.log1p(torch.exp(-sign * scores[labels == sign])).reshape(3, -1).mean()
        for sign in (1, -1)
    ]
    assert float(logistic_loss(scores, labels)) == pytest.approx(float(sum(halves)) / 2)


def test_huge_scores_neither_overflow_nor_vanish(labels):
    scores = torch.full((3, 5, 5), 1e6, requires_grad=True)
    loss = logistic_loss(scores, labels.float())
    loss.backward()
    assert loss.item() == pytest.approx(5e5)
    assert scores.grad.isfinite().all()


def test_contrast_is_the_cross_entropy_of_the_own_cells(labels):
    generator = torch.Generator().manual_seed(1)
    matrix = torch.randn(3, 3, 5, 5, generator=generator, dtype=torch.float64)
    expected = 0.0
    for sample in range(3):
        total = sum(math.exp(value) for value in matrix[sample].flatten().tolist())
        own = matrix[sample, sample][labels[sample] > 0].tolist()
        expected += sum(math.log(total) - value for value in own) / len(own) / 3
    assert float(contrast_loss(matrix, labels)) == pytest.approx(expected)


def test_contrast_falls_when_another_search_answers_less(labels):
    matrix = torch.zeros(3, 3, 5, 5)
    before = contrast_loss(matrix, labels)
    matrix[0, 1] -= 1
    assert contrast_loss(matrix, labels) < before
