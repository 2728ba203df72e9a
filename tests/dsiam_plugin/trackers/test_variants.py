import cv2
import numpy as np
import pytest
import torch

from dsiam_plugin.core.boxes import VARIANTS
from dsiam_plugin.trackers.variants import exemplar_variants, wide_size
from dsiam_plugin.training.data.augment import cut_window

SIZE = 127


@pytest.fixture(scope="module")
def wide():
    """Two smooth pictures, float32 in whole grey levels."""
    side = wide_size(SIZE)
    noise = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), np.uint8)
    return np.stack([cv2.GaussianBlur(item, (0, 0), 3) for item in noise])


def variants_of(pictures):
    planes = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    return exemplar_variants(planes, SIZE).permute(0, 1, 3, 4, 2).numpy()


def test_every_place_of_a_variant_lies_in_the_wide_crop():
    zoom, stretch = (max(abs(np.log(v[0])) for v in VARIANTS), max(abs(v[1]) for v in VARIANTS))
    reach = max(np.exp(zoom), np.exp(stretch / 2)) * (SIZE - 1) / 2
    assert 0 <= (wide_size(SIZE) - 1) / 2 - reach < 3
    assert wide_size(SIZE) % 2 == SIZE % 2, "both have their middle on a pixel"


def test_variants_are_those_that_training_cuts(wide):
    """The trackers' matrices against OpenCV's warp, which places pixels to 1/32."""
    made = variants_of(wide)
    assert made.shape == (2, len(VARIANTS), SIZE, SIZE, 3)
    for picture, variants in zip(wide, made, strict=True):
        for (zoom, stretch), found in zip(VARIANTS, variants, strict=True):
            expected = cut_window(picture, SIZE, (0.0, 0.0), zoom, False, stretch)
            assert np.abs(found - expected).max() <= 2
            assert np.abs(found - expected).mean() < 0.3


def test_variants_show_the_picture_zoomed_and_stretched(wide):
    """A disc's width and height in each are what the table says."""
    side = wide_size(SIZE)
    disc = np.zeros((1, side, side, 3), np.uint8)
    cv2.circle(disc[0], (side // 2, side // 2), 40, (255, 255, 255), -1, cv2.LINE_AA)
    for (zoom, stretch), picture in zip(VARIANTS, variants_of(disc)[0], strict=True):
        width = picture[SIZE // 2, :, 0].sum() / 255
        height = picture[:, SIZE // 2, 0].sum() / 255
        assert width == pytest.approx(81 / zoom * np.exp(stretch / 2), abs=1)
        assert height == pytest.approx(81 / zoom * np.exp(-stretch / 2), abs=1)


def test_pictures_have_variants_as_each_alone(wide):
    together = variants_of(wide)
    for index in range(2):
        np.testing.assert_array_equal(together[index], variants_of(wide[index : index + 1])[0])
    assert np.array_equal(together, together.round())
    assert together.min() >= 0
    assert together.max() <= 255
