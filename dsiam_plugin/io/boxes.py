"""Target boxes: validation, conversion and overlap.

A :class:`Box` is ``(x, y, w, h)`` in float pixels, 0-indexed, top-left corner first. The centre is
that of pixel indices, ``x + (w - 1) / 2``, as in SiamFC and in OTB's centre error.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from dsiam_plugin.errors import BoxError
from dsiam_plugin.io.messages import excerpt


class Box(NamedTuple):
    """Axis-aligned box in pixels: left, top, width, height; 0-indexed."""

    x: float
    y: float
    w: float
    h: float

    @property
    def center(self) -> tuple[float, float]:
        """Centre ``(cx, cy)`` in pixel indices."""
        return self.x + (self.w - 1) / 2, self.y + (self.h - 1) / 2


def box_from_center(cx: float, cy: float, w: float, h: float) -> Box:
    """Box of size ``w`` x ``h`` around the pixel index ``(cx, cy)``."""
    return Box(cx - (w - 1) / 2, cy - (h - 1) / 2, w, h)


def box_from_polygon(points: Sequence[float]) -> Box:
    """Smallest axis-aligned box around ``x1, y1, x2, y2, ...`` (at least three corners).

    Where any number is NaN there is no box: all its numbers are NaN.

    Raises:
        BoxError: If the numbers do not pair up to three or more corners.
    """
    if len(points) < 6 or len(points) % 2:
        raise BoxError(
            f"polygon: expected x,y pairs of at least 3 corners, got {len(points)} numbers"
        )
    if any(math.isnan(number) for number in points):  # `min` would go by their order
        return Box(*[math.nan] * 4)
    xs, ys = points[0::2], points[1::2]
    return Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))


def overlap(first: Box, second: Box) -> float:
    """Intersection over union of two boxes, in [0, 1]."""
    width = min(first.x + first.w, second.x + second.w) - max(first.x, second.x)
    height = min(first.y + first.h, second.y + second.h) - max(first.y, second.y)
    if width <= 0 or height <= 0:
        return 0.0
    intersection = width * height
    return intersection / (first.w * first.h + second.w * second.h - intersection)


def as_box(values: Sequence[float]) -> Box:
    """The values as a :class:`Box` of floats.

    Raises:
        BoxError: If there are not four numbers.
    """
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError, OverflowError):
        raise BoxError(f"box: expected four numbers x,y,w,h, got {excerpt(values)}") from None
    if len(numbers) != 4:
        raise BoxError(f"box: expected four numbers x,y,w,h, got {len(numbers)}")
    return Box(*numbers)


def check_box(values: Sequence[float], image_width: int, image_height: int) -> Box:
    """The values as a :class:`Box` that a tracker can start from.

    A box may reach over the image's border, even be larger than the image, as long as its centre
    region touches the image; annotations of real sequences do both.

    Raises:
        BoxError: If there are not four finite numbers, the box is empty or misses the image.
    """
    box = as_box(values)
    shown = ",".join(f"{number:g}" for number in box)
    if not all(math.isfinite(number) for number in box):
        raise BoxError(f"box {shown}: expected finite numbers")
    if box.w <= 0 or box.h <= 0:
        raise BoxError(f"box {shown}: expected a positive width and height")
    frame = Box(0, 0, image_width, image_height)
    if overlap(box, frame) <= 0:
        raise BoxError(f"box {shown}: lies outside the {image_width}x{image_height} image")
    return box
