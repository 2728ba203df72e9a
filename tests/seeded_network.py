"""Small random networks and a textured sequence that they can follow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from dsiam_plugin.models.backbones import SiamFCAlexNet
from dsiam_plugin.models.box_head import BoxHead, Necks
from dsiam_plugin.models.weights import HEAD_PREFIX, NECK_PREFIX, load_weights, save_weights

CHANNELS = (16, 16, 24, 24, 16)
BOX_CHANNELS, BOX_HIDDEN = 12, 6


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


def write_box_weights(path: Path, seed: int = 0) -> Path:
    """The same features with necks and a box head whose boxes change by a few px; .safetensors."""
    source = load_weights(write_weights(path.with_suffix(".npz"), seed))
    layers = ("conv5", "conv4")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        widths = {layer: len(source.tensors[f"{layer}.weight"]) for layer in layers}
        parts = {
            NECK_PREFIX: Necks(widths, BOX_CHANNELS),
            HEAD_PREFIX: BoxHead(layers, BOX_CHANNELS, BOX_HIDDEN, 17),
        }
        torch.nn.init.normal_(parts[HEAD_PREFIX].fusion["conv4"], std=0.5)
        for layer in layers:  # rows of unit length keep the size of features
            torch.nn.init.orthogonal_(parts[NECK_PREFIX].get_submodule(layer).weight)
    made = {
        f"{prefix}{name}": item
        for prefix, part in parts.items()
        for name, item in part.state_dict().items()
    }
    save_weights(replace(source, tensors={**source.tensors, **made}), path)
    return path


def weights_for(name: str, weights: Path) -> Path:
    """The weights, or, for a tracker that needs them, such with a box head beside them."""
    if name != "DSiamBox":
        return weights
    path = weights.with_name("box.safetensors")
    return path if path.exists() else write_box_weights(path)


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
