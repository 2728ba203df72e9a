"""Start frames and boxes, against values worked out by hand from the benchmark's routines."""

import math

import pytest

from dsiam_plugin.evaluation.running.starts import (
    SRE_VARIATIONS,
    enclosing_box,
    is_target,
    sre_box,
    tre_starts,
)

BOX = (10.0, 10.0, 5.0, 5.0)
NOTHING = (math.nan,) * 4


def test_tre_spreads_19_starts_before_the_last_one():
    # 58 frames: the last start is 38 (20 frames left), 39 candidates, every second one.
    assert tre_starts([BOX] * 58) == list(range(0, 39, 2))


def test_tre_long_sequence():
    # 500 frames: 481 candidates; start k is floor(k * 481 / 19), then 480.
    expected = [0, 25, 50, 75, 101, 126, 151, 177, 202, 227]
    expected += [253, 278, 303, 329, 354, 379, 405, 430, 455, 480]
    assert tre_starts([BOX] * 500) == expected


@pytest.mark.parametrize(
    "unusable", [NOTHING, (10, 10, 0, 5), (10, 10, 5, -1), (-1, 10, 5, 5), (10, -1.5, 5, 5)]
)
def test_tre_skips_frames_without_a_whole_target(unusable):
    # Frames 0 and 1 are out: candidates are 2 to 40, 39 of them.
    assert tre_starts([unusable] * 2 + [BOX] * 58) == list(range(2, 41, 2))


def test_tre_keeps_targets_at_the_border():
    assert tre_starts([(-0.5, 0, 5, 5)] * 58) == list(range(0, 39, 2))


@pytest.mark.parametrize(
    ("frames", "expected"),
    [(0, []), (10, [0]), (20, [0]), (21, [0, 1]), (24, [0, 1, 2, 3, 4])],
)
def test_tre_short_sequences_have_fewer_starts(frames, expected):
    assert tre_starts([BOX] * frames) == expected


def test_tre_without_any_target():
    assert tre_starts([NOTHING] * 60) == []


def test_sre_has_the_benchmarks_twelve():
    assert len(SRE_VARIATIONS) == 12


@pytest.mark.parametrize(
    ("variation", "expected"),
    [
        ("left", (95, 49, 40, 60)),
        ("right", (103, 49, 40, 60)),
        ("up", (99, 43, 40, 60)),
        ("down", (99, 55, 40, 60)),
        ("top_left", (95, 43, 44, 66)),
        ("top_right", (99, 43, 44, 66)),
        ("bottom_left", (95, 49, 44, 66)),
        ("bottom_right", (99, 49, 44, 66)),
        ("scale_0.8", (103, 55, 32, 48)),
        ("scale_0.9", (101, 52, 36, 54)),
        ("scale_1.1", (97, 46, 44, 66)),
        ("scale_1.2", (95, 43, 48, 72)),
    ],
)
def test_sre_boxes(variation, expected):
    assert sre_box((99, 49, 40, 60), variation, 320, 240) == expected


@pytest.mark.parametrize(
    ("variation", "expected"),
    [
        # Counted from 1 the box starts at 101; 10 % are 2.5: ceil gives 3 for a side, and
        # 98.5 rounds up to 99 for a corner (to even it would be 98).
        ("left", (97, 50, 25, 60)),
        ("top_left", (98, 44, 27, 66)),
        # Centre 113.5, width 20: from 103.5, so 104.
        ("scale_0.8", (103, 56, 20, 48)),
    ],
)
def test_sre_rounds_as_matlab(variation, expected):
    assert sre_box((100, 50, 25, 60), variation, 320, 240) == expected


@pytest.mark.parametrize(
    ("box", "variation", "expected"),
    [
        ((300, 200, 20, 40), "right", (302, 200, 18, 40)),
        ((300, 200, 20, 40), "down", (300, 204, 20, 36)),
        ((0, 0, 40, 40), "left", (0, 0, 40, 40)),
        # The width grows before the corner is cut, and the benchmark leaves it so.
        ((0, 0, 40, 40), "top_left", (0, 0, 44, 44)),
    ],
)
def test_sre_is_cut_at_the_border(box, variation, expected):
    assert sre_box(box, variation, 320, 240) == expected


def test_enclosing_box_of_a_box_is_itself():
    assert enclosing_box([1, 2.5, 3, 4]) == (1.0, 2.5, 3.0, 4.0)


def test_enclosing_box_of_an_upright_polygon_covers_its_pixels():
    # Pixels 10 to 39 and 20 to 49: 30 of each.
    assert enclosing_box([10, 20, 10, 49, 39, 49, 39, 20]) == pytest.approx((10, 20, 30, 30))


def test_enclosing_box_of_a_diamond_has_its_area():
    x, y, w, h = enclosing_box([10, 0, 20, 10, 10, 20, 0, 10])
    assert (w - 1) * (h - 1) == pytest.approx(200)
    assert (x + (w - 1) / 2, y + (h - 1) / 2) == pytest.approx((10, 10))


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        (BOX, True),
        ((0, 0, 0, 0), False),
        (NOTHING, False),
        ([0], False),
        ([10, 0, 20, 10, 10, 20, 0, 10], True),
        ([10, 0, 20, 10, 10, 20, 0, math.inf], False),
    ],
)
def test_is_target(region, expected):
    assert is_target(region) is expected
