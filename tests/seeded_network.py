"""A small random SiamFC network and a textured sequence that it can follow."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from dsiam_plugin.models.backbones import SiamFCAlexNet

CHANNELS = (16, 16, 24, 24, 16)


def write_weights(path: Path, seed: int = 0, channels: tuple[int, ...] = CHANNELS) -> Path:
    """Orthogonal-like random filters in the layout of the official .npz; deterministic."""
    generator = torch.Generator().manual_seed(seed)
    arrays = {}
    for name, tensor in SiamFCAlexNet(channels).state_dict().items():
        if name.endswith("bias"):
            arrays[name] = np.zeros(tensor.shape, np.float32)
            continue
        values = torch.randn(tensor.shape, generator=generator)
        values -= values.mean(dim=(1, 2, 3), keepdim=True)  # answers to structure, not to grey
        gain = (2 / values[0].numel()) ** 0.5
        arrays[name] = (values * gain).numpy()
    np.savez(path, **arrays)
    return path


def moving_patch(
    frames: int = 12, size: tuple[int, int] = (120, 160), step: tuple[float, float] = (2.0, 1.0)
) -> tuple[list[np.ndarray], list[tuple[float, float, float, float]]]:
    """A textured 30x26 patch that drifts over a smooth background: RGB frames and boxes."""
    rng = np.random.default_rng(3)
    height, width = size
    background = cv2.GaussianBlur(rng.integers(60, 200, (height, width, 3), np.uint8), (0, 0), 6)
    patch = cv2.resize(rng.integers(0, 256, (6, 7, 3), np.uint8), (30, 26), interpolation=0)
    images, boxes = [], []
    for index in range(frames):
        x, y = round(30 + step[0] * index), round(40 + step[1] * index)
        image = background.copy()
        image[y : y + 26, x : x + 30] = patch
        images.append(image)
        boxes.append((float(x), float(y), 30.0, 26.0))
    return images, boxes
