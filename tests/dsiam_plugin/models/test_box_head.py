from dataclasses import replace

import pytest
import torch
from seeded_network import BOX_CHANNELS, write_box_weights, write_weights

from dsiam_plugin.config.variants import find_variant
from dsiam_plugin.core.boxes import VARIANTS, distinguish, gather
from dsiam_plugin.core.spectra import PAIRS
from dsiam_plugin.errors import CheckpointError
from dsiam_plugin.models.box_head import BoxHead, Necks, load_boxes, under_middle
from dsiam_plugin.models.network import check_backbone
from dsiam_plugin.models.weights import features_only, load_weights

LAYERS = ("conv5", "conv4")
BOX, PLAIN = (find_variant(name).config("steady").model for name in ("DSiamBox", "DSiamM"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return load_weights(write_box_weights(tmp_path_factory.mktemp("weights") / "box.safetensors"))


def evidence_of(targets=2, variants=True, cells=17):
    generator = torch.Generator().manual_seed(0)
    parts = [{}, {}, {}, {}]
    for layer, size in {"conv5": 6, "conv4": 8}.items():
        shapes = [(size,), (size + cells - 1,), (size,), (len(VARIANTS), size)]
        for part, (*more, side) in zip(parts, shapes, strict=True):
            shape = (targets, *more, BOX_CHANNELS, side, side)
            part[layer] = torch.randn(shape, generator=generator)
    exemplars = parts.pop()
    bank = {k: distinguish(torch.cat([parts[2][k][:, None], v], 1)) for k, v in exemplars.items()}
    return gather(*parts, bank if variants else {}, PAIRS)


def test_maps_have_a_value_a_cell(weights):
    _, head = load_boxes(weights, LAYERS, 17)
    with torch.no_grad():
        maps = head(evidence_of(3))
    assert maps.scores.shape == maps.quality.shape == (3, 17, 17)
    assert maps.sides.shape == (3, 4, 17, 17)
    assert all(item.isfinite().all() for item in maps)


def test_a_new_head_scores_how_well_channels_match():
    """Over its bias by ``MATCH`` where the mean answer is one, and hardly otherwise."""
    torch.manual_seed(0)
    head = BoxHead(LAYERS, BOX_CHANNELS, 4, 17)
    evidence = evidence_of()
    for layer in LAYERS:
        evidence.answers[layer][:] = 0.0
        evidence.answers[layer][:, :, 5, 7] = 1.0
    with torch.no_grad():
        scores = head(evidence).scores
    assert scores[0].argmax() == 5 * 17 + 7
    assert scores[0, 5, 7].item() == pytest.approx(5, abs=1)
    assert scores[0, 12, 12].item() == pytest.approx(-5, abs=1)


def test_without_variants_nothing_leans(weights):
    _, head = load_boxes(weights, LAYERS, 17)
    with torch.no_grad():
        alone, some = head(evidence_of(variants=False)), head(evidence_of())
    assert alone.sides.shape == some.sides.shape
    assert alone.sides.isfinite().all()
    assert (alone.sides - some.sides).abs().max() > 1e-3, "variants are looked at"


def test_layers_are_fused_cell_by_cell(weights):
    """Where a layer's map says so, the other is not looked at (eq. 9)."""
    _, head = load_boxes(weights, LAYERS, 17)
    with torch.no_grad():
        head.fusion["conv4"][:, :8] = -1e4
        evidence = evidence_of()
        before = head(evidence).scores
        evidence.answers["conv4"][:, :, :, :5] += 3.0
        evidence.regions["conv4"][..., :8] += 3.0
        after = head(evidence).scores
        evidence.answers["conv4"][:, :, :, 12:] += 3.0
        moved = head(evidence).scores
    torch.testing.assert_close(after[:, :, :3], before[:, :, :3])
    assert (moved[:, :, 12:] - after[:, :, 12:]).abs().max() > 0.1


def test_necks_are_products_over_channels():
    torch.manual_seed(0)
    necks = Necks({"conv5": 7, "conv4": 9}, 4).requires_grad_(False)
    levels = {"conv5": torch.randn(2, 7, 3, 3), "conv4": torch.randn(2, 9, 5, 5)}
    found = necks(levels)
    for layer, weight in necks.weights():
        expected = torch.einsum("oc,schw->sohw", weight[:, :, 0, 0], levels[layer])
        torch.testing.assert_close(found[layer], expected)
    assert [layer for layer, _ in necks.weights()] == ["conv5", "conv4"]


@pytest.mark.parametrize("size", [6, 8])
def test_the_middle_of_every_place(size):
    """Of an exemplar of ``size`` cells laid on cell (i, j): the mean of its four middle cells."""
    region = torch.randn(1, 2, 5 + size - 1, 5 + size - 1)
    found = under_middle(region, size)
    assert found.shape == (1, 2, 5, 5)
    first = 3 + size // 2 - 1, 1 + size // 2 - 1  # of the place in row 3 and column 1
    expected = region[:, :, first[0] : first[0] + 2, first[1] : first[1] + 2].mean(dim=(2, 3))
    torch.testing.assert_close(found[:, :, 3, 1], expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("neck.conv4.weight"), "neck|conv4"),
        (lambda t: t.pop("head.score.bias"), "score.bias"),
        (lambda t: t.pop("head.score_tower.weight"), "score_tower"),
        (lambda t: t.update({"head.lean.weight": torch.zeros(4, 2, 3, 3)}), "lean.weight"),
        (lambda t: t.update({"head.unknown": torch.zeros(1)}), "unknown"),
        (lambda t: t.update({"neck.conv5.weight": torch.zeros(3)}), "conv5"),
        (lambda t: t.update({"neck.conv5.weight": torch.zeros(())}), "index"),
    ],
)
def test_heads_that_do_not_fit(weights, change, message):
    tensors = dict(weights.tensors)
    change(tensors)
    with pytest.raises(CheckpointError, match=message) as caught:
        load_boxes(replace(weights, tensors=tensors), LAYERS, 17)
    assert str(caught.value).startswith(f"{weights.path}: not the box head of conv5+conv4 (")
    assert "\n" not in str(caught.value)


def test_a_response_of_another_size(weights):
    with pytest.raises(CheckpointError, match="fusion"):
        load_boxes(weights, LAYERS, 19)


def test_weights_of_the_other_kind_are_refused(weights, tmp_path):
    plain = load_weights(write_weights(tmp_path / "net.npz"))
    assert (weights.has_box_head, plain.has_box_head) == (True, False)
    check_backbone(BOX, weights)
    check_backbone(PLAIN, plain)
    with pytest.raises(CheckpointError, match="weights without a box head, expected .* with one"):
        check_backbone(BOX, plain)
    with pytest.raises(CheckpointError, match="weights with a box head, expected .* without one"):
        check_backbone(PLAIN, weights)


def test_features_keep_their_necks_and_head(weights):
    kept = features_only(replace(weights, config={"tracker": {}, "origin": {}}))
    assert kept.tensors.keys() == weights.tensors.keys()
    assert kept.config == {"origin": {}}
