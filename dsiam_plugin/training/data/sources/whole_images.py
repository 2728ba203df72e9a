"""Reading images that must be complete."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dsiam_plugin.errors import ImageError
from dsiam_plugin.io.images import read_image

JPEG, SCAN, END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"  # markers; pixel data holds none of them


def read_whole_image(path: Path) -> np.ndarray:
    """Decode an image file, but no JPEG that ends early.

    OpenCV 4 fills what is missing of one with grey and says nothing.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ImageError: The file is missing, truncated or no image.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror or error}; expected an image file") from error
    if data.startswith(JPEG) and data.rfind(END) < data.rfind(SCAN):
        raise ImageError(f"{path}: ends after {len(data)} bytes; expected a whole JPEG file")
    return read_image(path)
