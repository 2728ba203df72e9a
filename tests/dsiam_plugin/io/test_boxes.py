import math

import pytest

from dsiam_plugin.errors import BoxError
from dsiam_plugin.io.boxes import Box, box_from_center, box_from_polygon, check_box, overlap


def test_center_is_the_middle_pixel_index():
    assert Box(10, 20, 5, 3).center == (12, 21)


def test_box_from_center_inverts_center():
    box = Box(3.5, -2.25, 17.5, 9.0)
    assert box_from_center(*box.center, box.w, box.h) == pytest.approx(box)


def test_polygon_becomes_its_bounding_box():
    assert box_from_polygon([2, 0, 6, 3, 4, 8, 0, 5]) == Box(0, 0, 6, 8)


@pytest.mark.parametrize("points", [[1, 2, 3, 4], [1, 2, 3, 4, 5, 6, 7]])
def test_polygon_needs_three_corners(points):
    with pytest.raises(BoxError, match="3 corners"):
        box_from_polygon(points)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (Box(0, 0, 10, 10), 1.0),
        (Box(5, 0, 10, 10), 50 / 150),
        (Box(10, 0, 10, 10), 0.0),
        (Box(2, 2, 5, 5), 25 / 100),
    ],
)
def test_overlap_by_hand(other, expected):
    assert overlap(Box(0, 0, 10, 10), other) == pytest.approx(expected)


def test_box_over_the_border_or_larger_than_the_image_is_accepted():
    assert check_box((-5, -5, 20, 20), 100, 80) == Box(-5, -5, 20, 20)
    assert check_box((-10, -10, 500, 500), 100, 80) == Box(-10, -10, 500, 500)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((1, 2, 3), "got 3"),
        ((1, 2, 3, "a"), "four numbers"),
        (None, "four numbers"),
        ((1, 2, math.nan, 4), "finite"),
        ((1, math.inf, 3, 4), "finite"),
        ((1, 2, 0, 4), "positive width and height"),
        ((1, 2, 3, -4), "positive width and height"),
        ((200, 2, 3, 4), "outside the 100x80 image"),
        ((-9, 2, 9, 4), "outside the 100x80 image"),
    ],
)
def test_bad_boxes_are_named(values, said):
    with pytest.raises(BoxError, match=said):
        check_box(values, 100, 80)
