"""Random changes of crops: where they are cut, what light they were taken in."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from dsiam_plugin.config.fields import number

GREY_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601 luma of RGB
LOG_PART_SIDES = math.log(0.4), math.log(1.3)
LOG_COARSER, JPEG_QUALITY = np.log([1.5, 3.0]), (40, 95)


@dataclass(frozen=True)
class AugmentConfig:
    """Ranges in which crops vary. All random amounts are uniform.

    Attributes:
        shift_px: Largest displacement of the target from the search's middle, in each direction.
        scale: Largest relative change of the search's scale, either way.
        zoom: Largest logarithm of a further change of that scale, which may be larger.
        stretch: Largest logarithm of the search's change of shape, width over height.
        part: Probability that the target is not what its box holds but a rectangle of it or around
            it, the same in both frames, with sides 0.4 to 1.3 times the box's: a face, a sign,
            a box drawn loosely.
        coarse: Probability that a frame, each of the two on its own, shows 1.5 to 3 times fewer
            pixels across and was compressed as JPEG.
        cover: Probability that a piece of another crop hides a part of the search.
        exemplar_shift_px: The same displacement of the exemplar.
        exemplar_scale: The same change of the exemplar's scale.
        flip: Probability of mirroring exemplar and search together.
        grey: Probability that both lose their colours.
        light: Largest relative change of brightness and contrast, drawn for each crop.
        tint: Largest relative change of a single channel.
        blur: Probability that the search is blurred, as by motion or focus.
    """

    shift_px: float = number(32.0, "[0, 1000]")
    scale: float = number(0.08, "[0, 1)")
    zoom: float = number(0.0, "[0, 2]")
    stretch: float = number(0.0, "[0, 1]")
    part: float = number(0.0, "[0, 1]")
    coarse: float = number(0.0, "[0, 1]")
    cover: float = number(0.0, "[0, 1]")
    exemplar_shift_px: float = number(3.0, "[0, 1000]")
    exemplar_scale: float = number(0.03, "[0, 1)")
    flip: float = number(0.5, "[0, 1]")
    grey: float = number(0.25, "[0, 1]")
    light: float = number(0.2, "[0, 1]")
    tint: float = number(0.08, "[0, 1]")
    blur: float = number(0.15, "[0, 1]")


def cut_window(
    crop: np.ndarray,
    size: int,
    offset: tuple[float, float],
    scale: float,
    flip: bool,
    stretch: float = 0.0,
    about: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """Cut a window out of a packed crop.

    Args:
        crop: (S, S, 3) uint8.
        size: Side of the result.
        offset: ``(dx, dy)`` px: where the target's centre lies in the result, from its middle.
        scale: Pixels of the crop for one of the result.
        flip: Mirror left and right (the offset is that after mirroring).
        stretch: Logarithm of what width over height gains.
        about: Px of the crop from its middle to the target's centre.

    Returns:
        (size, size, 3) uint8; beyond the crop its mean colour.
    """
    middle, target = (crop.shape[0] - 1) / 2, (size - 1) / 2
    across, down = (scale * math.exp(power) for power in (-stretch / 2, stretch / 2))
    across = -across if flip else across
    # source = matrix @ (x, y, 1): the result's (middle + offset) shows the target's centre
    matrix = np.array(
        [
            [across, 0, middle + about[0] - across * (target + offset[0])],
            [0, down, middle + about[1] - down * (target + offset[1])],
        ]
    )
    return cv2.warpAffine(
        crop,
        matrix,
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=cv2.mean(crop)[:3],
    )


def random_part(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A rectangle of a box or around it, in units of the box's sides.

    Returns:
        ``(x, y)`` from the box's middle to its own, and its ``(w, h)``. Along each axis one of
        the two lies within the other.
    """
    sides = np.exp(rng.uniform(*LOG_PART_SIDES, 2))
    return rng.uniform(-0.5, 0.5, 2) * np.abs(1 - sides), sides


def coarse(pixels: np.ndarray, rng: np.random.Generator, nearer: float = 1.0) -> np.ndarray:
    """The same (H, W, 3) uint8 RGB as a coarser camera saves it.

    Args:
        pixels: A packed crop.
        rng: Draws how coarse it is, and the quality of the JPEG.
        nearer: How many of its pixels make one of the window that is cut from it; where there are
            few, it is coarse already.
    """
    factor = max(nearer * np.exp(rng.uniform(*LOG_COARSER)), 1.0)
    quality = int(rng.integers(*JPEG_QUALITY))
    height, width = pixels.shape[:2]
    size = max(round(width / factor), 1), max(round(height / factor), 1)
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    code = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    small = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR))
    return cv2.resize(small[..., ::-1], (width, height), interpolation=cv2.INTER_LINEAR)


def covered(pixels: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same (H, W, 3) with a rectangle of another picture over a part of it, off the middle."""
    side = len(pixels)
    height, width = (int(rng.integers(side // 12, side // 5)) for _ in range(2))
    angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(0.06, 0.25) * side
    top = int(side / 2 + distance * np.sin(angle) - height / 2)
    left = int(side / 2 + distance * np.cos(angle) - width / 2)
    row, column = (int(rng.integers(0, len(other) - reach)) for reach in (height, width))
    result = pixels.copy()
    patch = other[row : row + height, column : column + width]
    result[top : top + height, left : left + width] = patch
    return result


def relight(pixels: np.ndarray, config: AugmentConfig, rng: np.random.Generator) -> np.ndarray:
    """Change brightness, contrast and the balance of the channels of (H, W, 3) uint8."""
    contrast = 1 + rng.uniform(-config.light, config.light)
    gains = contrast * (1 + rng.uniform(-config.tint, config.tint, 3))
    brightness = 255 * rng.uniform(-config.light, config.light) / 2
    levels = np.arange(256)[:, None] * gains + (1 - contrast) * 128 + brightness
    table = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return cv2.LUT(pixels, table[:, None, :])


def to_grey(pixels: np.ndarray) -> np.ndarray:
    """Luma in all three channels of (H, W, 3) uint8 RGB."""
    return cv2.transform(pixels, np.tile(GREY_WEIGHTS, (3, 1)))


def blurred(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A linear smear of 3 to 9 px in a random direction."""
    length = int(rng.integers(3, 10))
    angle = rng.uniform(0, np.pi)
    kernel = np.zeros((length, length), np.float32)
    middle = (length - 1) / 2
    steps = np.linspace(-middle, middle, 2 * length)
    columns = np.rint(middle + steps * np.cos(angle)).astype(int)
    rows = np.rint(middle + steps * np.sin(angle)).astype(int)
    kernel[rows, columns] = 1
    return cv2.filter2D(pixels, -1, kernel / kernel.sum())
