"""Sprites: flat cut-outs that are warped, blurred and pasted into frames."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

# Alpha from which a pixel belongs to the object: boxes and shares are counted on this mask.
SOLID = 0.5
SMALLEST_LEVEL_PX = 12
PADDING_PX = 2


@dataclass(frozen=True)
class Sprite:
    """A cut-out and its half-size copies, against aliasing when it is drawn small.

    Attributes:
        levels: Premultiplied BGRA, (h, w, 4) float32, colour in [0, 255], alpha in [0, 1]. Level i
            is 2**i times smaller than level 0. The solid pixels' bounding box is centred.
    """

    levels: tuple[np.ndarray, ...]

    @cached_property
    def extent(self) -> float:
        """Square root of the area of the solid pixels' bounding box, in pixels of level 0."""
        _, _, width, height = cv2.boundingRect(solid(self.levels[0][..., 3]))
        return float(np.sqrt(width * height))

    def level(self, scale: float) -> tuple[np.ndarray, float]:
        """The copy for drawing at a scale, and how much smaller than level 0 it is (0 < f <= 1)."""
        wanted = int(max(0.0, np.floor(-np.log2(max(scale, 1e-6)))))
        index = min(wanted, len(self.levels) - 1)
        return self.levels[index], 0.5**index


def solid(alpha: np.ndarray) -> np.ndarray:
    """Mask of the object's pixels, (h, w) uint8 in {0, 1}, of its alpha in [0, 1]."""
    return (alpha >= SOLID).astype(np.uint8)


def make_sprite(colour: np.ndarray, alpha: np.ndarray) -> Sprite:
    """Sprite of an image (h, w, 3) in [0, 255] and its alpha (h, w) in [0, 1].

    Args:
        colour: BGR image; pixels outside the object do not matter.
        alpha: Opacity with at least one value of 0.5 or more.

    Returns:
        The sprite, cropped to the object with its bounding box in the middle.
    """
    x, y, width, height = cv2.boundingRect(solid(alpha))
    alpha = alpha.astype(np.float32)
    premultiplied = np.dstack([colour.astype(np.float32) * alpha[..., None], alpha])
    border = max(PADDING_PX, -(-max(width, height) // 16))
    padded = np.pad(premultiplied, ((border, border), (border, border), (0, 0)))
    levels = [padded[y : y + height + 2 * border, x : x + width + 2 * border].copy()]
    while min(levels[-1].shape[:2]) >= 2 * SMALLEST_LEVEL_PX:
        height, width = levels[-1].shape[:2]
        levels.append(halve(levels[-1][: height - height % 2, : width - width % 2]))
    return Sprite(tuple(levels))


def halve(image: np.ndarray) -> np.ndarray:
    """Half-size copy, each pixel the mean of 2x2; height and width must be even."""
    height, width = image.shape[:2]
    return cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
