"""The 11 OTB attributes and VOT's frame tags, measured on what was rendered.

Thresholds in the definitions of Wu, Lim and Yang (CVPR 2013) are used where they give any (SV, FM,
LR); the others say "significantly", and the number chosen stands here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

ATTRIBUTES = ("IV", "SV", "OCC", "DEF", "MB", "FM", "IPR", "OPR", "OV", "BC", "LR")
VOT_TAGS = ("camera_motion", "illum_change", "motion_change", "occlusion", "size_change")

SCALE_RATIO = 2.0  # OTB: area outside [1/2, 2] of the first frame's
FAST_PX = 20.0  # OTB: more than 20 px from frame to frame
FEW_PIXELS = 400.0  # OTB: fewer than 400 pixels in the box
LIGHT_RATIO = 1.4  # mean brightness outside [1/1.4, 1.4] of the first frame's
HIDDEN_SHARE = 0.1  # of the target's pixels in the frame
OUTSIDE_SHARE = 0.1  # of the target's pixels
BENT_RMS = 0.02  # of the target's size, what no planar homography explains
BLUR_PX = 5.0
ROLL_DEGREES = 15.0
TURN_DEGREES = 25.0
CLUTTER_SHARE = 0.05  # of the surroundings (twice the box's sides) look like the target
CAMERA_PX = 0.3  # from frame to frame
JERK_PX = 4.0  # change of the motion from frame to frame


@dataclass(frozen=True)
class FrameRecord:
    """The facts of one rendered frame."""

    box: tuple[int, int, int, int]  # (x, y, w, h) of the whole target, 0-based px
    in_view: float  # share of the target's pixels within the frame
    hidden: float  # share of those pixels that are covered by something else
    # Mean brightness of the visible target over that under neutral light; NaN if none is visible
    light: float
    blur_px: float  # length of the target's motion while the shutter is open
    clutter: float  # share of the surroundings covered by objects that look like the target
    # (N, 4): positions x, y in the frame (px) and u, v on the object (object sizes)
    lattice: np.ndarray
    camera: tuple[float, float]  # shift of the background, (x, y) px


def affine_part(lattice: np.ndarray) -> np.ndarray:
    """Best linear map from the object to the frame, (2, 2), of a record's lattice."""
    frame, seen = lattice[:, :2], lattice[:, 2:]
    design = np.hstack([seen, np.ones((len(seen), 1))])
    return np.linalg.lstsq(design, frame, rcond=None)[0][:2].T


def warp_angles(lattice: np.ndarray) -> tuple[float, float]:
    """Rotation in the image plane and foreshortening, both in degrees.

    The linear part of the warp is split as rotation times stretch; a card tilted by an angle has
    singular values with that angle's cosine as ratio.
    """
    u, stretch, vt = np.linalg.svd(affine_part(lattice))
    rotation = u @ vt
    roll = np.degrees(np.arctan2(rotation[1, 0], rotation[0, 0]))
    return float(roll), float(np.degrees(np.arccos(min(1.0, stretch[1] / stretch[0]))))


def bent_rms(lattice: np.ndarray) -> float:
    """Root mean square distance, in object sizes, from the nearest planar homography."""
    frame, seen = lattice[:, :2], lattice[:, 2:]
    frame = (frame - frame.mean(axis=0)) / frame.std()  # conditions the fit
    matrix, _ = cv2.findHomography(frame, seen, 0)
    explained = cv2.perspectiveTransform(frame[None], matrix)[0]
    return float(np.sqrt(np.mean(np.sum((explained - seen) ** 2, axis=1))))


def beyond(values: np.ndarray, ratio: float) -> np.ndarray:
    """Marks of values outside [1/ratio, ratio] times the first one, (T,) bool; NaN does not."""
    relative = values / values[0]
    return (relative > ratio) | (relative < 1 / ratio)


def steps(positions: np.ndarray) -> np.ndarray:
    """Motion since the previous frame, (T, 2); none in the first."""
    return np.diff(positions, axis=0, prepend=positions[:1])


def measure(records: Sequence[FrameRecord]) -> dict[str, np.ndarray]:
    """Frames that show each attribute.

    Args:
        records: At least one, in order; the first is the reference for changes.

    Returns:
        For each of :data:`ATTRIBUTES` an array (T,) bool.
    """
    boxes = np.array([record.box for record in records], dtype=float)
    area = boxes[:, 2] * boxes[:, 3]
    speed = np.linalg.norm(steps(boxes[:, :2] + boxes[:, 2:] / 2), axis=1)
    roll, turn = np.array([warp_angles(record.lattice) for record in records]).T
    column = {
        name: np.array([getattr(record, name) for record in records])
        for name in ("in_view", "hidden", "light", "blur_px", "clutter")
    }
    bent = np.array([bent_rms(record.lattice) for record in records])
    return {
        "IV": beyond(column["light"], LIGHT_RATIO),
        "SV": beyond(area, SCALE_RATIO),
        "OCC": column["hidden"] >= HIDDEN_SHARE,
        "DEF": bent >= BENT_RMS,
        "MB": column["blur_px"] >= BLUR_PX,
        "FM": speed > FAST_PX,
        "IPR": np.abs(roll) >= ROLL_DEGREES,
        "OPR": turn >= TURN_DEGREES,
        "OV": column["in_view"] <= 1 - OUTSIDE_SHARE,
        "BC": column["clutter"] >= CLUTTER_SHARE,
        "LR": area < FEW_PIXELS,
    }


def sequence_labels(shown: dict[str, np.ndarray]) -> list[str]:
    """Attributes that at least one frame shows, in OTB's usual order."""
    return [name for name in ATTRIBUTES if shown[name].any()]


def frame_tags(records: Sequence[FrameRecord]) -> dict[str, np.ndarray]:
    """VOT's tags: for each of :data:`VOT_TAGS` an array (T,) bool."""
    shown = measure(records)
    boxes = np.array([record.box for record in records], dtype=float)
    motion = steps(boxes[:, :2] + boxes[:, 2:] / 2)
    jerk = np.linalg.norm(steps(motion), axis=1)
    camera = np.linalg.norm(steps(np.array([record.camera for record in records])), axis=1)
    return {
        "camera_motion": camera >= CAMERA_PX,
        "illum_change": shown["IV"],
        "motion_change": jerk >= JERK_PX,
        "occlusion": shown["OCC"],
        "size_change": shown["SV"],
    }
