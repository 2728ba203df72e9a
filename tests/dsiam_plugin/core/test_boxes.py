import numpy as np
import pytest
import torch
import torch.nn.functional as F

from dsiam_plugin.core.boxes import (
    VARIANTS,
    BoxMaps,
    corners,
    correlate_channels,
    distinguish,
    gather,
)
from dsiam_plugin.core.response import correlate
from dsiam_plugin.core.spectra import COMPLEX, PAIRS


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def evidence_of(targets=2, channels=3, spectra=COMPLEX):
    """Evidence, what it was gathered from, and exemplars with their variants, by layer."""
    template, regions, exemplars = {}, {}, {}
    for layer, cells in {"conv5": 3, "conv4": 4}.items():
        area = channels, cells, cells
        template[layer] = random(targets, *area)
        regions[layer] = random(targets, channels, cells + 4, cells + 4, seed=1)
        exemplars[layer] = random(targets, 1 + len(VARIANTS), *area, seed=2)
    first = {layer: item[:, 0] for layer, item in exemplars.items()}
    bank = {layer: distinguish(item) for layer, item in exemplars.items()}
    parts = template, regions, first, bank
    return gather(*parts, spectra), parts, exemplars


def test_every_channel_is_correlated_by_itself():
    z, x = random(2, 3, 2, 3), random(2, 3, 4, 6, seed=1)
    expected = torch.zeros(2, 3, 3, 4, dtype=torch.float64)
    for n, c, row, column in np.ndindex(2, 3, 3, 4):
        window = x[n, c, row : row + 2, column : column + 3]
        expected[n, c, row, column] = (z[n, c] * window).sum()
    torch.testing.assert_close(correlate_channels(z, x), expected)


@pytest.mark.parametrize("spectra", [COMPLEX, PAIRS], ids=["complex", "pairs"])
def test_evidence_holds_the_plain_responses(spectra):
    evidence, (template, regions, *_), _ = evidence_of(spectra=spectra)
    plain = evidence.plain()
    for layer, z_feat in template.items():
        expected = correlate(z_feat[:, None], regions[layer][:, None])
        torch.testing.assert_close(plain[layer], expected)
        assert evidence.regions[layer] is regions[layer]


def test_a_perfect_match_answers_with_a_mean_of_one():
    exemplar = random(2, 5, 3, 3)
    region = F.pad(exemplar, (2, 2, 1, 3))  # the exemplar in row 1 and column 2
    evidence = gather({"a": exemplar}, {"a": region}, {"a": exemplar}, {}, COMPLEX)
    torch.testing.assert_close(
        evidence.answers["a"][:, :, 1, 2].mean(1), torch.ones(2, dtype=torch.float64)
    )
    assert evidence.leanings == {}, "without variants nothing leans"


def test_leanings_by_their_definition():
    """What a variant answers beyond its share of the exemplar's answer, of a perfect match."""
    evidence, (_, regions, *_), bank = evidence_of()
    for layer, exemplars in bank.items():
        for n, k in np.ndindex(2, len(VARIANTS)):
            first, variant, region = exemplars[n, 0], exemplars[n, 1 + k], regions[layer][n]
            share = (first * variant).sum() / (first * first).sum()
            beyond = variant - share * first
            cells = first.shape[-1]
            expected = torch.stack([
                (beyond * region[:, i : i + cells, j : j + cells]).sum()
                for i, j in np.ndindex(5, 5)
            ]).view(5, 5)  # fmt: skip
            found = evidence.leanings[layer][n, k]
            torch.testing.assert_close(found, expected / (first * first).sum())


def test_the_exemplar_leans_nowhere_and_a_variant_towards_itself():
    exemplars = random(1, 1 + len(VARIANTS), 4, 3, 3)
    exemplars[:, 1:] = exemplars[:, :1] + 0.3 * exemplars[:, 1:]  # variants are much like it
    bank = distinguish(exemplars)
    for shown in range(1 + len(VARIANTS)):
        leanings = correlate(bank, exemplars[:, shown : shown + 1])[0, 0, :, 0, 0]
        if shown == 0:
            torch.testing.assert_close(leanings, torch.zeros_like(leanings))
        else:
            assert leanings.argmax() == shown - 1
            assert leanings.max() > 0
    opposite = 2 * exemplars[:, :1] - exemplars[:, 1:2]
    away = correlate(bank, opposite)[0, 0, :, 0, 0]
    assert away[0] < 0, "less of the variant's change is a change the other way"


def test_targets_have_evidence_as_each_alone():
    together, parts, _ = evidence_of(targets=3)
    for index in range(3):
        alone = gather(*({k: v[index : index + 1] for k, v in p.items()} for p in parts), COMPLEX)
        for group, own in zip(together, alone, strict=True):
            for layer, item in own.items():
                torch.testing.assert_close(group[layer][index : index + 1], item)


def test_corners_lie_around_their_cells():
    sides = torch.zeros(2, 4, 5, 5)
    sides[1, :, 3, 4] = torch.tensor([1.0, 2.0, 3.0, 4.0])  # left, top, right, bottom
    size = torch.tensor([[40.0, 20.0], [30.0, 60.0]])
    boxes = corners(BoxMaps(sides[:, 0], sides, sides[:, 0]), size, 8.0)
    assert boxes[0, :, 2, 2].tolist() == [-20, -10, 20, 10]
    assert boxes[0, :, 0, 1].tolist() == [-8 - 20, -16 - 10, -8 + 20, -16 + 10]  # row 0, column 1
    assert boxes[1, :, 3, 4].tolist() == [16 - 15 - 1, 8 - 30 - 2, 16 + 15 + 3, 8 + 30 + 4]


def test_an_exemplar_without_features_answers_nothing():
    _, (template, regions, *_), exemplars = evidence_of()
    first = {layer: torch.zeros_like(item) for layer, item in template.items()}
    bank = {layer: distinguish(torch.zeros_like(item)) for layer, item in exemplars.items()}
    empty = gather(first, regions, first, bank, COMPLEX)
    for group in (empty.answers, empty.leanings, empty.plain()):
        assert not any(item.any() for item in group.values())
