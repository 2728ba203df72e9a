"""What benchmarks of speed run on: drawn frames."""

from __future__ import annotations

import cv2
import numpy as np

Box = tuple[float, float, float, float]

WIDTH, HEIGHT = 640, 360
TARGET = (72, 56)  # px


def moving_targets(frames: int, count: int) -> tuple[list[np.ndarray], list[Box]]:
    """``count`` textured targets that drift over a 640x360 scene: RGB frames and first boxes.

    Targets beyond the first dozens overlap; their work is the same.
    """
    rng = np.random.default_rng(0)
    scene = cv2.resize(rng.integers(0, 256, (45, 80, 3), np.uint8), (WIDTH, HEIGHT))
    room = np.subtract((WIDTH, HEIGHT), TARGET) - (3 * frames, frames)
    corners = rng.uniform(0, np.maximum(room, 1), (count, 2)).astype(int)
    textures = [
        cv2.resize(rng.integers(0, 256, (7, 9, 3), np.uint8), TARGET, interpolation=0)
        for _ in range(count)
    ]
    images = []
    for index in range(frames):
        image = scene.copy()
        for (x, y), texture in zip(corners + (3 * index, index), textures, strict=True):
            place = image[y : y + TARGET[1], x : x + TARGET[0]]
            place[:] = texture[: place.shape[0], : place.shape[1]]
        images.append(image)
    return images, [(float(x), float(y), *map(float, TARGET)) for x, y in corners]
