"""Reading images and turning every accepted pixel format into 8-bit RGB.

Shapes: H height, W width, both in pixels. Accepted are grey (H, W) and (H, W, 1), colour
(H, W, 3) and colour with alpha (H, W, 4), as uint8 or uint16. Alpha is dropped. Floating-point
images are refused: their range (0-1, 0-255, HDR) cannot be known, and a wrong guess would feed
the network a nearly black frame.
"""

from pathlib import Path

import cv2
import numpy as np

from dsiam_plugin.errors import ImageError
from dsiam_plugin.io.folders import IMAGE_SUFFIXES

SIXTEEN_BIT_STEP = 257  # 65535 / 255: 16-bit white becomes 8-bit white
ACCEPTED = "(H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8 or uint16"


def read_image(path: str | Path) -> np.ndarray:
    """Decodes an image file to 8-bit RGB.

    The file's own orientation tag is applied, as every viewer does.

    Args:
        path: File of any format OpenCV reads; non-ASCII names work on every system.

    Returns:
        (H, W, 3) uint8 RGB, C-contiguous.

    Raises:
        ImageError: The file is missing, empty, no image, or of an unsupported pixel type.
    """
    try:
        encoded = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror or error}; expected an image file") from error
    image = _decode(encoded)
    if image is None:
        raise ImageError(
            f"{path}: {encoded.size} bytes that do not decode; expected an image file"
            f" ({', '.join(IMAGE_SUFFIXES)})"
        )
    return as_rgb(image, mode="BGR", name=str(path))


def as_rgb(image: np.ndarray, mode: str = "RGB", name: str = "image") -> np.ndarray:
    """Converts an image of any accepted format to 8-bit RGB.

    16-bit values are divided by 257 and rounded, so the full range maps to the full range.

    Args:
        image: Grey, colour or colour with alpha, uint8 or uint16; see the module's text.
        mode: Colour order of 3 and 4 channels: "RGB" (RGBA) or "BGR" (BGRA).
        name: What error messages call the image.

    Returns:
        (H, W, 3) uint8 RGB, C-contiguous; ``image`` itself where it is that already.

    Raises:
        ImageError: Another type, shape or colour order.
    """
    if mode not in ("RGB", "BGR"):
        raise ImageError(f"{name}: colour order {mode!r}; expected 'RGB' or 'BGR'")
    _check(image, name)
    if image.dtype == np.uint16:
        image = _to_eight_bit(image)
    if image.ndim == 2 or image.shape[2] == 1:
        return np.repeat(image.reshape(*image.shape[:2], 1), 3, axis=2)
    colours = image[:, :, :3]
    return np.ascontiguousarray(colours[:, :, ::-1] if mode == "BGR" else colours)


def as_bgr(image: np.ndarray) -> np.ndarray:
    """Swaps (H, W, 3) RGB to BGR, or back, as a new C-contiguous array."""
    return cv2.cvtColor(image, cv2.COLOR_RGB2BGR)


def _decode(encoded: np.ndarray) -> np.ndarray | None:
    """(H, W, 3) BGR of the file's own depth, or None."""
    if encoded.size == 0:  # OpenCV raises on nothing where it returns None on nonsense
        return None
    try:
        return cv2.imdecode(encoded, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error:
        return None


def _check(image: np.ndarray, name: str) -> None:
    """Raises ImageError unless the array is one of the accepted formats."""
    if not isinstance(image, np.ndarray):
        raise ImageError(f"{name}: {type(image).__name__}; expected a NumPy array {ACCEPTED}")
    channels_fit = image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (1, 3, 4))
    if not channels_fit or image.dtype not in (np.uint8, np.uint16) or image.size == 0:
        raise ImageError(f"{name}: {image.shape} of {image.dtype}; expected {ACCEPTED}")


def _to_eight_bit(image: np.ndarray) -> np.ndarray:
    """uint16 to uint8, 65535 becoming 255."""
    rounded = image.astype(np.uint32) + SIXTEEN_BIT_STEP // 2
    return (rounded // SIXTEEN_BIT_STEP).astype(np.uint8)
