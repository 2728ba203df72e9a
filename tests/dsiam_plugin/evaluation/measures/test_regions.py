import math

import numpy as np
import pytest
from evaluation_data import random_polygon

from dsiam_plugin.errors import BenchmarkError
from dsiam_plugin.evaluation.measures.raster import are_convex
from dsiam_plugin.evaluation.measures.regions import Regions, region_overlaps

SIZE = (120, 90)


def overlap(first, second, bounds=SIZE, convention="pysot"):
    return region_overlaps(Regions.pack([first]), Regions.pack([second]), bounds, convention)[0]


def slow_pixels(corners, width, height, horizontal, lone):
    """Pixels of a polygon of whole-number corners, row by row as the scan line has it."""
    pixels = set()
    for row in range(height):
        nodes = []
        for (x0, y0), (x1, y1) in zip(corners, corners[-1:] + corners[:-1], strict=True):
            if y0 == y1:
                nodes += [int(x0)] if horizontal and y0 == row else []
            elif min(y0, y1) <= row <= max(y0, y1):
                nodes.append(int(x0 + (row - y0) / (y1 - y0) * (x1 - x0)))
        nodes.sort()
        at = 0
        while at < len(nodes) - 1:
            last = at == len(nodes) - 2
            if nodes[at] == nodes[at + 1] and not (lone and last):
                at += 1
                continue
            pixels |= {(x, row) for x in range(max(nodes[at], 0), min(nodes[at + 1] + 1, width))}
            at += 2
    return pixels


def slow_pysot(first, second, bounds):
    """The region library's overlap, from its description: floats of single precision."""
    boxes, polygons = [], []
    for region in (first, second):
        if len(region) == 4:
            x, y, w, h = region
            region = [x, y, x + w, y, x + w, y + h, x, y + h]
        points = np.array(region, dtype=np.float32).reshape(-1, 2)
        low, high = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0))
        boxes.append((np.maximum(low, 0), np.minimum(high, np.float32(bounds))))
        polygons.append(points)
    origin = np.minimum(boxes[0][0], boxes[1][0])
    width, height = (int(n) + 1 for n in np.maximum(boxes[0][1], boxes[1][1]) - origin)
    (low1, high1), (low2, high2) = boxes
    area1, area2 = float(np.prod(high1 - low1)), float(np.prod(high2 - low2))
    shared = np.minimum(high1, high2) - np.maximum(low1, low2)
    if width < 1 or height < 1:
        return 0.0
    # Two boxes without area are compared all the same, one alone is not.
    if not area1 == area2 == 0 and (min(area1, area2) <= 0 or (shared <= 0).any()):
        return 0.0
    masks = []
    for points in polygons:
        moved = (points - origin).astype(float)
        corners = [tuple(math.copysign(math.floor(abs(v) + 0.5), v) for v in p) for p in moved]
        masks.append(slow_pixels(corners, width, height, horizontal=False, lone=False))
    either = len(masks[0] | masks[1])
    return len(masks[0] & masks[1]) / either if either else math.nan


def pairs(count, sizes, seed):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        centre = rng.uniform(-20, 130, 2)
        spread = rng.choice([1.5, 6.0, 40.0])
        yield tuple(
            random_polygon(
                rng, rng.choice(sizes), spread, centre + rng.uniform(-spread, spread, 2) / 3
            )
            for _ in range(2)
        )


@pytest.mark.parametrize("sizes", [(4, 8), (6, 10)])
def test_pysot_overlap_equals_pixel_sets(sizes):
    tried = list(pairs(300, sizes, seed=len(sizes) + sizes[0]))
    expected = [slow_pysot(*pair, SIZE) for pair in tried]
    first, second = (Regions.pack(side) for side in zip(*tried, strict=True))
    got = region_overlaps(first, second, SIZE, "pysot")
    np.testing.assert_allclose(got, expected, atol=1e-12)
    assert np.mean(np.array(expected) > 0) > 0.2  # the cases do overlap


@pytest.mark.parametrize("sizes", [(4, 8), (6, 10), (4,)])
def test_vot_overlap_equals_the_vot_toolkit(sizes):
    region = pytest.importorskip("vot.region", exc_type=ImportError)

    def official(numbers):
        if len(numbers) == 1:
            return region.Special(numbers[0])
        if len(numbers) == 4:
            return region.Rectangle(*numbers)
        return region.Polygon(list(zip(numbers[::2], numbers[1::2], strict=True)))

    tried = [*pairs(600, sizes, seed=7), ([2], [3.0, 4, 20, 20]), ([1], [0])]
    expected = [region.calculate_overlap(official(a), official(b), SIZE) for a, b in tried]
    first, second = (Regions.pack(side) for side in zip(*tried, strict=True))
    got = region_overlaps(first, second, SIZE, "vot")
    np.testing.assert_allclose(got, expected, atol=1e-12)


def test_the_same_rectangle_counts_a_row_and_column_more_in_pysot():
    assert overlap([10, 10, 10, 10], [10, 10, 20, 10]) == pytest.approx(11 * 11 / (21 * 11))
    assert overlap([10, 10, 10, 10], [10, 10, 20, 10], convention="vot") == pytest.approx(0.5)


def test_only_pixels_within_the_image_count():
    inside, reaching = [110, 10, 10, 10], [110, 10, 30, 10]
    assert overlap(inside, reaching, convention="vot") == 1.0
    assert overlap(inside, reaching, (200, 90), "vot") == pytest.approx(1 / 3)
    assert overlap(inside, reaching, (119, 89)) == 1.0
    assert overlap(inside, reaching, (120, 90)) == 1.0
    assert overlap(inside, reaching, (121, 90)) == pytest.approx(11 / 12)


def test_codes_and_numbers_that_are_not_finite():
    box = [10, 10, 10, 10]
    nan = [math.nan] * 4
    assert math.isnan(overlap([1], box)) and math.isnan(overlap(box, [0]))
    assert overlap([1], box, convention="vot") == 0.0
    assert overlap([1], [0], convention="vot") == 1.0
    assert overlap(nan, box) == 0.0 and overlap(nan, box, convention="vot") == 0.0
    assert math.isnan(overlap(box, nan)) and math.isnan(overlap(nan, [0]))


def test_huge_regions_need_no_memory():
    assert overlap([-1e20, -1e20, 2e20, 2e20], [0, 0, 120, 90]) == 1.0
    assert overlap([-1e200, -1e200, 2e200, 2e200], [0, 0, 120, 90]) == 0.0


def test_a_zero_sized_prediction_misses():
    assert overlap([10, 10, 0, 0], [10, 10, 10, 10]) == 0.0


def test_trajectories_of_mixed_sizes_keep_their_order():
    predictions = [[1], [10, 10, 10, 10], [2], [10, 10, 20, 10, 20, 20, 10, 20], [0]]
    got = region_overlaps(Regions.pack(predictions), Regions.pack([[10, 10, 10, 10]] * 5), SIZE)
    np.testing.assert_array_equal(got, [math.nan, 1.0, math.nan, 1.0, math.nan])


def test_lists_of_different_length_are_refused():
    with pytest.raises(BenchmarkError, match="1 predictions for 2 annotated regions"):
        region_overlaps(Regions.pack([[1]]), Regions.pack([[1], [1]]), SIZE)


@pytest.mark.parametrize("region", [[], [1.0, 2.0], [1.0] * 7])
def test_regions_of_no_known_kind_are_refused(region):
    with pytest.raises(BenchmarkError, match=f"region 1 has {len(region)} numbers, expected a"):
        region_overlaps(Regions.pack([[1], region]), Regions.pack([[1], [1]]), SIZE)


def test_only_quadrilaterals_that_turn_one_way_are_convex():
    square = [(0, 0), (4, 0), (4, 4), (0, 4)]
    dart = [(0, 0), (4, 0), (1, 1), (0, 4)]
    bow_tie = [(0, 0), (4, 4), (4, 0), (0, 4)]
    flat = [(0, 0), (2, 0), (4, 0), (0, 4)]
    corners = np.array([square, square[::-1], dart, bow_tie, flat], dtype=float).transpose(2, 1, 0)
    assert are_convex(corners).tolist() == [True, True, False, False, False]


def test_regions_that_reach_beyond_bounds():
    regions = Regions.pack([[1], [0, 0, 10, 10], [0, 0, 10, 11], [1, 1, 11, 2, 3, 3]])
    assert regions.reach_beyond((10, 10)).tolist() == [False, False, True, True]
