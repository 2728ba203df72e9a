"""Boxes out of a head's maps: :func:`core.boxes.locate_box`."""

import math
from dataclasses import replace

import pytest
import torch

from dsiam_plugin.config.variants import find_variant
from dsiam_plugin.core import step
from dsiam_plugin.core.boxes import MOST_GROWTH, BoxMaps, locate_box
from dsiam_plugin.core.response import fixed, peak_shape
from dsiam_plugin.core.state import each

CONFIG = find_variant("DSiamBox").config("steady")
CELLS, STRIDE = 17, 8


def with_tracking(**changes):
    return replace(CONFIG, tracking=replace(CONFIG.tracking, **changes))


PLAIN = with_tracking(window_influence=0.0, shape_penalty=0.0, quality=0.0, scale_damping=1.0)


def targets(*sizes):
    """New targets of these sizes, px."""
    size = torch.tensor(sizes).double()
    exemplars = {"conv5": torch.ones(len(sizes), 1, 1, 2, 2)}
    return step.first_target(size, size, torch.zeros(len(sizes), 3), exemplars, CONFIG.crop)


def maps_of(count=1, seed=0, size=10.0):
    generator = torch.Generator().manual_seed(seed)
    scores, quality = torch.randn(2, count, CELLS, CELLS, generator=generator)
    return BoxMaps(scores, size * torch.randn(count, 4, CELLS, CELLS, generator=generator), quality)


def flat(count=1):
    zeros = torch.zeros(count, CELLS, CELLS)
    return BoxMaps(zeros, torch.zeros(count, 4, CELLS, CELLS), zeros)


def located(maps, target, config, responses=None):
    constants = fixed(config, CELLS)
    return locate_box(
        maps, maps.scores if responses is None else responses, target, constants, config
    )


def by_the_book(maps, target, config):
    """The same for one target, cell by cell."""
    tracking, crop = config.tracking, config.crop
    pixels = crop.search_size / target.side.item()  # of the crop for one of the image
    last = [length * pixels for length in target.size[0].tolist()]
    best = None
    for row in range(CELLS):
        for column in range(CELLS):
            sides = maps.sides[0, :, row, column].tolist()
            x, y = (column - CELLS // 2) * STRIDE, (row - CELLS // 2) * STRIDE
            w, h = target.shape[0].tolist()
            left, top = x - w / 2 - sides[0], y - h / 2 - sides[1]
            right, bottom = x + w / 2 + sides[2], y + h / 2 + sides[3]
            growth = [
                min(max(max(found, 1.0) / old, 1 / MOST_GROWTH), MOST_GROWTH)
                for found, old in zip((right - left, bottom - top), last, strict=True)
            ]
            area, shape = math.sqrt(growth[0] * growth[1]), growth[0] / growth[1]
            change = max(area, 1 / area) * max(shape, 1 / shape)
            score, quality = (
                1 / (1 + math.exp(-item[0, row, column].item()))
                for item in (maps.scores, maps.quality)
            )
            score *= quality**tracking.quality
            trust = score * math.exp(-tracking.shape_penalty * (change - 1))
            bell = math.prod(math.sin(math.pi * i / (CELLS - 1)) ** 2 for i in (row, column))
            share = tracking.window_influence
            rank = (1 - share) * trust + share * bell
            if best is None or rank > best[0]:
                middle = [
                    min(max((one + other) / 2, -255 / 2), 255 / 2) / STRIDE
                    for one, other in ((left, right), (top, bottom))
                ]
                grown = [1 + tracking.scale_damping * trust * (item - 1) for item in growth]
                best = rank, middle, score, grown
    return best[1:]


@pytest.mark.parametrize("config", [CONFIG, PLAIN, with_tracking(shape_penalty=1.5, quality=2.0)])
@pytest.mark.parametrize("seed", range(4))
def test_the_best_box_by_its_definition(config, seed):
    maps = maps_of(seed=seed, size=(4.0, 20.0)[seed % 2])
    target = targets((40.0, 25.0))
    target = target._replace(size=target.size * 1.2, side=target.side * 0.9)
    peaks = located(maps, target, config)
    middle, score, grown = by_the_book(maps, target, config)
    assert [peaks.dx.item(), peaks.dy.item()] == pytest.approx(middle, abs=1e-4)
    assert peaks.score.item() == pytest.approx(score, rel=1e-5)
    assert peaks.growth[0].tolist() == pytest.approx(grown, rel=1e-5)


def test_a_box_as_the_first_one_says_that_nothing_changed():
    """In the middle, whatever the size; the window decides where all cells are alike."""
    peaks = located(flat(2), targets((40.0, 30.0), (17.0, 90.0)), with_tracking(scale_damping=1.0))
    assert peaks.dx.tolist() == peaks.dy.tolist() == [0, 0]
    torch.testing.assert_close(peaks.growth, torch.ones(2, 2))
    assert peaks.scale.tolist() == [0, 0]


def test_width_and_height_grow_within_bounds():
    maps = flat(3)
    maps.scores[:, 8, 8] = 30.0  # certain
    maps.sides[0, ::2, 8, 8] = 900.0  # left and right
    maps.sides[1, 1::2, 8, 8] = -900.0  # turned inside out
    maps.sides[2, 0, 8, 8] = 8.0
    target = targets(*[(40.0, 40.0)] * 3)
    peaks = located(maps, target, PLAIN)
    width = 40 * 127 / 80
    expected = [[MOST_GROWTH, 1], [1, 1 / MOST_GROWTH], [1 + 8 / width, 1]]
    torch.testing.assert_close(peaks.growth, torch.tensor(expected))
    assert peaks.dx[2].item() == pytest.approx(-0.5), "half of what the left side moved"
    damped = located(
        maps, target, replace(PLAIN, tracking=replace(PLAIN.tracking, scale_damping=0.25))
    )
    torch.testing.assert_close(damped.growth - 1, (peaks.growth - 1) / 4)


def test_a_box_s_middle_stays_in_the_window():
    maps = flat()
    maps.sides[:, 2] = 1e6
    maps.sides[:, 1] = math.inf
    peaks = located(maps, targets((40.0, 30.0)), CONFIG)
    assert peaks.dx.item() == -peaks.dy.item() == 255 / 2 / STRIDE


def test_uncertain_boxes_are_followed_less():
    maps = flat(2)
    maps.scores[:] = -30.0
    maps.scores[:, 8, 8] = torch.tensor([0.0, math.log(3)])  # one half, three quarters
    maps.sides[:, 0, 8, 8] = 8.0
    peaks = located(maps, targets(*[(40.0, 40.0)] * 2), PLAIN)
    assert peaks.score.tolist() == pytest.approx([0.5, 0.75])
    growth = 8 / (40 * 127 / 80)
    assert (peaks.growth[:, 0] - 1).tolist() == pytest.approx([growth / 2, growth * 0.75])


def test_a_box_of_another_shape_has_to_be_surer():
    maps = flat()
    maps.scores[0] = -30.0
    maps.scores[0, 8, 8], maps.scores[0, 8, 12] = 1.0, 2.0
    maps.sides[0, ::2, 8, 12] = 30.0
    target = targets((40.0, 40.0))
    assert located(maps, target, PLAIN).dx.item() == 4
    strict = replace(PLAIN, tracking=replace(PLAIN.tracking, shape_penalty=2.0))
    assert located(maps, target, strict).dx.item() == 0


def test_trust_comes_from_the_plain_responses():
    responses = maps_of(seed=3).scores
    peaks = located(maps_of(), targets((40.0, 30.0)), CONFIG, responses)
    height, ambiguity = peak_shape(responses)
    assert peaks.height.equal(height)
    assert peaks.ambiguity.equal(ambiguity)


def test_many_targets_are_found_as_each_alone():
    maps, target = maps_of(4), targets((40.0, 30.0), (10.0, 20.0), (33.0, 33.0), (90.0, 12.0))
    together = located(maps, target, CONFIG)
    for index in range(4):
        own = slice(index, index + 1)
        alone = located(
            BoxMaps(*(item[own] for item in maps)),
            each(lambda item, own=own: item[own], target),
            CONFIG,
        )
        assert all(one[own].equal(other) for one, other in zip(together, alone, strict=True))
