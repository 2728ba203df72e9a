"""Frames from files, in the colour order a tracker takes."""

import os

import cv2
import numpy as np

from dsiam_plugin.errors import DatasetError


def read_frame(path: str, mode: str) -> np.ndarray:
    """Decode one image.

    Args:
        path: Image file of any kind OpenCV reads.
        mode: "BGR" or "RGB".

    Returns:
        (H, W, 3) uint8.

    Raises:
        DatasetError: The file is missing or not an image.
    """
    if not os.path.isfile(path):  # asked first, because OpenCV complains on stderr by itself
        raise DatasetError(f"{path}: the frame does not exist")
    image = cv2.imread(path, cv2.IMREAD_COLOR)
    if image is None:
        raise DatasetError(f"{path}: cannot be decoded, expected an image")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if mode == "RGB" else image
