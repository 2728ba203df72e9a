"""Objects and backgrounds out of photographs with segments."""

import cv2
import numpy as np
import pytest

from dsiam_plugin.errors import DatasetError, ImageError
from dsiam_plugin.evaluation.synthesis.sprites import make_sprite
from dsiam_plugin.evaluation.synthesis.stills import StillLibrary, object_regions, soft_edge


def write_still(folder, name="one", shape=(120, 160), *, segments=True):
    """A grey photograph with a striped disc of radius 25 at (80, 60), labelled 7."""
    image = np.full((*shape, 3), 120, dtype=np.uint8)
    labels = np.ones(shape, dtype=np.uint8)
    cv2.circle(labels, (80, 60), 25, 7, -1)
    stripes = np.where(np.arange(shape[1]) // 4 % 2, 230, 20).astype(np.uint8)
    image[labels == 7] = np.broadcast_to(stripes[None, :, None], image.shape)[labels == 7]
    cv2.imwrite(str(folder / f"{name}.jpg"), image)
    if segments:
        cv2.imwrite(str(folder / f"{name}_segments.png"), labels)
    return image, labels


def test_the_disc_is_the_object(tmp_path):
    write_still(tmp_path)
    image, labels = StillLibrary(tmp_path).still("one")
    regions = object_regions(image, labels)
    assert len(regions) == 1 and np.array_equal(regions[0] > 0, labels == 7)
    sprite = StillLibrary(tmp_path).sprite(np.random.default_rng(0))
    # 51 px across, less a rim of one pixel; smoothing takes the outermost tips of a circle too.
    assert sprite.extent == pytest.approx(48, abs=1)


@pytest.mark.parametrize("change", ["flat", "small", "cut off", "thin", "background"])
def test_regions_that_are_no_objects(tmp_path, change):
    image, labels = write_still(tmp_path)
    if change == "flat":
        image[:] = 120
    elif change == "small":
        labels[:] = 1
        labels[50:60, 50:60] = 7
    elif change == "cut off":
        image, labels = image[:, 70:].copy(), labels[:, 70:].copy()
    elif change == "background":
        labels[labels == 7] = 0
    else:
        labels[:] = 1
        labels[20:100, 60:90] = 7
    assert object_regions(image, labels) == []


def test_soft_edge_lies_within_the_segment():
    mask = np.zeros((40, 40), dtype=np.uint8)
    mask[10:30, 10:30] = 1
    alpha = soft_edge(mask)
    assert alpha[20, 20] == pytest.approx(1)
    assert 0.5 < alpha[20, 11] < 1 and alpha[20, 10] < 0.5
    assert alpha[20, 5] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("height", "width"), [(300, 400), (60, 200), (200, 90)])
def test_background_fills_the_frame_without_stretching(tmp_path, height, width):
    write_still(tmp_path)
    rows, columns = np.mgrid[:120, :160]
    ramp = np.repeat((0.8 * (rows + columns)).astype(np.uint8)[..., None], 3, axis=2)
    cv2.imwrite(str(tmp_path / "one.jpg"), ramp)  # as steep across as it is down
    background = StillLibrary(tmp_path).background(np.random.default_rng(1), height, width)
    assert background.shape == (height, width, 3)
    grey = background[..., 0].astype(float)
    down, across = (np.diff(grey, axis=axis).mean() for axis in (0, 1))
    assert down == pytest.approx(across, rel=0.05)


def test_sprite_is_centred_and_its_copies_keep_its_colour():
    alpha = np.zeros((90, 70))
    alpha[5:85, 10:42] = 1
    sprite = make_sprite(np.full((90, 70, 3), 160.0), alpha)
    assert sprite.extent == pytest.approx(np.sqrt(80 * 32))
    assert len(sprite.levels) >= 2
    for level in sprite.levels:
        height, width = level.shape[:2]
        assert level[height // 2, width // 2] == pytest.approx([160, 160, 160, 1], abs=1e-3)


@pytest.mark.parametrize(
    ("scale", "expected"), [(2.0, 1.0), (1.0, 1.0), (0.6, 1.0), (0.5, 0.5), (0.01, 0.25)]
)
def test_level_is_never_coarser_than_what_is_drawn(scale, expected):
    sprite = make_sprite(np.zeros((50, 50, 3)), np.ones((50, 50)))
    level, share = sprite.level(scale)
    assert share == expected
    assert level.shape[0] == pytest.approx(sprite.levels[0].shape[0] * share, abs=1)


def test_folder_without_stills(tmp_path):
    with pytest.raises(DatasetError, match=r"no stills; expected NAME.jpg"):
        StillLibrary(tmp_path)
    with pytest.raises(DatasetError, match="no such folder of stills"):
        StillLibrary(tmp_path / "absent")


def test_still_without_its_segments(tmp_path):
    write_still(tmp_path, "a")
    write_still(tmp_path, "b", segments=False)
    with pytest.raises(DatasetError, match=r"b_segments.png: missing segments"):
        StillLibrary(tmp_path)


def test_truncated_photograph(tmp_path):
    write_still(tmp_path)
    (tmp_path / "one.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(ImageError, match=r"one.jpg: ends after 3 bytes"):
        StillLibrary(tmp_path).sprite(np.random.default_rng(0))


def test_segments_of_another_size(tmp_path):
    write_still(tmp_path)
    cv2.imwrite(str(tmp_path / "one_segments.png"), np.ones((10, 10), np.uint8))
    with pytest.raises(DatasetError, match=r"one_segments.png: shape \(10, 10\); expected"):
        StillLibrary(tmp_path).sprite(np.random.default_rng(0))


def test_no_region_is_an_object(tmp_path):
    write_still(tmp_path)
    cv2.imwrite(str(tmp_path / "one_segments.png"), np.ones((120, 160), np.uint8))
    with pytest.raises(DatasetError, match="no segment of any still can serve"):
        StillLibrary(tmp_path).sprite(np.random.default_rng(0))
