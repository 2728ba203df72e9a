import numpy as np
import pytest

from dsiam_plugin.trackers import crops
from dsiam_plugin.trackers.crops import (
    channel_means,
    context_side,
    crop_square,
    round_half_up,
    search_pyramid,
)

FILL = (10.0, 20.0, 30.0)


def ramp(height=40, width=60):
    """Each pixel tells where it is: (x, y, 0)."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.arange(width)
    image[..., 1] = np.arange(height)[:, None]
    return image


def test_context_side_by_hand():
    # w 30, h 10, p = 0.5 * 40 = 20: sqrt(50 * 30)
    assert context_side(30, 10, 0.5) == pytest.approx(1500**0.5)


def test_inner_crop_without_resizing_is_the_window():
    crop = crop_square(ramp(), (20, 15), 11, 11, FILL)
    np.testing.assert_array_equal(crop.pixels, ramp()[10:21, 15:26])
    assert crop.center == (20, 15)
    assert crop.side_px == 11


def test_center_is_that_of_the_whole_pixels_cut():
    crop = crop_square(ramp(), (20.3, 15.8), 10.4, 10, FILL)
    left, top = crop.pixels[0, 0, :2]
    assert crop.center == (left + 4.5, top + 4.5)
    assert abs(crop.center[0] - 20.3) <= 0.5
    assert abs(crop.center[1] - 15.8) <= 0.5


@pytest.mark.parametrize("center", [(0, 0), (59, 39), (0, 39), (-3, 20)])
def test_beyond_the_border_is_the_fill(center):
    crop = crop_square(ramp(), center, 21, 21, FILL)
    for row, column in np.ndindex(21, 21):
        x, y = center[0] - 10 + column, center[1] - 10 + row
        inside = 0 <= x < 60 and 0 <= y < 40
        assert tuple(crop.pixels[row, column]) == ((x, y, 0) if inside else FILL)


def test_window_wholly_outside_is_all_fill():
    crop = crop_square(ramp(), (500, 500), 9, 5, (1.4, 2.6, 3.0))
    assert crop.pixels.shape == (5, 5, 3)
    assert (crop.pixels == [1, 3, 3]).all()


def test_window_larger_than_the_image():
    crop = crop_square(ramp(), (29.5, 19.5), 100, 100, FILL)
    np.testing.assert_array_equal(crop.pixels[30:70, 20:80], ramp())


def test_resizing_keeps_the_middle():
    image = np.zeros((101, 101, 3), np.uint8)
    image[48:53, 48:53] = 200
    pixels = crop_square(image, (50, 50), 50, 255, FILL).pixels[..., 0].astype(float)
    rows, columns = np.nonzero(pixels > 100)
    # The window of 50 px is centred on 49.5 or 50.5, half a source pixel (2.55 crop pixels) off.
    offset = (50 - crop_square(image, (50, 50), 50, 255, FILL).center[0]) * 255 / 50
    assert rows.mean() == pytest.approx(127 + offset, abs=0.6)
    assert columns.mean() == pytest.approx(127 + offset, abs=0.6)


def test_the_image_is_not_written_to():
    image = ramp()
    image.flags.writeable = False
    crop_square(image, (0, 0), 30, 127, channel_means(image))


def test_pyramid_has_one_crop_a_side():
    crops = search_pyramid(ramp(), (30, 20), [10, 20, 30], 16, FILL)
    assert [crop.side_px for crop in crops] == [10, 20, 30]
    assert all(crop.pixels.shape == (16, 16, 3) for crop in crops)


def test_halves_round_upwards():
    assert [round_half_up(value) for value in (0.5, 1.5, -0.5, 2.4)] == [1, 2, 0, 2]


@pytest.mark.parametrize("side", [60, 333, 1000, 2001])
@pytest.mark.parametrize("center", [(100, 60), (3.7, 110.2), (-80, 60), (400, 400)])
def test_sampled_windows_differ_from_padded_ones_by_rounding_only(monkeypatch, side, center):
    image = np.random.default_rng(0).integers(0, 256, (120, 200, 3), np.uint8)
    padded = crop_square(image, center, side, 51, FILL)
    monkeypatch.setattr(crops, "LARGEST_PADDED_PX", 0)
    sampled = crop_square(image, center, side, 51, FILL)
    assert sampled[1:] == padded[1:]
    assert sampled.pixels.dtype == np.uint8
    difference = np.abs(sampled.pixels.astype(int) - padded.pixels)
    assert difference.max() <= 1


def test_windows_within_the_limit_are_resized_by_opencv(monkeypatch):
    monkeypatch.setattr(crops, "_sampled", None)
    crop_square(ramp(), (30, 20), crops.LARGEST_PADDED_PX, 5, FILL)


@pytest.mark.parametrize("side", [1e4, 1e5, 1e12, 1e300, float("inf")])
def test_a_window_of_any_size_costs_no_more_than_its_crop(monkeypatch, side):
    monkeypatch.setattr(crops.cv2, "copyMakeBorder", None)  # would make the whole window
    crop = crop_square(ramp(), (29.5, 19.5), side, 255, FILL)
    assert crop.pixels.shape == (255, 255, 3)
    assert (crop.pixels[0, 0] == FILL).all()
    assert crop.center == pytest.approx((29.5, 19.5), abs=0.5)
