"""What benchmarks of many targets run on: drawn frames, and weights where none are named."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from dsiam_plugin.errors import CheckpointError
from dsiam_plugin.models.backbones import SiamFCAlexNet
from dsiam_plugin.models.weights import find_weights

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


def find_or_make_weights(given: str | None, folder: Path) -> Path:
    """The weights a tracker would take, else a file of seeded random ones in ``folder``.

    Raises:
        CheckpointError: If the given file is missing.
    """
    try:
        return find_weights(given)
    except CheckpointError:
        if given:
            raise
    torch.manual_seed(0)
    path = folder / "random.npz"
    np.savez(path, **{name: item.numpy() for name, item in SiamFCAlexNet().state_dict().items()})
    print("no weights named: a random network stands in")
    return path
