"""Boxes against the pixels that the target changes."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from dsiam_plugin.evaluation.synthesis.attributes import ATTRIBUTES
from dsiam_plugin.evaluation.synthesis.compositing import Patch, Pose, draw, frame_part, smear
from dsiam_plugin.evaluation.synthesis.scenes import (
    ProceduralPictures,
    Scene,
    build_scene,
    exposure,
    render,
)
from dsiam_plugin.evaluation.synthesis.script import Stage
from dsiam_plugin.evaluation.synthesis.sprites import Sprite, make_sprite

STAGE = Stage(frames=12, width=200, height=160, exit_depth=1.3)


def scene_of(*attributes: str, seed: int = 0) -> Scene:
    rng = np.random.default_rng([seed, 77])
    return build_scene(ProceduralPictures(64.0), STAGE, attributes, rng)


def silhouette(scene: Scene) -> Scene:
    """The same target in white on black, alone: its frames are its alpha times 255."""
    levels = tuple(np.repeat(level[..., 3:], 4, axis=2).copy() for level in scene.target.levels)
    for level in levels:
        level[..., :3] *= 255
    script = replace(
        scene.script,
        distractors=scene.script.distractors[:0],
        occluders=scene.script.occluders[:0],
        gain=np.ones_like(scene.script.gain),
        shutter=0.0,
    )
    return replace(
        scene,
        script=script,
        target=Sprite(levels),
        occluders=(),
        background=np.zeros_like(scene.background),
        noise=np.zeros_like(scene.noise),
    )


def extent(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Box (x, y, w, h) of the true pixels, by looking at every row and column."""
    columns = [i for i in range(mask.shape[1]) if mask[:, i].any()]
    rows = [i for i in range(mask.shape[0]) if mask[i].any()]
    return columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1


@pytest.mark.parametrize("attribute", sorted(set(ATTRIBUTES) - {"OV"}))
def test_box_is_the_extent_of_the_half_opaque_pixels(attribute):
    scene = scene_of(attribute)
    plain = silhouette(scene)
    compared = 0
    for t in range(STAGE.frames):
        record = render(scene, t).record
        if record.in_view < 1:
            continue
        compared += 1
        assert record.box == extent(render(plain, t).image[..., 0] >= 128)
    assert compared >= 3


def test_box_bounds_the_difference_the_target_makes():
    scene = scene_of("IPR", "DEF")
    for t in (0, 5, 9):
        frame = render(scene, t)
        without = render(scene, t, with_target=False).image.astype(int)
        changed = np.abs(frame.image.astype(int) - without).max(axis=2) > 0
        x, y, w, h = extent(changed)
        bx, by, bw, bh = frame.record.box
        # The edge is soft: pixels less than half covered change too, but only a rim of them.
        assert 0 <= bx - x <= 3 and 0 <= by - y <= 3
        assert 0 <= (x + w) - (bx + bw) <= 3 and 0 <= (y + h) - (by + bh) <= 3


def test_box_follows_the_target_out_of_the_view():
    scene = scene_of("OV")
    records = [render(scene, t).record for t in range(STAGE.frames)]
    gone = [t for t, record in enumerate(records) if record.in_view == 0]
    assert gone and 0 < gone[0] and gone[-1] < STAGE.frames - 1
    for t in gone:
        x, _, width, _ = records[t].box
        assert x >= STAGE.width or x + width <= 0
        difference = cv2.absdiff(render(scene, t).image, render(scene, t, with_target=False).image)
        assert difference.max() == 0
    assert records[-1].in_view == 1
    assert all(abs(record.box[2] - records[0].box[2]) <= 1 for record in records)


def test_box_does_not_shrink_where_the_target_is_hidden():
    scene = scene_of("OCC")
    free = replace(scene.script, occluders=scene.script.occluders[:0])
    bare = replace(scene, script=free, occluders=())
    records = [render(scene, t).record for t in range(STAGE.frames)]
    assert max(record.hidden for record in records) > 0.3
    assert [record.box for record in records] == [
        render(bare, t).record.box for t in range(STAGE.frames)
    ]


def test_hidden_and_in_view_shares_match_the_pixels_that_change():
    scene = silhouette(scene_of("OCC"))
    black = tuple(make_sprite(np.zeros((40, 60, 3)), np.ones((40, 60))) for _ in range(2))
    original = scene_of("OCC").script.occluders
    blocked = replace(scene, script=replace(scene.script, occluders=original))
    blocked = replace(blocked, occluders=black)
    for t in range(1, STAGE.frames, 2):
        whole = (render(scene, t).image[..., 0] >= 128).sum()
        seen = (render(blocked, t).image[..., 0] >= 128).sum()
        assert render(blocked, t).record.hidden == pytest.approx(1 - seen / whole, abs=0.03)


def square_sprite(side: int = 40) -> Sprite:
    alpha = np.zeros((side + 20, side + 20))
    alpha[10:-10, 10:-10] = 1
    return make_sprite(np.full((side + 20, side + 20, 3), 200.0), alpha)


def test_upright_square_has_the_box_it_is_asked_for():
    patch = draw(square_sprite(), Pose(x=99.5, y=49.5, size=40))
    assert patch.box == (80, 30, 40, 40)


@pytest.mark.parametrize("size", [80, 20, 15])
def test_square_scales_about_its_centre(size):
    x, y, width, height = draw(square_sprite(), Pose(x=99.5, y=49.5, size=size)).box
    assert abs(width - size) <= 1 and abs(height - size) <= 1
    assert abs(x + (width - 1) / 2 - 99.5) <= 0.5 and abs(y + (height - 1) / 2 - 49.5) <= 0.5


def test_square_turned_by_45_degrees_grows_by_root_two():
    # The tips cover less than half of their pixels, so up to a pixel is missing at each end.
    _, _, width, height = draw(square_sprite(), Pose(100, 100, 40, angle=np.pi / 4)).box
    assert width == pytest.approx(40 * np.sqrt(2), abs=2)
    assert height == pytest.approx(40 * np.sqrt(2), abs=2)


def test_tilt_about_the_upright_axis_narrows_the_square_by_its_cosine():
    pose = Pose(100, 100, 40, tilt=np.pi / 3, tilt_axis=np.pi / 2)
    _, _, width, height = draw(square_sprite(), pose).box
    assert width == pytest.approx(20, abs=1.5)
    assert 40 <= height <= 46  # perspective: the near edge is taller


def test_blur_spreads_along_the_path_and_keeps_the_sum():
    layer = np.zeros((41, 41, 4), dtype=np.float32)
    layer[20, 20] = 1
    blurred = smear(layer, (12.0, 0.0))
    assert blurred.sum() == pytest.approx(layer.sum(), rel=1e-4)
    assert np.flatnonzero(blurred[20, :, 0] > 1e-4).tolist() == list(range(14, 27))
    assert blurred[[19, 21]].max() < 1e-4
    assert np.array_equal(smear(layer, (0.4, 0.3)), layer)


def test_exposure_is_the_share_of_the_motion_at_open_shutter():
    path = np.array([[0.0, 0.0], [4.0, 2.0], [12.0, 2.0]])
    assert exposure(path, 0.5, 0) == (0, 0)
    assert exposure(path, 0.5, 1) == (3.0, 0.5)  # from (0, 0) to (12, 2) in two frames
    assert exposure(path, 0.5, 2) == (4.0, 0.0)


@pytest.mark.parametrize(("x", "y"), [(-30, 5), (300, 5), (5, -30), (5, 300)])
def test_patch_outside_the_frame_has_no_part_in_it(x, y):
    patch = Patch(x, y, np.zeros((20, 20, 4), np.float32), np.ones((20, 20), np.uint8))
    assert frame_part(patch, 300, 300) is None
