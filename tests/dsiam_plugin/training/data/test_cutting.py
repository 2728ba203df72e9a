"""Crops: geometry to a fraction of a pixel, padding, and no aliasing when shrinking."""

import numpy as np
import pytest

from dsiam_plugin.io.boxes import Box
from dsiam_plugin.training.data.cutting import cut_crop
from dsiam_plugin.training.data.pack import PackGeometry

GEOMETRY = PackGeometry()


def ramp(height: int, width: int, slope: tuple[float, float]) -> np.ndarray:
    """(H, W, 3) whose channels say where a pixel is: x, y and a constant."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * slope[0], y * slope[1], np.full(x.shape, 50)], axis=2).astype(np.uint8)


@pytest.mark.parametrize(
    ("box", "shape", "slope"),
    [
        (Box(60.3, 70.7, 40, 40), (220, 250), (1, 1)),  # enlarged: context side 80, scale 1.5875
        (Box(100.25, 90.5, 64.1, 64.1), (250, 250), (1, 1)),  # scale 0.99
        (Box(300.4, 250.6, 239.7, 239.7), (1000, 1000), (0.25, 0.25)),  # shrunk 3.8 times
    ],
)
def test_every_pixel_shows_the_source_where_the_geometry_says(box, shape, slope):
    crop, inside = cut_crop(ramp(*shape, slope), box, GEOMETRY)
    scale = 127 / (2 * box.w)  # the context side of a square box is twice its side
    places = (np.arange(351) - 175) / scale
    x, y = box.x + (box.w - 1) / 2 + places, box.y + (box.h - 1) / 2 + places
    shown_x = (x > 4 / scale + 4) & (x < shape[1] - 4 / scale - 4)
    shown_y = (y > 4 / scale + 4) & (y < shape[0] - 4 / scale - 4)
    got = crop[np.ix_(shown_y, shown_x)].astype(float)
    assert got[..., 0].size > 10_000
    # The ramp is cut to whole grey levels, and so are averages of it.
    assert np.abs(got[..., 0] - x[shown_x] * slope[0]).max() <= 1.2
    assert np.abs(got[..., 1] - y[shown_y, None] * slope[1]).max() <= 1.2
    truncation = 0.375 if slope[0] < 1 else 0  # mean of quarters
    assert abs((got[..., 0] - x[shown_x] * slope[0]).mean() + truncation) < 0.1
    assert inside == pytest.approx((175 - 31.25, 175 - 31.25, 63.5, 63.5))


def test_a_box_is_centred_whatever_its_shape():
    _, inside = cut_crop(np.zeros((200, 200, 3), np.uint8), Box(20.2, 30.7, 60, 15), GEOMETRY)
    scale = 127 / np.sqrt((60 + 37.5) * (15 + 37.5))
    assert inside.center == pytest.approx((175, 175))
    assert inside[2:] == pytest.approx((60 * scale, 15 * scale))


def test_beyond_the_border_is_the_mean_colour():
    image = np.zeros((100, 100, 3), np.uint8)
    image[:50] = (200, 100, 40)
    crop, _ = cut_crop(image, Box(0, 0, 20, 20), GEOMETRY)  # scale 3.175; left and top lie outside
    assert (crop[:100, :100] == (100, 50, 20)).all()
    assert (crop[200:300, 200:300] == (200, 100, 40)).all()


def test_shrinking_averages_fine_texture():
    checks = np.indices((1200, 1200)).sum(axis=0) % 2 * 255
    image = np.repeat(checks[..., None], 3, axis=2).astype(np.uint8)
    crop, _ = cut_crop(image, Box(470, 470, 254, 254), GEOMETRY)  # 4 px a crop pixel
    middle = crop[60:290, 60:290].astype(int)
    assert np.abs(middle - 127.5).max() <= 1


def test_a_target_outside_the_image_gives_mean_colour_only():
    image = np.full((50, 60, 3), 90, np.uint8)
    crop, _ = cut_crop(image, Box(5000, 5000, 10, 10), GEOMETRY)
    assert (crop == 90).all()


@pytest.mark.parametrize("side", [1e4, 1e8])
def test_a_box_far_larger_than_the_image_costs_no_more_than_the_image(side):
    image = np.full((120, 160, 3), 50, np.uint8)
    geometry = PackGeometry()
    crop, box = cut_crop(image, Box(80 - side / 2, 60 - side / 2, side, side), geometry)
    assert crop.shape == (geometry.side, geometry.side, 3)
    assert (crop == 50).all()
    assert box.w == pytest.approx(geometry.exemplar_size / 2)
