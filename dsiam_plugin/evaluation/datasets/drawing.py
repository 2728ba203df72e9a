"""Drawing regions into frames."""

from collections.abc import Sequence

import numpy as np

GROUND_TRUTH_COLOR = (0, 255, 0)  # B, G, R
LABEL_COLOR = (255, 255, 0)
TRACKER_COLORS = ((0, 255, 255), (255, 128, 0), (0, 0, 255), (255, 0, 255), (255, 255, 255))


def draw_region(
    image: np.ndarray,
    region: Sequence[float],
    linewidth: int,
    color: Sequence[int],
    label: str | None = None,
) -> np.ndarray:
    """Draw a box or polygon, and a label above it, into `image`; returns `image`.

    Args:
        image: (H, W, 3) uint8 BGR, drawn into.
        region: x, y, w, h, or polygon numbers; codes and NaN draw nothing.
        linewidth: Width of the outline, px.
        color: B, G, R.
        label: Text, or None.
    """
    import cv2  # heavy, and an evaluation from annotations alone needs none of it

    corners = _corners(region)
    if corners is None:
        return image
    paint = tuple(int(channel) for channel in color)
    cv2.polylines(image, [corners.reshape(-1, 1, 2)], True, paint, linewidth)
    if label:
        anchor = (int(corners[0, 0]), int(corners[0, 1]) - 5)
        cv2.putText(image, label, anchor, cv2.FONT_HERSHEY_COMPLEX_SMALL, 1, paint, 1)
    return image


def label_frame(image: np.ndarray, number: int) -> None:
    """Write a frame's number into the upper left corner of `image`, (H, W, 3) uint8 BGR."""
    import cv2  # as above

    cv2.putText(
        image, str(number), (5, 20), cv2.FONT_HERSHEY_COMPLEX_SMALL, 1, LABEL_COLOR, 2
    )  # fmt: skip


def _corners(region: Sequence[float]) -> np.ndarray | None:
    """Integer corners (n, 2) of a box or polygon; None where there is nothing to draw."""
    numbers = np.asarray(region, dtype=np.float64)
    if len(numbers) < 4 or not np.isfinite(numbers).all():
        return None
    if len(numbers) == 4:
        x, y, w, h = numbers
        numbers = np.array([x, y, x + w, y, x + w, y + h, x, y + h])
    return numbers.astype(np.int32).reshape(-1, 2)
