from dataclasses import replace

import pytest
import torch

from dsiam_plugin.config.variants import find_variant
from dsiam_plugin.core import rules, step
from dsiam_plugin.core.response import fixed
from dsiam_plugin.core.state import Peaks, Verdict, Windows, each

RELEASE = find_variant("DSiam").config("release")
STEADY = find_variant("DSiam").config("steady")
BOX = find_variant("DSiamBox").config("steady")
SIAMFC = find_variant("SiamFC").config("release")
IMAGE = (120, 160)


def doubles(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def targets(count=1, **fields):
    """Targets of 40x30 px in the middle of the image."""
    center, size = doubles(*[[79.5, 59.5]] * count), doubles(*[[40.0, 30.0]] * count)
    exemplar = {"conv5": torch.ones(count, 1, 1, 2, 2)}  # of one crop without variants
    made = step.first_target(center, size, torch.zeros(count, 3), exemplar, RELEASE.crop)
    return made._replace(**fields)


def peaks(count=1, scale=1, **fields):
    numbers = {"dx": 0.0, "dy": 0.0, "score": 1.0, "height": 1.0, "ambiguity": 0.0} | fields
    values = {key: torch.as_tensor(item).expand(count) for key, item in numbers.items()}
    return Peaks(scale=torch.full((count,), scale), **values)


def verdict(lost):
    lost = torch.tensor(lost)
    return Verdict(lost, ~lost, lost, torch.zeros_like(lost))


def windows(target):
    return Windows(
        target.center[:, None].expand(-1, 3, -1),
        doubles([100.0, 200.0, 400.0]).expand(len(target.side), -1),
    )


def test_sides_by_hand():
    # p = 35: (40 + 35) (30 + 35) = 4875
    assert rules.context_side(doubles([40.0, 30.0]), 0.5).item() == pytest.approx(4875**0.5)
    own = rules.own_side(doubles([40.0, 30.0]), RELEASE.crop).item()
    assert own == pytest.approx(4875**0.5 * 255 / 127)


def test_boxes_have_their_pixels_on_both_sides_of_the_centre():
    assert rules.boxes(targets())[0].tolist() == [60.0, 45.0, 40.0, 30.0]


@pytest.mark.parametrize(
    ("config", "shown", "lost", "learns", "acts"),
    [
        (RELEASE, {"score": 0.1}, False, True, False),
        (RELEASE, {"score": 0.0}, True, False, True),
        (SIAMFC, {"score": 0.0}, True, True, False),  # nothing is learnt, so nothing is acted on
        (STEADY, {"height": 0.7}, False, True, False),
        (STEADY, {"height": 0.25}, True, True, False),
        (STEADY, {"ambiguity": 0.66}, False, False, False),
    ],
)
def test_verdicts(config, shown, lost, learns, acts):
    config = replace(config, transform=replace(config.transform, min_confidence=0.0))
    assert rules.judge(targets(), peaks(**shown), config) == (lost, learns, acts, False)


def test_a_low_peak_teaches_nothing():
    config = replace(STEADY, transform=replace(STEADY.transform, min_confidence=0.6))
    target = targets(2, first_height=torch.tensor([1.0, 2.0]))
    assert rules.judge(target, peaks(2, height=0.9), config).learns.tolist() == [True, False]


def test_targets_move_by_cells_of_their_own_window():
    target = targets(2)
    shown = peaks(2, scale=2, dx=torch.tensor([2.0, 0.0]), dy=torch.tensor([0.0, -1.5]))
    moved = rules.move(target, shown, verdict([False, True]), windows(target), 8, IMAGE, STEADY)
    cell = 8 * 400 / 255
    expected = doubles([79.5 + 2 * cell, 59.5], [79.5, 59.5 - 1.5 * cell])
    torch.testing.assert_close(moved.center, expected)
    assert moved.lost.tolist() == [False, True]


def test_a_corner_beyond_the_border_is_a_loss_and_the_second_one_leads_to_the_centre():
    away, inside = doubles([140.0, 59.5]), doubles([139.0, 59.5])  # their right sides: 160.5, 159.5
    here = (peaks(), verdict([False]))
    seen = []
    target = targets()
    for center in (away, inside, away, away):
        target = target._replace(center=center)
        target = rules.move(target, *here, windows(target), 8, IMAGE, RELEASE)
        seen.append((target.center[0].tolist(), target.lost.item()))
    middle = [79.5, 59.5]
    expected = [(away[0].tolist(), True), (inside[0].tolist(), False), (middle, True)]
    assert seen == [*expected, (away[0].tolist(), True)]


def test_v_and_w_are_off_beyond_the_border():
    learnt = {"conv5": torch.full((1, 1, 2, 2), 3.0)}
    target = targets(center=doubles([-100.0, 50.0]), template=learnt, suppressing=torch.ones(1) > 0)
    here = (peaks(), verdict([False]))
    moved = rules.move(target, *here, windows(target), 8, IMAGE, RELEASE)
    settled = rules.settle(moved, *here, fixed(RELEASE, 17), RELEASE)
    assert settled.template["conv5"].equal(target.exemplar["conv5"])
    assert not settled.suppressing


def test_a_target_found_again_takes_its_own_search_side_and_keeps_its_size():
    grown = targets(2, lost=torch.tensor([True, True]), side=doubles(500.0, 500.0))
    shown = peaks(2, scale=2, score=torch.tensor([1.0, 0.0]))
    found = rules.judge(grown, shown, RELEASE)
    assert found.recovers.tolist() == [True, False]
    moved = rules.move(grown, shown, found, windows(grown), 8, IMAGE, RELEASE)
    settled = rules.settle(moved, shown, found, fixed(RELEASE, 17), RELEASE)
    torch.testing.assert_close(settled.side, torch.stack([targets().side[0], doubles(550.0)[0]]))
    assert settled.size.equal(grown.size)


def test_size_and_search_side_follow_the_scale_within_bounds():
    target, constants = targets(2), fixed(STEADY, 17)
    settled = rules.settle(target, peaks(2, scale=2), verdict([False, False]), constants, STEADY)
    factor = 1 + 0.59 * 0.0375
    torch.testing.assert_close(settled.size, target.size * factor)
    torch.testing.assert_close(settled.side, target.side * factor)
    for _ in range(120):
        settled = rules.settle(settled, peaks(2, 2), verdict([False, False]), constants, STEADY)
    torch.testing.assert_close(settled.side, 5 * target.first_side)


def test_a_loss_that_is_acted_on_switches_off_and_widens():
    learnt = {"conv5": torch.full((2, 1, 2, 2), 3.0)}
    target = targets(2, template=learnt, suppressing=torch.tensor([True, True]))
    settled = rules.settle(target, peaks(2, 2), verdict([True, False]), fixed(RELEASE, 17), RELEASE)
    assert settled.template["conv5"][:, 0, 0, 0].tolist() == [1.0, 3.0]
    assert settled.suppressing.tolist() == [False, True]
    assert settled.size[0].equal(target.size[0])
    torch.testing.assert_close(settled.side[0], 1.1 * target.side[0])


def test_without_growth_a_lost_target_follows_the_scale_and_v_is_off():
    config = replace(RELEASE, transform=replace(RELEASE.transform, lost_growth=1.0))
    learnt = {"conv5": torch.full((1, 1, 2, 2), 3.0)}
    target, shown = targets(template=learnt), peaks(scale=2, score=0.0)
    lost = rules.judge(target, shown, config)
    settled = rules.settle(target, shown, lost, fixed(config, 17), config)
    factor = 1 + 0.58 * 0.0375
    torch.testing.assert_close(settled.size, target.size * factor)
    torch.testing.assert_close(settled.side, target.side * factor)
    assert settled.template["conv5"].equal(target.exemplar["conv5"])
    found = rules.judge(settled._replace(lost=lost.lost), peaks(scale=2), config)
    assert not found.recovers


def test_a_lost_target_can_keep_its_place_and_size():
    config = replace(STEADY, tracking=replace(STEADY.tracking, hold=True))
    target, shown = targets(2), peaks(2, scale=2, dx=torch.tensor([2.0, 2.0]))
    lost = verdict([True, False])._replace(acts=torch.zeros(2) > 0)
    moved = rules.move(target, shown, lost, windows(target), 8, IMAGE, config)
    settled = rules.settle(moved, shown, lost, fixed(config, 17), config)
    assert settled.center[0].equal(target.center[0])
    assert settled.size[0].equal(target.size[0])
    assert settled.center[1, 0] > target.center[1, 0]
    assert settled.size[1, 0] > target.size[1, 0]


def grown(*growth, **fields):
    """Peaks of a box head."""
    return peaks(len(growth), scale=0, **fields)._replace(growth=torch.tensor(growth))


def test_a_box_head_says_how_width_and_height_grow():
    target, found = targets(2), verdict([False, False])
    settled = rules.settle(target, grown((1.5, 0.8), (1.0, 1.0)), found, fixed(BOX, 17), BOX)
    torch.testing.assert_close(settled.size, doubles([60.0, 24.0], [40.0, 30.0]), rtol=1e-6, atol=0)
    torch.testing.assert_close(settled.side, rules.own_side(settled.size, BOX.crop))


def test_a_box_grows_and_shrinks_with_its_window_s_bounds():
    target = targets(2)
    settled, found = target, verdict([False, False])
    for _ in range(12):
        settled = rules.settle(settled, grown((2.0, 2.0), (0.5, 0.5)), found, fixed(BOX, 17), BOX)
    torch.testing.assert_close(settled.side, torch.tensor([5.0, 0.2]).double() * target.first_side)
    # As large as its window allows; a small window has no box too small for it.
    torch.testing.assert_close(settled.size[0], 5 * target.size[0])
    torch.testing.assert_close(settled.size[1], target.size[1] / 2**12)


def test_a_lost_box_can_keep_its_place_and_size():
    config = replace(BOX, tracking=replace(BOX.tracking, hold=True))
    target = targets(2)
    lost = verdict([True, False])._replace(acts=torch.zeros(2) > 0)
    settled = rules.settle(target, grown((1.5, 1.5), (1.5, 1.5)), lost, fixed(config, 17), config)
    assert settled.size[0].equal(target.size[0])
    torch.testing.assert_close(settled.size[1], 1.5 * target.size[1])
    torch.testing.assert_close(settled.side[0], target.side[0])


def test_a_lost_box_that_is_acted_on_keeps_its_size_in_a_wider_search():
    config = replace(BOX, transform=replace(BOX.transform, gate=True))
    target = targets(2)
    shown = grown((1.5, 0.5), (1.5, 0.5))
    settled = rules.settle(target, shown, verdict([True, False]), fixed(config, 17), config)
    assert settled.size[0].equal(target.size[0])
    torch.testing.assert_close(settled.side[0], 1.1 * target.side[0])
    torch.testing.assert_close(settled.size[1], doubles([60.0, 15.0])[0])


def test_targets_are_cut_out_and_joined():
    one, two = targets(), targets(2, side=doubles(1.0, 2.0))
    joined = each(lambda *items: torch.cat(items), one, two)
    assert joined.exemplar["conv5"].shape == (3, 1, 2, 2)
    assert each(lambda item: item[1:], joined).side.tolist() == [1.0, 2.0]
