"""A scene: pictures and a script; renders frames and says what is true of each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from dsiam_plugin.evaluation.synthesis.attributes import FrameRecord
from dsiam_plugin.evaluation.synthesis.compositing import Patch, Pose, draw, paste, texture_points
from dsiam_plugin.evaluation.synthesis.effects import apply_effects
from dsiam_plugin.evaluation.synthesis.script import Script, Stage, calm_script
from dsiam_plugin.evaluation.synthesis.sprites import Sprite
from dsiam_plugin.evaluation.synthesis.stills import StillLibrary
from dsiam_plugin.evaluation.synthesis.textures import procedural_background, procedural_sprite
from dsiam_plugin.evaluation.synthesis.views import View, illuminate

CAMERA_MARGIN = 0.06  # of the frame, on each side, for the camera to move in
WAVE_TURNS = 3.0  # how often a non-rigid wave runs through the object in a sequence
SENSOR_NOISE = 2.0


class Pictures(Protocol):
    """The source of a scene's pictures."""

    def background(self, rng: np.random.Generator, height: int, width: int) -> np.ndarray:
        """A picture (height, width, 3) uint8 BGR."""

    def sprite(self, rng: np.random.Generator) -> Sprite:
        """An object."""


@dataclass(frozen=True)
class ProceduralPictures:
    """Pictures without photographs; ``size_px`` is the resolution of the objects."""

    size_px: float

    def background(self, rng: np.random.Generator, height: int, width: int) -> np.ndarray:
        """A cluttered procedural scene."""
        return procedural_background(rng, height, width)

    def sprite(self, rng: np.random.Generator) -> Sprite:
        """A procedural object."""
        return procedural_sprite(rng, self.size_px)


@dataclass(frozen=True)
class Scene:
    """Everything that a sequence's frames are rendered from."""

    stage: Stage  # size of the sequence
    script: Script  # what happens
    background: np.ndarray  # larger than the frame by the camera's margins, (H, W, 3) uint8
    target: Sprite  # the tracked object
    occluders: tuple[Sprite, ...]  # what passes in front of it, one a path of the script
    noise: np.ndarray  # sensor noise, (2 H, 2 W, 3) int16; each frame takes another part of it


@dataclass(frozen=True)
class Frame:
    """A rendered frame: image (H, W, 3) uint8 BGR and what is true of it."""

    image: np.ndarray
    record: FrameRecord


def open_pictures(stills: Path | None, stage: Stage) -> Pictures:
    """Photographs of a folder, or procedural pictures where none is given.

    Raises:
        DatasetError: The folder has no usable stills.
    """
    if stills is None:
        return ProceduralPictures(size_px=2.0 * stage.target_px)
    return StillLibrary(stills)


def build_scene(
    pictures: Pictures, stage: Stage, attributes: tuple[str, ...], rng: np.random.Generator
) -> Scene:
    """Cast a scene with the effects of the given attributes."""
    script = apply_effects(calm_script(rng, stage), stage, attributes, rng)
    margins = np.ceil(CAMERA_MARGIN * np.array([stage.height, stage.width])).astype(int) + 1
    height, width = np.array([stage.height, stage.width]) + 2 * margins
    background = pictures.background(rng, int(height), int(width))
    target = pictures.sprite(rng)
    occluders = tuple(pictures.sprite(rng) for _ in script.occluders)
    grain = rng.standard_normal((2 * stage.height, 2 * stage.width, 3), dtype=np.float32)
    noise = np.rint(SENSOR_NOISE * grain).astype(np.int16)
    return Scene(stage, script, background, target, occluders, noise)


def target_pose(scene: Scene, t: int) -> Pose:
    """The target's pose in frame ``t``."""
    script = scene.script
    x, y = script.centre[t]
    return Pose(
        x=x,
        y=y,
        size=script.size[t],
        angle=script.angle[t],
        tilt=script.tilt[t],
        tilt_axis=script.tilt_axis,
        bend=script.bend[t],
        wave=2 * np.pi * WAVE_TURNS * scene.stage.clock[t],
        blur=exposure(script.centre, script.shutter, t),
    )


def exposure(path: np.ndarray, shutter: float, t: int) -> tuple[float, float]:
    """Motion while the shutter is open around frame ``t``, (dx, dy) px; none at the very start."""
    if t == 0 or shutter == 0:
        return 0.0, 0.0
    last = min(t + 1, len(path) - 1)
    velocity = (path[last] - path[t - 1]) / (last - t + 1)
    return float(shutter * velocity[0]), float(shutter * velocity[1])


def distractor_patches(scene: Scene, t: int) -> list[Patch]:
    """The copies of the target, drawn upright at their places."""
    script = scene.script
    patches = []
    for offsets in script.distractors:
        x, y = script.centre[t] + offsets[t]
        blur = exposure(script.centre + offsets, script.shutter, t)
        patches.append(draw(scene.target, Pose(x, y, script.size[t], blur=blur)))
    return patches


def occluder_patches(scene: Scene, t: int) -> list[Patch]:
    """The objects that pass in front of the target, as large as the target was at first."""
    script = scene.script
    patches = []
    for sprite, offsets in zip(scene.occluders, script.occluders, strict=True):
        x, y = script.centre[t] + offsets[t]
        patches.append(draw(sprite, Pose(x, y, 1.05 * script.size[0])))
    return patches


def background_at(scene: Scene, t: int) -> np.ndarray:
    """The part of the background in view, (H, W, 3) uint8."""
    height, width = scene.stage.height, scene.stage.width
    margin = (np.array(scene.background.shape[1::-1]) - [width, height]) / 2
    shift = margin - np.clip(scene.script.camera[t], -margin, margin)
    matrix = np.array([[1.0, 0.0, shift[0]], [0.0, 1.0, shift[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(
        scene.background, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )


def light_and_grain(scene: Scene, image: np.ndarray, t: int) -> np.ndarray:
    """The image as the camera sees it: lit, with sensor noise."""
    levels = illuminate(np.repeat(np.arange(256)[:, None], 3, axis=1), scene.script.gain[t])
    lit = cv2.LUT(image, levels[:, None])
    height, width = image.shape[:2]
    top, left = (7919 * t) % height, (104729 * t) % width  # primes: parts do not soon repeat
    return cv2.add(lit, scene.noise[top : top + height, left : left + width], dtype=cv2.CV_8U)


def render(scene: Scene, t: int, *, with_target: bool = True) -> Frame:
    """Render frame ``t``; without the target the image alone changes, not the record."""
    unlit = background_at(scene, t)
    copies, covers = distractor_patches(scene, t), occluder_patches(scene, t)
    pose = target_pose(scene, t)
    target = draw(scene.target, pose)
    for patch in [*copies, *([target] if with_target else []), *covers]:
        paste(unlit, patch)
    view = View(unlit, target, tuple(copies), tuple(covers), scene.script.gain[t])
    record = FrameRecord(
        box=target.box,
        in_view=view.in_view,
        hidden=view.hidden,
        light=view.light,
        blur_px=float(np.hypot(*pose.blur)),
        clutter=view.clutter,
        lattice=texture_points(scene.target, pose, target.box),
        camera=(float(scene.script.camera[t, 0]), float(scene.script.camera[t, 1])),
    )
    return Frame(light_and_grain(scene, unlit, t), record)
