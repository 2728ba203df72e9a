import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dsiam_plugin.errors import BenchmarkError
from dsiam_plugin.evaluation.measures import metrics

# Zero, negative, tied, huge and non-finite numbers beside ordinary ones.
numbers = st.one_of(
    st.sampled_from([0.0, 1.0, 2.0, 20.0, 21.0, -1.0, 1e6, math.nan, math.inf]),
    st.floats(-50, 300, width=32),
)


@st.composite
def truth_and_result(draw):
    frames = draw(st.integers(1, 12))
    rows = draw(st.integers(0, frames))
    truth = draw(arrays(float, (frames, 4), elements=numbers))
    return truth, draw(arrays(float, (rows, 4), elements=numbers))


def slow_overlap(truth, box):
    """Frame by frame from the definition; None marks a miss."""
    x, y, w, h = (float(number) for number in truth)
    if not (w > 0 and h > 0):
        return -1.0
    if box is None or not all(math.isfinite(number) for number in (*box, x, y, w, h)):
        return None
    left, right = max(x, box[0]), min(x + w, box[0] + box[2])
    top, bottom = max(y, box[1]), min(y + h, box[1] + box[3])
    shared = max(0.0, right - left) * max(0.0, bottom - top)
    union = w * h + box[2] * box[3] - shared
    return min(1.0, max(0.0, shared / union)) if union else None


def slow_centre(box):
    return box[0] + (box[2] - 1) / 2, box[1] + (box[3] - 1) / 2


def slow_distance(truth, box, normalised):
    divide = (truth[2] + 1e-16, truth[3] + 1e-16) if normalised else (1, 1)
    aim = [a / b if b else math.nan for a, b in zip(slow_centre(truth), divide, strict=True)]
    if not (aim[0] > 0 and aim[1] > 0):
        return -1.0
    if box is None:
        return None
    at = [a / b for a, b in zip(slow_centre(box), divide, strict=True)]
    distance = math.sqrt((aim[0] - at[0]) ** 2 + (aim[1] - at[1]) ** 2)
    return None if math.isnan(distance) else distance


def slow_share(values, passes):
    return sum(value is not None and passes(value) for value in values) / len(values)


def padded(truth, result):
    rows = [tuple(map(float, row)) for row in result]
    return [tuple(map(float, row)) for row in truth], rows + [None] * (len(truth) - len(rows))


@settings(max_examples=60, deadline=None)
@given(truth_and_result())
def test_success_equals_a_loop_over_frames_and_thresholds(pair):
    truth, result = padded(*pair)
    overlaps = [slow_overlap(*both) for both in zip(truth, result, strict=True)]
    expected = [slow_share(overlaps, lambda v, t=k * 0.05: v > t) for k in range(21)]
    assert metrics.success_curve(*pair) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(truth_and_result())
def test_precision_equals_a_loop_over_frames_and_thresholds(pair):
    truth, result = padded(*pair)
    for curve, normalised, step in (
        (metrics.precision_curve, False, 1),
        (metrics.norm_precision_curve, True, 100),
    ):
        distances = [slow_distance(*both, normalised) for both in zip(truth, result, strict=True)]
        expected = [slow_share(distances, lambda v, t=k / step: v <= t) for k in range(51)]
        assert curve(*pair) == pytest.approx(expected, abs=1e-12)


def test_hand_worked_success():
    truth = [[0, 0, 10, 10], [0, 0, 10, 10], [5, 5, 0, 4]]
    result = [[0, 0, 10, 10], [5, 0, 10, 10], [5, 5, 1, 4]]
    curve = metrics.success_curve(truth, result)
    assert curve[0] == pytest.approx(2 / 3)  # the frame without annotation never counts
    assert curve[6] == pytest.approx(2 / 3)  # 1/3 > 0.30
    assert curve[7] == pytest.approx(1 / 3)
    assert curve[20] == 0  # an overlap of 1 is not above 1


def test_hand_worked_precision():
    truth = [[10, 10, 11, 11], [10, 10, 11, 11], [-30, 10, 11, 11]]
    result = [[13, 14, 11, 11], [10, 30, 11, 11], [500, 500, 1, 1]]
    curve = metrics.precision_curve(truth, result)
    assert curve[4] == pytest.approx(1 / 3)  # only the centre outside the image, a hit by rule
    assert curve[5] == pytest.approx(2 / 3)  # distance 5 is within 5
    assert curve[metrics.PRECISION_INDEX] == 1.0  # distance 20 is within 20
    norm = metrics.norm_precision_curve(truth, result)
    assert norm[45] == pytest.approx(1 / 3)
    assert norm[46] == pytest.approx(2 / 3)  # 5 px of 11 px


def test_frames_taken_out_still_count_in_the_length():
    box = [[10.0, 10.0, 5.0, 5.0]]
    assert metrics.success_curve(box, box, 4)[0] == 0.25
    assert metrics.precision_curve(box, box, 4)[0] == 0.25


@pytest.mark.parametrize(
    ("truth", "result", "message"),
    [
        (np.ones((2, 4)), np.ones((3, 4)), "result of 3 rows, expected 2"),
        (np.ones((2, 8)), np.ones((2, 4)), r"annotation of shape \(2, 8\)"),
        (np.ones((2, 4)), np.ones((2, 5)), r"result of shape \(2, 5\)"),
        (np.ones((0, 4)), np.ones((0, 4)), r"annotation of shape \(0, 4\)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(truth, result, message):
    with pytest.raises(BenchmarkError, match=message):
        metrics.success_curve(truth, result)


def test_arguments_are_left_alone():
    truth, result = np.full((3, 4), 7.0), np.full((2, 4), np.nan)
    before = truth.copy(), result.copy()
    metrics.norm_precision_curve(truth, result)
    np.testing.assert_array_equal((truth, result)[0], before[0])
    np.testing.assert_array_equal((truth, result)[1], before[1])
