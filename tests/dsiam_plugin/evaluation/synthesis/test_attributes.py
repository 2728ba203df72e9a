"""Attributes against hand-made records and known warps."""

from dataclasses import replace

import numpy as np
import pytest

from dsiam_plugin.evaluation.synthesis.attributes import (
    ATTRIBUTES,
    FrameRecord,
    bent_rms,
    frame_tags,
    measure,
    sequence_labels,
    warp_angles,
)
from dsiam_plugin.evaluation.synthesis.compositing import Pose, texture_points
from dsiam_plugin.evaluation.synthesis.scenes import ProceduralPictures, build_scene, render
from dsiam_plugin.evaluation.synthesis.script import Stage
from dsiam_plugin.evaluation.synthesis.sprites import make_sprite

STAGE = Stage(frames=14, width=240, height=180, exit_depth=0.6)


def lattice(**pose: float) -> np.ndarray:
    sprite = make_sprite(np.full((50, 50, 3), 99.0), np.ones((50, 50)))
    return texture_points(sprite, Pose(x=80, y=60, size=50, **pose), (55, 35, 50, 50))


CALM = FrameRecord(
    box=(50, 40, 30, 20),
    in_view=1.0,
    hidden=0.0,
    light=1.0,
    blur_px=0.0,
    clutter=0.0,
    lattice=lattice(),
    camera=(0.0, 0.0),
)


def labels(**second: object) -> list[str]:
    """Labels of a calm frame followed by one that differs from it."""
    return sequence_labels(measure([CALM, replace(CALM, **second)]))


@pytest.mark.parametrize(
    ("expected", "change"),
    [
        ([], {}),
        (["SV"], {"box": (50, 40, 41, 30)}),  # 1230 / 600 > 2
        ([], {"box": (50, 40, 40, 30)}),  # exactly 2
        (["SV", "LR"], {"box": (50, 40, 13, 20)}),
        (["LR"], {"box": (50, 40, 19, 21)}),  # 399 pixels
        ([], {"box": (50, 40, 20, 20)}),  # 400 pixels
        (["FM"], {"box": (62, 57, 30, 20)}),  # hypot(12, 17) = 20.8
        ([], {"box": (62, 56, 30, 20)}),  # hypot(12, 16) = 20
        (["OCC"], {"hidden": 0.1}),
        ([], {"hidden": 0.09}),
        (["OV"], {"in_view": 0.9}),
        (["IV"], {"light": 0.7}),
        (["IV"], {"light": 1.41}),
        ([], {"light": 0.72}),
        ([], {"light": float("nan")}),
        (["MB"], {"blur_px": 5.0}),
        (["BC"], {"clutter": 0.05}),
        (["IPR"], {"lattice": lattice(angle=np.radians(16))}),
        ([], {"lattice": lattice(angle=np.radians(14))}),
        (["OPR"], {"lattice": lattice(tilt=np.radians(27), tilt_axis=np.pi / 2)}),
        ([], {"lattice": lattice(tilt=np.radians(22), tilt_axis=np.pi / 2)}),
        (["DEF"], {"lattice": lattice(bend=0.1)}),
    ],
)
def test_label_of_one_change(expected, change):
    assert labels(**change) == expected


@pytest.mark.parametrize("degrees", [-70.0, -20.0, 35.0, 85.0])
def test_rotation_in_the_plane_is_recovered(degrees):
    roll, turn = warp_angles(lattice(angle=np.radians(degrees)))
    assert roll == pytest.approx(degrees, abs=0.1)
    assert turn == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("degrees", [30.0, 45.0, 60.0])
def test_foreshortening_is_recovered_up_to_perspective(degrees):
    roll, turn = warp_angles(lattice(tilt=np.radians(degrees), tilt_axis=1.3))
    assert turn == pytest.approx(degrees, abs=3)
    assert abs(roll) < 5


def test_planar_motion_is_not_bending_and_a_wave_is():
    rigid = lattice(angle=0.7, tilt=0.9, tilt_axis=1.2)
    assert bent_rms(rigid) == pytest.approx(0, abs=1e-6)
    # Two sines of amplitude a/2 object sizes: RMS a/2, less what a homography can follow.
    assert 0.6 * 0.05 < bent_rms(lattice(bend=0.1)) < 0.05


def test_tags_of_frames():
    moves = [(50, 40), (52, 40), (54, 40), (60, 40)]
    records = [
        replace(CALM, box=(x, y, 30, 20), camera=(0.5 * (t > 1), 0.0))
        for t, (x, y) in enumerate(moves)
    ]
    records[1] = replace(records[1], hidden=0.5, light=0.4)
    tags = {name: frames.tolist() for name, frames in frame_tags(records).items()}
    assert tags["motion_change"] == [False, False, False, True]
    assert tags["camera_motion"] == [False, False, True, False]
    assert tags["occlusion"] == tags["illum_change"] == [False, True, False, False]
    assert not any(tags["size_change"])


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_every_effect_shows_its_attribute_on_a_clean_start(attribute):
    rng = np.random.default_rng(1)
    scene = build_scene(ProceduralPictures(48.0), STAGE, (attribute,), rng)
    records = [render(scene, t).record for t in range(STAGE.frames)]
    assert attribute in sequence_labels(measure(records))
    first = records[0]
    assert first.in_view == 1 and first.hidden == 0 and first.blur_px == 0 and first.light == 1


def test_calm_sequence_shows_nothing():
    scene = build_scene(ProceduralPictures(48.0), STAGE, (), np.random.default_rng(5))
    assert sequence_labels(measure([render(scene, t).record for t in range(STAGE.frames)])) == []


def test_target_stays_partly_in_view_at_a_shallow_exit():
    scene = build_scene(ProceduralPictures(48.0), STAGE, ("OV",), np.random.default_rng(3))
    shares = [render(scene, t).record.in_view for t in range(STAGE.frames)]
    assert 0.15 < min(shares) < 0.7


def test_light_is_measured_on_the_picture():
    scene = build_scene(ProceduralPictures(48.0), STAGE, ("IV",), np.random.default_rng(4))
    neutral = replace(scene, script=replace(scene.script, gain=np.ones((STAGE.frames, 3))))
    for t in range(STAGE.frames):
        lit = render(scene, t)
        x, y, w, h = lit.record.box
        inner = np.s_[y + h // 4 : y + 3 * h // 4, x + w // 4 : x + 3 * w // 4]
        ratio = lit.image[inner].mean() / render(neutral, t).image[inner].mean()
        assert lit.record.light == pytest.approx(ratio, abs=0.06)
