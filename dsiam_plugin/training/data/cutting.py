"""Cutting a pack's crops: the target in the middle, at the scale of its exemplar window.

With the scale ``s = exemplar_size / context_side(w, h)``, crop pixel ``u`` shows the source at
``(u - (S - 1) / 2) / s`` from the target's centre, in both directions and to a fraction of a pixel.
"""

import math

import cv2
import numpy as np

from dsiam_plugin.io.boxes import Box, box_from_center
from dsiam_plugin.trackers.crops import channel_means, context_side
from dsiam_plugin.training.data.pack import PackGeometry


def cut_crop(image: np.ndarray, box: Box, geometry: PackGeometry) -> tuple[np.ndarray, Box]:
    """Cut the crop of a target.

    What lies beyond the image's border gets the mean of each channel. Where the image shrinks to
    half or less, whole blocks of pixels are averaged first, so fine texture does not alias.

    Args:
        image: (H, W, 3) uint8.
        box: The target in the image, 0-based px, of positive size.
        geometry: Size and scale of the crop.

    Returns:
        The crop, (S, S, 3) uint8, and the target's box in it.
    """
    scale = geometry.exemplar_size / context_side(box.w, box.h, geometry.context)
    middle = (geometry.side - 1) / 2
    fill = channel_means(image)
    window, (left, top), block = _shrunk_window(
        image, box.center, geometry.side / scale, geometry.side, fill
    )
    # Source pixel x is pixel (x - left + 0.5) / block - 0.5 of the window.
    target = [
        (center - corner + 0.5) / block - 0.5
        for center, corner in zip(box.center, (left, top), strict=True)
    ]
    step = 1 / (scale * block)  # window pixels for each pixel of the crop
    matrix = np.array([[step, 0, target[0] - middle * step], [0, step, target[1] - middle * step]])
    crop = cv2.warpAffine(
        window,
        matrix,
        (geometry.side, geometry.side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=fill,
    )
    return crop, box_from_center(middle, middle, box.w * scale, box.h * scale)


def _shrunk_window(
    image: np.ndarray,
    center: tuple[float, float],
    side: float,
    size: int,
    fill: tuple[float, float, float],
) -> tuple[np.ndarray, tuple[int, int], int]:
    """The part of the image that a crop of ``side`` px can show, averaged over square blocks."""
    height, width = image.shape[:2]
    reach = side / 2 + 2  # interpolation looks one pixel further
    left, right = _span(center[0], reach, width)
    top, bottom = _span(center[1], reach, height)
    window = image[top:bottom, left:right]
    block = min(max(int(side / size), 1), max(window.shape[:2]))
    if block > 1:
        window = _average(window, block, fill)
    return window, (left, top), block


def _average(window: np.ndarray, block: int, fill: tuple[float, float, float]) -> np.ndarray:
    """Means of blocks of ``block`` x ``block`` px; ``fill`` completes the last ones."""
    height, width = window.shape[:2]
    rows, columns = -(-height // block), -(-width // block)
    margins = (0, rows * block - height, 0, columns * block - width)
    if any(margins):
        window = cv2.copyMakeBorder(window, *margins, cv2.BORDER_CONSTANT, value=fill)
    return cv2.resize(window, (columns, rows), interpolation=cv2.INTER_AREA)


def _span(center: float, reach: float, length: int) -> tuple[int, int]:
    """Whole pixels within ``reach`` of ``center`` on an axis of the image, at least one."""
    first = min(max(math.floor(center - reach), 0), length - 1)
    return first, max(min(math.ceil(center + reach) + 1, length), first + 1)
