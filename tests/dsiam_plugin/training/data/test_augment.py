import numpy as np
import pytest

from dsiam_plugin.training.data.augment import (
    AugmentConfig,
    blurred,
    coarse,
    covered,
    cut_window,
    random_part,
    relight,
    to_grey,
)


@pytest.fixture
def crop():
    """Two ramps: red grows by 1 a column, green by 1 a row."""
    rows, columns = np.mgrid[:201, :201]
    return np.dstack([columns, rows, np.full_like(rows, 7)]).astype(np.uint8)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("scale", [0.8, 1.0, 1.25])
def test_cut_shows_the_middle_at_the_offset(crop, scale, flip):
    window = cut_window(crop, 81, (12.0, -6.0), scale, flip)
    assert window[40 - 6, 40 + 12, :2] == pytest.approx([100, 100], abs=1)
    step = window[34, 72, 0].astype(float) - window[34, 32, 0]
    assert step == pytest.approx((-40 if flip else 40) * scale, abs=2)
    assert float(window[54, 52, 1]) - window[34, 52, 1] == pytest.approx(20 * scale, abs=2)


def test_cuts_show_what_they_are_cut_about(crop):
    """A place of the crop beside its middle, whatever the cut does beside that."""
    window = cut_window(crop, 81, (6.0, -4.0), 0.8, True, 0.2, about=(20.0, -10.0))
    assert window[36, 46, :2] == pytest.approx([120, 90], abs=1)


def test_parts_lie_within_their_box_or_around_it():
    parts = [random_part(np.random.default_rng(seed)) for seed in range(400)]
    middles, sides = (np.array(item) for item in zip(*parts, strict=True))
    assert 0.4 <= sides.min() < 0.45 < 1.2 < sides.max() <= 1.3
    low, high = middles - sides / 2, middles + sides / 2
    smaller = sides < 1
    assert (low >= -0.5 - 1e-12)[smaller].all() and (high <= 0.5 + 1e-12)[smaller].all()
    assert (low <= -0.5 + 1e-12)[~smaller].all() and (high >= 0.5 - 1e-12)[~smaller].all()
    assert np.abs(middles).max() > 0.25, "anywhere in it"
    assert abs(np.corrcoef(sides.T)[0, 1]) < 0.2, "width and height on their own"


def test_a_coarse_camera_sees_no_fine_pattern():
    """Noise of single pixels is averaged, the more the coarser; broad stripes and means stay."""
    fine = np.random.default_rng(0).normal(128, 40, (96, 96, 1)).clip(0, 255).repeat(3, axis=2)
    broad = np.broadcast_to((np.arange(96) // 24 % 2 * 200 + 20)[None, :, None], (96, 96, 3))
    kept = []
    for seed in range(40):
        soft, stripes = (
            coarse(item.astype(np.uint8), np.random.default_rng(seed)) for item in (fine, broad)
        )
        assert soft.shape == fine.shape
        assert soft.mean() == pytest.approx(fine.mean(), abs=2)
        assert stripes.std() == pytest.approx(broad.std(), rel=0.15)
        kept.append(soft.std() / fine.std())
    assert max(kept) < 0.75
    assert min(kept) < 0.6 * max(kept), "not all alike"


def test_coarse_keeps_colours_and_what_is_coarse_already():
    red = np.zeros((60, 96, 3), np.uint8)
    red[..., 0] = 250
    rng = np.random.default_rng(0)
    assert coarse(red, rng)[30, 40].tolist() == pytest.approx([250, 0, 0], abs=8)
    noise = rng.normal(128, 40, (96, 96, 1)).clip(0, 255).repeat(3, axis=2).astype(np.uint8)
    assert coarse(noise, rng, nearer=0.3).std() > 0.9 * noise.std()


def test_stretched_cuts_are_wider_and_lower(crop):
    """The middle stays; of a stretch s, widths gain exp(s / 2) and heights lose it."""
    plain = cut_window(crop, 81, (6.0, -4.0), 1.0, False)
    window = cut_window(crop, 81, (6.0, -4.0), 1.0, False, stretch=0.4)
    assert window[36, 46, :2] == pytest.approx([100, 100], abs=1)
    for axis, factor in ((1, np.exp(-0.2)), (0, np.exp(0.2))):
        near, far = (36, 46), [36, 46]
        far[axis] += 30
        step = float(window[tuple(far)][1 - axis]) - window[near][1 - axis]
        assert step == pytest.approx(30 * factor, abs=1.5)
    assert (cut_window(crop, 81, (6.0, -4.0), 1.0, False, 0.0) == plain).all()


def test_cover_hides_a_rectangle_off_the_middle():
    pixels, other = np.full((120, 120, 3), 10, np.uint8), np.full((120, 120, 3), 200, np.uint8)
    rng, sizes = np.random.default_rng(0), set()
    for _ in range(50):
        result = covered(pixels, other, rng)
        rows, columns = np.nonzero(result[..., 0] == 200)
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert len(rows) == height * width
        assert (result == 10).all(axis=2).sum() == 120 * 120 - height * width
        assert 10 <= min(height, width) <= max(height, width) < 24
        middle = rows.mean() + 0.5 - 60, columns.mean() + 0.5 - 60
        assert 0.06 * 120 - 2 < np.hypot(*middle) < 0.25 * 120 + 2
        sizes.add((height, width))
    assert len(sizes) > 10
    assert (pixels == 10).all(), "the crop itself stays"


def test_beyond_the_crop_is_its_mean(crop):
    window = cut_window(crop, 81, (90.0, 0.0), 2.0, flip=False)
    assert window[40, 0] == pytest.approx([100, 100, 7], abs=1)


def test_relight_within_its_bounds_and_off():
    pixels = np.full((4, 4, 3), 128, np.uint8)
    rng = np.random.default_rng(0)
    off = AugmentConfig(light=0.0, tint=0.0)
    assert (relight(pixels, off, rng) == pixels).all()
    config = AugmentConfig(light=0.2, tint=0.1)
    levels = np.array([relight(pixels, config, rng)[0, 0] for _ in range(200)], float)
    # 128 keeps its level but for brightness (at most 25.5) and tint (a tenth of up to 153.6)
    assert np.abs(levels - 128).max() <= 25.5 + 15.4 + 1
    assert levels.std() > 5


def test_grey_is_luma():
    pixels = np.zeros((2, 2, 3), np.uint8)
    pixels[..., 1] = 200
    assert (to_grey(pixels) == round(0.587 * 200)).all()


def test_blur_keeps_the_mean_of_a_flat_picture_and_smears_a_dot():
    rng = np.random.default_rng(0)
    assert (blurred(np.full((20, 20, 3), 90, np.uint8), rng) == 90).all()
    dot = np.zeros((21, 21, 3), np.uint8)
    dot[10, 10] = 255
    smeared = blurred(dot, rng)
    assert (smeared > 0).sum() > 3
    assert smeared.max() < 130
