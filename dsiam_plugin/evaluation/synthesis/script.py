"""The course of a sequence: a stage, and a script with one row a frame.

A script is arrays only; :mod:`effects` bends it and :mod:`scenes` plays it.
"""

from dataclasses import dataclass

import numpy as np

# Slow enough never to be "fast motion" (20 px a frame) together with other gentle effects.
CALM_SPEED_PX = 3.5
CAMERA_SPEED_PX = 1.2
TARGET_SHARE = 0.2  # side of a square target as a share of the frame's shorter side


@dataclass(frozen=True)
class Stage:
    """Size of a sequence, and how far a target may leave it."""

    frames: int  # number of frames, at least 2
    width: int  # width, height: frame size in pixels
    height: int
    # Part of the target beyond the edge when it leaves the view; above 1, all of it
    exit_depth: float = 1.3

    @property
    def clock(self) -> np.ndarray:
        """Time of each frame, (T,) from 0 to 1."""
        return np.linspace(0.0, 1.0, self.frames)

    @property
    def target_px(self) -> float:
        """Side of an ordinary target (square root of its box area) in pixels."""
        return TARGET_SHARE * min(self.width, self.height)


@dataclass(frozen=True)
class Script:
    """State of the target and of the world around it in each of T frames."""

    centre: np.ndarray  # target's centre, (T, 2) px
    size: np.ndarray  # square root of the target's box area before rotation, (T,) px
    angle: np.ndarray  # rotation in the image plane, (T,) radians
    tilt: np.ndarray  # rotation out of the image plane, (T,) radians
    tilt_axis: float  # direction of the axis of that rotation in the image, radians
    bend: np.ndarray  # amplitude of the non-rigid wave, (T,) as a share of the object's half size
    gain: np.ndarray  # illumination of each channel, (T, 3), 1 being the photograph's own
    shutter: float  # part of the time between two frames during which the shutter is open
    camera: np.ndarray  # shift of the background in the frame, (T, 2) px
    # distractors, occluders: offsets from the target's centre, (K, T, 2) px
    distractors: np.ndarray
    occluders: np.ndarray


def swing(clock: np.ndarray, cycles: float) -> np.ndarray:
    """Sine from 0 at the first frame, (T,) in [-1, 1]."""
    return np.sin(2 * np.pi * cycles * clock)


def dip(clock: np.ndarray, cycles: float) -> np.ndarray:
    """Raised cosine from 0 at the first frame, (T,) in [0, 1]."""
    return (1 - np.cos(2 * np.pi * cycles * clock)) / 2


def smooth_step(clock: np.ndarray, start: float, end: float) -> np.ndarray:
    """0 before ``start``, 1 after ``end``, without a kink between, (T,)."""
    share = np.clip((clock - start) / (end - start), 0.0, 1.0)
    return share * share * (3 - 2 * share)


def drift(rng: np.random.Generator, stage: Stage, reach: np.ndarray, speed_px: float) -> np.ndarray:
    """A smooth closed curve around the origin, (T, 2) px.

    Args:
        rng: Source of its shape.
        stage: Gives the number of frames.
        reach: Largest distance from the origin in x and y, (2,) px.
        speed_px: Largest speed in x and in y, px a frame.
    """
    path = np.zeros((stage.frames, 2))
    for axis in range(2):
        cycles = rng.uniform(0.5, 1.0)
        amplitude = min(reach[axis], speed_px * (stage.frames - 1) / (2 * np.pi * cycles))
        path[:, axis] = amplitude * np.sin(2 * np.pi * (cycles * stage.clock + rng.uniform()))
    return path


def calm_script(rng: np.random.Generator, stage: Stage) -> Script:
    """A target that wanders slowly in front of a slowly moving camera, and nothing else."""
    frames, frame_size = stage.frames, np.array([stage.width, stage.height], dtype=float)
    reach = np.maximum(0.0, 0.5 * frame_size - 1.2 * stage.target_px)
    return Script(
        centre=0.5 * frame_size + drift(rng, stage, 0.7 * reach, CALM_SPEED_PX),
        size=np.full(frames, stage.target_px * rng.uniform(0.9, 1.1)),
        angle=np.zeros(frames),
        tilt=np.zeros(frames),
        tilt_axis=0.0,
        bend=np.zeros(frames),
        gain=np.ones((frames, 3)),
        shutter=0.0,
        camera=drift(rng, stage, 0.05 * frame_size, CAMERA_SPEED_PX),
        distractors=np.zeros((0, frames, 2)),
        occluders=np.zeros((0, frames, 2)),
    )
