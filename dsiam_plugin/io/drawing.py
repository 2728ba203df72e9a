"""Drawing boxes, scores and the LOST mark on frames.

Images are (H, W, 3) uint8 RGB; every function returns a new one. Line width and letters grow with
the image, so that they can be read on a thumbnail and on a 4K frame.
"""

import cv2
import numpy as np

from dsiam_plugin.io.boxes import Box

TARGET_COLOR = (255, 214, 0)
LOST_COLOR = (255, 48, 48)
OUTLINE_COLOR = (0, 0, 0)

FONT = cv2.FONT_HERSHEY_SIMPLEX
REFERENCE_SIDE_PX = 360  # an image of this height has lines of 2 px
SUBPIXEL_BITS = 3  # OpenCV draws at eighths of a pixel
FARTHEST_PX = 1e6  # keeps coordinates of run-away boxes inside OpenCV's integers


def draw_box(
    image: np.ndarray, box: Box, color: tuple[int, int, int] = TARGET_COLOR, label: str = ""
) -> np.ndarray:
    """Draws a box, with a label above it if there is one.

    Args:
        image: (H, W, 3) uint8 RGB.
        box: Pixels, 0-based; may reach over the border.
        color: RGB.
        label: Text; moves inside the image where the box touches the top.

    Returns:
        A new image.
    """
    drawn = image.copy()
    width = _line_width(image)
    corners = np.clip(
        [box.x, box.y, box.x + box.w - 1, box.y + box.h - 1], -FARTHEST_PX, FARTHEST_PX
    )
    left, top, right, bottom = np.rint(corners * 2**SUBPIXEL_BITS).astype(int).tolist()
    for stroke, stroke_color in ((width + 2, OUTLINE_COLOR), (width, color)):
        cv2.rectangle(
            drawn, (left, top), (right, bottom), stroke_color, stroke, cv2.LINE_AA, SUBPIXEL_BITS
        )
    if label:
        _write(drawn, label, (int(corners[0]), int(corners[1]) - 2 * width), color)
    return drawn


def draw_result(image: np.ndarray, box: Box, score: float | None, lost: bool) -> np.ndarray:
    """Draws a tracked box with its score, and LOST in red where the target is.

    Args:
        image: (H, W, 3) uint8 RGB.
        box: Pixels, 0-based.
        score: The tracker's confidence; None for the first frame, which has none.
        lost: Whether the tracker reports its target as lost.

    Returns:
        A new image.
    """
    color = LOST_COLOR if lost else TARGET_COLOR
    drawn = draw_box(image, box, color)
    words = ["LOST"] if lost else []
    words += [] if score is None else [f"{score:.2f}"]
    if words:
        _write(drawn, " ".join(words), (0, _text_height(image) * 2), color)
    return drawn


def _line_width(image: np.ndarray) -> int:
    """Stroke width in pixels for an image of this size."""
    return max(1, round(2 * min(image.shape[:2]) / REFERENCE_SIDE_PX))


def _text_height(image: np.ndarray) -> int:
    """Height of letters in pixels for an image of this size."""
    return max(10, round(18 * min(image.shape[:2]) / REFERENCE_SIDE_PX))


def _write(
    image: np.ndarray, text: str, corner: tuple[int, int], color: tuple[int, int, int]
) -> None:
    """Writes text on a dark plate into the image, its lower left corner near ``corner``."""
    height, width = image.shape[:2]
    stroke = _line_width(image)
    scale = cv2.getFontScaleFromHeight(FONT, _text_height(image), stroke)
    (text_width, text_height), below = cv2.getTextSize(text, FONT, scale, stroke)
    x = _between(corner[0], 0, width - text_width)
    y = _between(corner[1], text_height, height - below)
    plate = (x, y - text_height), (x + text_width, y + below)
    cv2.rectangle(image, *plate, OUTLINE_COLOR, cv2.FILLED)
    cv2.putText(image, text, (x, y), FONT, scale, color, stroke, cv2.LINE_AA)


def _between(value: int, low: int, high: int) -> int:
    """The value moved into the range; its low end where the range is empty."""
    return max(low, min(value, high))
