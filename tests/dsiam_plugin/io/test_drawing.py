import numpy as np
import pytest

from dsiam_plugin.io.boxes import Box
from dsiam_plugin.io.drawing import LOST_COLOR, TARGET_COLOR, draw_box, draw_result

GREY = np.full((120, 160, 3), 90, np.uint8)


def pixels_of(image, color, tolerance=60):
    """Rows and columns of pixels near a colour."""
    return np.nonzero((np.abs(image.astype(int) - color) < tolerance).all(axis=2))


@pytest.mark.parametrize("box", [Box(40, 30, 50, 60), Box(40.4, 29.6, 50, 60)])
def test_box_is_drawn_on_its_border_in_rgb(box):
    rows, columns = pixels_of(draw_box(GREY, box, (0, 0, 255)), (0, 0, 255))
    assert abs(columns.min() - 40) <= 1
    assert abs(columns.max() - 89) <= 1
    assert abs(rows.min() - 30) <= 1
    assert abs(rows.max() - 89) <= 1
    assert not ((columns > 45) & (columns < 85) & (rows > 35) & (rows < 85)).any()


def test_input_is_not_changed():
    image = GREY.copy()
    draw_result(image, Box(40, 30, 50, 60), 0.5, True)
    assert (image == GREY).all()


def test_lost_target_is_red_and_says_so():
    box = Box(60, 60, 50, 50)
    found = draw_result(GREY, box, 0.5, lost=False)
    lost = draw_result(GREY, box, 0.5, lost=True)
    assert pixels_of(found, TARGET_COLOR)[0].size
    assert not pixels_of(found, LOST_COLOR)[0].size
    assert not pixels_of(lost, TARGET_COLOR)[0].size
    assert (lost[:40] != GREY[:40]).sum() > 1.3 * (found[:40] != GREY[:40]).sum()  # more letters


def test_first_frame_has_no_score():
    drawn = draw_result(GREY, Box(60, 60, 50, 50), None, lost=False)
    assert (drawn[:40] == 90).all()


@pytest.mark.parametrize(
    "box", [Box(-50, -50, 30, 30), Box(150, 110, 500, 500), Box(-1e12, 0, 3e12, 1e300)]
)
def test_boxes_over_the_border(box):
    assert draw_box(GREY, box, label="here").shape == GREY.shape


@pytest.mark.parametrize("box", [Box(310, 0, 60, 60), Box(-30, 235, 60, 60)])
def test_label_stays_inside_the_image(box):
    image = np.full((240, 320, 3), 90, np.uint8)
    plain = draw_box(image, box, (0, 255, 0))
    labelled = draw_box(image, box, (0, 255, 0), "DSiamM")
    _, columns = np.nonzero((plain != labelled).any(axis=2))
    letters = pixels_of(labelled, (0, 255, 0))[0].size - pixels_of(plain, (0, 255, 0))[0].size
    assert letters > 50  # cut letters would have fewer
    assert np.ptp(columns) > 35
