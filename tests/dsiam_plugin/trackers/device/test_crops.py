import numpy as np
import pytest
import torch

from dsiam_plugin.trackers.crops import crop_square
from dsiam_plugin.trackers.device.crops import sample, windows_around

FILL = (10.4, 20.5, 31.5)


def frames(*images):
    return torch.from_numpy(np.stack(images))


def doubles(values):
    return torch.tensor(values, dtype=torch.float64)


def noise(seed=0, height=60, width=80):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def cut(images, centers, sides, size):
    """Crops (N, S, size, size, 3) of all centres at all their sides."""
    windows = windows_around(doubles(centers), doubles(sides))
    fill = torch.tensor([FILL] * len(centers)).round()
    return windows, sample(frames(*images), windows, fill, size).permute(0, 1, 3, 4, 2).numpy()


@pytest.mark.parametrize("size", [15, 31])
@pytest.mark.parametrize(
    "center",
    [(40, 30), (40.5, 30.5), (12.3, 47.9), (0, 0), (79, 59), (-4, 70), (39.5, 29.5), (500, -80)],
)
def test_crops_are_the_host_tracker_s_within_a_grey_level(center, size):
    image = noise()
    sides = [0.2, 7.5, 14.6, 15.0, 31.0, 33.3, 200.0]
    windows, crops = cut([image], [center], [sides], size)
    for index, side in enumerate(sides):
        expected = crop_square(image, center, side, size, FILL)
        assert tuple(windows.center[0, index].tolist()) == expected.center
        assert windows.side[0, index] == expected.side_px
        difference = np.abs(crops[0, index] - expected.pixels.astype(float))
        assert difference.max() <= 1
        assert difference.mean() < 0.3


def test_a_window_of_the_crop_s_size_is_copied():
    image = noise()
    _, crops = cut([image], [(40, 30)], [[21]], 21)
    np.testing.assert_array_equal(crops[0, 0], image[20:41, 30:51])


def test_halving_by_hand():
    """Between the first and second of two pixels: (0 + 100) / 2."""
    image = np.zeros((8, 8, 3), np.uint8)
    image[:, 1::2] = 100
    _, crops = cut([image], [(3.5, 3.5)], [[8]], 4)
    assert (crops == 50).all()


def test_targets_of_one_image_and_of_their_own_images():
    first, second = noise(1), noise(2)
    centers, sides = [(30, 20), (70, 55)], [[20, 25], [50, 60]]
    _, shared = cut([first], centers, sides, 31)
    _, own = cut([first, second], centers, sides, 31)
    for crops, images in ((shared, (first, first)), (own, (first, second))):
        for target in range(2):
            for index, side in enumerate(sides[target]):
                expected = crop_square(images[target], centers[target], side, 31, FILL).pixels
                assert np.abs(crops[target, index] - expected.astype(float)).max() <= 1


def test_fill_is_each_target_s_own():
    windows = windows_around(doubles([(500, 500), (500, 500)]), doubles([[9], [9]]))
    fill = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    crops = sample(frames(noise()), windows, fill, 5)
    assert (crops == fill[:, None, :, None, None]).all()
