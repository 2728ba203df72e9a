"""Drawing a sprite into a frame: pose, warp, motion blur, pasting, and the exact box."""

from dataclasses import dataclass

import cv2
import numpy as np

from dsiam_plugin.evaluation.synthesis.sprites import Sprite, solid

# Distance of the eye from the object in object sizes: how strong the perspective of a tilt is.
VIEW_DISTANCE = 5.0
# Waves over the object's half size; whole periods keep the wave apart from a shear or a stretch.
WAVES = 2.0
LATTICE = 9


@dataclass(frozen=True)
class Pose:
    """Place and warp of a sprite."""

    x: float  # x, y: centre in the frame, px
    y: float
    size: float  # square root of the box area before rotation, px
    angle: float = 0.0  # angle, tilt, tilt_axis: rotations in and out of the image plane, radians
    tilt: float = 0.0
    tilt_axis: float = 0.0
    bend: float = 0.0  # amplitude of the non-rigid wave, share of the object's half size
    wave: float = 0.0  # phase of that wave, radians
    # Path of the object while the shutter is open, (dx, dy) px
    blur: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Patch:
    """A drawn sprite: a window of the endless plane in which the frame lies."""

    x: int  # x, y: top-left pixel of the window; it may lie outside the frame
    y: int
    layer: np.ndarray  # premultiplied BGRA with motion blur, (h, w, 4) float32
    mask: np.ndarray  # solid pixels without motion blur, (h, w) uint8 in {0, 1}

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Bounding box (x, y, w, h) of the mask in the frame's 0-based pixels, hidden or not."""
        x, y, width, height = cv2.boundingRect(self.mask)
        return self.x + x, self.y + y, width, height


def homography(pose: Pose, scale: float) -> np.ndarray:
    """Matrix from the sprite's centred coordinates to the frame, (3, 3) float64.

    The sprite is a card that is tilted about an axis in its plane, turned, scaled and seen in
    perspective from a distance of ``VIEW_DISTANCE`` times its size.
    """
    axis = np.array([np.cos(pose.tilt_axis), np.sin(pose.tilt_axis), 0.0])
    rotation = (
        cv2.Rodrigues(np.array([0.0, 0.0, pose.angle]))[0] @ cv2.Rodrigues(axis * pose.tilt)[0]
    )
    matrix = np.eye(3)
    matrix[:2, :2] = scale * rotation[:2, :2]
    matrix[2, :2] = scale * rotation[2, :2] / (VIEW_DISTANCE * pose.size)
    shift = np.array([[1, 0, pose.x], [0, 1, pose.y], [0, 0, 1]])
    return shift @ matrix


def unwarp(pose: Pose, matrix: np.ndarray, half_px: float, points: np.ndarray) -> np.ndarray:
    """Centred sprite coordinates of frame positions.

    Args:
        pose: Gives the non-rigid wave.
        matrix: :func:`homography` of the pose.
        half_px: Half the object's extent in sprite pixels.
        points: Frame positions, (N, 2) px.

    Returns:
        (N, 2) float64.
    """
    flat = cv2.perspectiveTransform(points[None].astype(np.float64), np.linalg.inv(matrix))[0]
    if pose.bend == 0:
        return flat
    turns = np.pi * WAVES / half_px
    wave = np.sin(flat[:, ::-1] * turns + pose.wave + np.array([0.0, 1.3]))
    return flat + pose.bend * half_px * wave


def window_of(sprite: Sprite, pose: Pose, matrix: np.ndarray) -> tuple[int, int, int, int]:
    """Pixels (x, y, w, h) of the plane that the drawn sprite can touch."""
    height, width = sprite.levels[0].shape[:2]
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * np.array([width, height]) / 2
    margin = pose.bend * sprite.extent / 2
    corners += margin * np.sign(corners)
    seen = cv2.perspectiveTransform(corners[None].astype(np.float64), matrix)[0]
    border = 2 + float(np.hypot(*pose.blur)) / 2
    low = np.floor(seen.min(axis=0) - border).astype(int)
    high = np.ceil(seen.max(axis=0) + border).astype(int)
    return int(low[0]), int(low[1]), int(high[0] - low[0] + 1), int(high[1] - low[1] + 1)


def draw(sprite: Sprite, pose: Pose) -> Patch:
    """The sprite warped to its pose."""
    scale = pose.size / sprite.extent
    matrix = homography(pose, scale)
    x, y, width, height = window_of(sprite, pose, matrix)
    columns, rows = np.meshgrid(np.arange(x, x + width), np.arange(y, y + height))
    points = np.stack([columns.ravel(), rows.ravel()], axis=1)
    source = unwarp(pose, matrix, sprite.extent / 2, points)  # (h * w, 2), centred
    level, share = sprite.level(scale)
    size = np.array(sprite.levels[0].shape[1::-1])
    grid = ((source + size / 2) * share - 0.5).astype(np.float32).reshape(height, width, 2)
    layer = cv2.remap(  # type: ignore[call-overload]  # one map may hold both coordinates
        level, grid, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )
    return Patch(x, y, smear(layer, pose.blur), solid(layer[..., 3]))


def smear(layer: np.ndarray, path: tuple[float, float]) -> np.ndarray:
    """Motion blur: the mean of the layer over a straight path centred on where it is.

    Args:
        layer: (h, w, C) float32 with an empty border of half the path.
        path: (dx, dy) px; below one pixel there is nothing to blur.
    """
    length = float(np.hypot(*path))
    if length < 1:
        return layer
    reach = int(np.ceil(length / 2))
    kernel = np.zeros((2 * reach + 3, 2 * reach + 3), dtype=np.float64)
    for share in np.linspace(-0.5, 0.5, 4 * reach + 1):
        x, y = reach + 1 + share * path[0], reach + 1 + share * path[1]
        left, top = int(np.floor(x)), int(np.floor(y))
        across, down = x - left, y - top
        weights = np.outer([1 - down, down], [1 - across, across])
        kernel[top : top + 2, left : left + 2] += weights
    kernel /= kernel.sum()
    return cv2.filter2D(layer, -1, kernel, borderType=cv2.BORDER_CONSTANT)


def frame_part(patch: Patch, width: int, height: int) -> tuple[tuple[slice, slice], ...] | None:
    """The overlap of a patch and the frame: slices of the frame, then of the patch.

    Returns:
        None where the patch lies outside the frame.
    """
    rows, columns = patch.mask.shape
    left, top = max(0, patch.x), max(0, patch.y)
    right, bottom = min(width, patch.x + columns), min(height, patch.y + rows)
    if left >= right or top >= bottom:
        return None
    in_frame = (slice(top, bottom), slice(left, right))
    in_patch = (slice(top - patch.y, bottom - patch.y), slice(left - patch.x, right - patch.x))
    return in_frame, in_patch


def paste(frame: np.ndarray, patch: Patch) -> None:
    """Draw a patch over the frame, (H, W, 3) uint8, in place."""
    part = frame_part(patch, frame.shape[1], frame.shape[0])
    if part is None:
        return
    in_frame, in_patch = part
    layer = patch.layer[in_patch]
    below = frame[in_frame].astype(np.float32)
    mixed = layer[..., :3] + (1 - layer[..., 3:]) * below
    frame[in_frame] = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def cover(patch: Patch, width: int, height: int) -> np.ndarray:
    """Mask of a patch's solid pixels within the frame, (H, W) bool."""
    mask = np.zeros((height, width), dtype=bool)
    part = frame_part(patch, width, height)
    if part is not None:
        mask[part[0]] = patch.mask[part[1]] > 0
    return mask


def texture_points(sprite: Sprite, pose: Pose, box: tuple[int, int, int, int]) -> np.ndarray:
    """Sprite coordinates seen at a lattice over the box: how the object is warped.

    Returns:
        Frame and sprite positions side by side, (LATTICE**2, 4): x, y, u, v; sprite positions in
        units of the object's extent.
    """
    x, y, width, height = box
    columns, rows = np.meshgrid(np.linspace(0, 1, LATTICE), np.linspace(0, 1, LATTICE))
    points = np.stack([x + columns.ravel() * width, y + rows.ravel() * height], axis=1)
    matrix = homography(pose, pose.size / sprite.extent)
    seen = unwarp(pose, matrix, sprite.extent / 2, points) / sprite.extent
    return np.hstack([points, seen])
