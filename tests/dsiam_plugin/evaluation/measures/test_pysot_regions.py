import math

import pytest

from dsiam_plugin.evaluation.measures.pysot_regions import (
    vot_float2str,
    vot_overlap,
    vot_overlap_traj,
)


def test_overlap_is_that_of_the_region_library():
    # 11 of 21 columns: a rectangle of width w covers w + 1.
    assert vot_overlap([10, 10, 10, 10], [10, 10, 20, 10], (100, 100)) == pytest.approx(11 / 21)
    assert vot_overlap([10, 10, 10, 10], [10, 10, 20, 10], (20, 100)) == 1.0
    assert vot_overlap([10, 10, 10, 10], [10, 10, 20, 10]) == pytest.approx(11 / 21)


def test_trajectories_go_frame_by_frame():
    box = [10.0, 10, 10, 10]
    overlaps = vot_overlap_traj([[1], box], [box, box], (100, 100))
    assert math.isnan(overlaps[0]) and overlaps[1] == 1.0


def test_numbers_are_written_as_c_does():
    assert vot_float2str("%.4f", 1 / 3) == "0.3333"
