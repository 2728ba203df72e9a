"""The one place that decodes images, and every accepted pixel format as 8-bit RGB.

Shapes: H height, W width, both in pixels. Files give the pixels of ``cv2.imread(path,
cv2.IMREAD_COLOR)``, as pysot reads them. Accepted arrays are grey (H, W) and (H, W, 1), colour
(H, W, 3) and colour with alpha (H, W, 4), as uint8 or uint16. Alpha is dropped. Floating-point
images are refused: their range (0-1, 0-255, HDR) cannot be known, and a wrong guess would feed
the network a nearly black frame.
"""

import os
import re
import stat
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from dsiam_plugin.errors import ImageError
from dsiam_plugin.io.folders import IMAGE_SUFFIXES

SIXTEEN_BIT_STEP = 257  # 65535 / 255: 16-bit white becomes 8-bit white
ACCEPTED = "(H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8 or uint16"
EXPECTED = f"expected an image file ({', '.join(IMAGE_SUFFIXES)})"
MOST_PIXELS = 1 << 27  # about 1 GB while it is decoded
MOST_BYTES = 4 * MOST_PIXELS  # no format needs more for that many pixels

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
# A JPEG's markers; within pixels 0xff is followed by 0 or by a restart (d0 to d7).
JPEG_MARKER = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")
JPEG_END = 0xD9
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # their segments hold the size


def read_image(path: str | Path, mode: str = "RGB") -> np.ndarray:
    """The pixels of ``cv2.imread(path, cv2.IMREAD_COLOR)``, or an error where that is silent.

    The file's own orientation tag is applied, as every viewer does; 16-bit values become 8-bit
    ones as the format's decoder does it.

    Returns:
        (H, W, 3) uint8, C-contiguous.

    Raises:
        ImageError: The file is missing, empty, cut off, no image, or too large.
    """
    _check_order(mode, str(path))
    image = _decode(path, cv2.IMREAD_COLOR)
    return as_bgr(image) if mode == "RGB" else image


def read_raw_image(path: str | Path) -> np.ndarray:
    """An image's values as the file holds them: (H, W) for one channel, of the file's type.

    Raises:
        ImageError: As :func:`read_image`.
    """
    return _decode(path, cv2.IMREAD_UNCHANGED)


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
    _check_order(mode, name)
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


def _decode(path: str | Path, flags: int) -> np.ndarray:
    """The image of a file, as OpenCV's flags ask for it."""
    encoded = _read_bytes(path)
    trouble = _trouble(encoded)
    if trouble:
        raise ImageError(f"{path}: {trouble}; {EXPECTED}")
    try:
        image = cv2.imdecode(np.frombuffer(encoded, np.uint8), flags)
    except cv2.error:  # a header that claims more than OpenCV's own limits
        image = None
    if image is None:
        raise ImageError(f"{path}: {len(encoded)} bytes that do not decode; {EXPECTED}")
    return image


def _read_bytes(path: str | Path) -> bytes:
    """Content of a regular file; opening a pipe or device would wait for whoever writes to it."""
    try:
        found = os.stat(path)
        if stat.S_ISREG(found.st_mode) and found.st_size <= MOST_BYTES:
            return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"{path}: {reason}; {EXPECTED}") from error
    if stat.S_ISREG(found.st_mode):
        raise ImageError(f"{path}: {found.st_size} bytes; expected at most {MOST_BYTES}")
    raise ImageError(f"{path}: a folder, pipe or device; {EXPECTED}")


def _trouble(encoded: bytes) -> str:
    """A reason not to decode the bytes, empty where there is none.

    OpenCV 4 fills what is missing of a JPEG with grey and says nothing.
    """
    if not encoded:
        return "0 bytes"
    size, whole = (0, 0), True
    if encoded.startswith(JPEG):
        size, whole = _scan_jpeg(encoded)
    elif encoded.startswith(PNG):
        size = _number(encoded, 16, 4), _number(encoded, 20, 4)
    elif encoded.startswith(b"BM"):
        size = _number(encoded, 18, 4, "little"), _number(encoded, 22, 4, "little")
    if size[0] * size[1] > MOST_PIXELS:
        return f"claims {size[0]}x{size[1]} pixels, more than {MOST_PIXELS}"
    return "" if whole else f"ends after {len(encoded)} bytes, before the JPEG does"


def _scan_jpeg(encoded: bytes) -> tuple[tuple[int, int], bool]:
    """Width and height that a JPEG claims, and whether its end is there."""
    size = (0, 0)
    position = len(JPEG) - 1
    while match := JPEG_MARKER.search(encoded, position):
        start = match.end()
        if match[0][1] == JPEG_END:
            return size, True
        if match[0][1] in JPEG_FRAMES:  # length, bits, height, width
            size = _number(encoded, start + 5, 2), _number(encoded, start + 3, 2)
        position = start + _number(encoded, start, 2)
    return size, False


def _number(encoded: bytes, start: int, width: int, order: Literal["big", "little"] = "big") -> int:
    """The number of ``width`` bytes at ``start``; missing bytes count as none."""
    return int.from_bytes(encoded[start : start + width], order)


def _check_order(mode: str, name: str) -> None:
    """Raises ImageError unless the colour order is known."""
    if mode not in ("RGB", "BGR"):
        raise ImageError(f"{name}: colour order {mode!r}; expected 'RGB' or 'BGR'")


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
