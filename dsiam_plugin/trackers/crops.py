"""Square crops around a target: context, scales and padding (SiamFC's conventions).

Sides are measured in source pixels ("px") before and in crop pixels after resizing. Crops keep
track of where they really are: the window is moved to whole source pixels, so its centre differs
from the asked one by up to half a pixel, and :class:`Crop` remembers it.

A window of up to ``LARGEST_PADDED_PX`` is padded and resized by OpenCV. Larger ones, which take
more than 50 MB, are sampled at the crop's pixels alone; the two differ by rounding only.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

LARGEST_PADDED_PX = 4096
LARGEST_SIDE_PX = 2**30  # sides beyond, infinite ones too, show the same: nothing but the fill


class Crop(NamedTuple):
    """A square cut out of an image and resized.

    Attributes:
        pixels: (size, size, 3) uint8.
        center: Pixel index ``(cx, cy)`` of the source that the middle of the crop shows.
        side_px: Side of the window in source pixels.
    """

    pixels: np.ndarray
    center: tuple[float, float]
    side_px: int


def context_side(width: float, height: float, context: float) -> float:
    """Side in px of the square exemplar window around a box.

    ``sqrt((w + p) (h + p))`` with ``p = context * (w + h)``.
    """
    padding = context * (width + height)
    return math.sqrt((width + padding) * (height + padding))


def channel_means(image: np.ndarray) -> tuple[float, float, float]:
    """Mean of each channel of a (H, W, 3) image: the colour beyond the border."""
    first, second, third, _ = cv2.mean(image)
    return first, second, third


def crop_square(
    image: np.ndarray,
    center: tuple[float, float],
    side: float,
    size: int,
    fill: tuple[float, float, float],
) -> Crop:
    """Cut the square of ``side`` px around ``center`` and resize it to ``size``.

    Args:
        image: (H, W, 3) uint8.
        center: Pixel index ``(cx, cy)``; may lie outside the image.
        side: Side in px, rounded to whole pixels, at least 1.
        size: Side of the crop.
        fill: Colour beyond the border, one value a channel.
    """
    side_px = max(round_half_up(min(side, LARGEST_SIDE_PX)), 1)
    left = round_half_up(center[0] - (side_px - 1) / 2)
    top = round_half_up(center[1] - (side_px - 1) / 2)
    middle = (side_px - 1) / 2
    where = (left + middle, top + middle)
    if side_px > LARGEST_PADDED_PX:
        return Crop(_sampled(image, (left, top), side_px, size, fill), where, side_px)
    height, width = image.shape[:2]
    x0, x1 = min(max(left, 0), width), max(min(left + side_px, width), 0)
    y0, y1 = min(max(top, 0), height), max(min(top + side_px, height), 0)
    window: np.ndarray
    if x0 >= x1 or y0 >= y1:
        window = np.empty((side_px, side_px, 3), np.uint8)
        window[:] = np.rint(fill)
    else:
        window = image[y0:y1, x0:x1]
        margins = (y0 - top, top + side_px - y1, x0 - left, left + side_px - x1)
        if any(margins):
            window = cv2.copyMakeBorder(window, *margins, cv2.BORDER_CONSTANT, value=fill)
    if side_px != size:
        window = cv2.resize(window, (size, size), interpolation=cv2.INTER_LINEAR)
    return Crop(window, where, side_px)


def search_pyramid(
    image: np.ndarray,
    center: tuple[float, float],
    sides: list[float],
    size: int,
    fill: tuple[float, float, float],
) -> list[Crop]:
    """One crop a side, all around the same centre and resized to the same ``size``."""
    return [crop_square(image, center, side, size, fill) for side in sides]


def _sampled(
    image: np.ndarray,
    corner: tuple[int, int],
    side_px: int,
    size: int,
    fill: tuple[float, float, float],
) -> np.ndarray:
    """The crop (size, size, 3) uint8 of a window larger than itself, at a cost of its own size.

    Linear interpolation reads four source pixels for each pixel of the crop, as ``cv2.resize`` on
    the padded window does; those beyond the image are ``fill``.
    """
    steps = np.clip((np.arange(size) + 0.5) * (side_px / size) - 0.5, 0, side_px - 1)
    columns, rows = (start + np.floor(steps).astype(np.int64) for start in corner)
    across = (steps % 1)[None, :, None]
    down = (steps % 1)[:, None, None]
    upper, lower = (
        _pixels(image, rows + below, columns, fill) * (1 - across)
        + _pixels(image, rows + below, columns + 1, fill) * across
        for below in (0, 1)
    )
    return np.rint(upper * (1 - down) + lower * down).astype(np.uint8)


def _pixels(
    image: np.ndarray, rows: np.ndarray, columns: np.ndarray, fill: tuple[float, float, float]
) -> np.ndarray:
    """The image at rows x columns, (R, C, 3) float64; ``fill`` beyond its border."""
    height, width = image.shape[:2]
    found = image[rows.clip(0, height - 1)[:, None], columns.clip(0, width - 1)].astype(float)
    found[(rows < 0) | (rows >= height)] = np.rint(fill)
    found[:, (columns < 0) | (columns >= width)] = np.rint(fill)
    return found


def round_half_up(value: float) -> int:
    """Nearest integer, halves upwards (Python rounds them to even, which makes crops jump)."""
    return math.floor(value + 0.5)
