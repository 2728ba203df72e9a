"""A pack of a textured patch that changes its looks, and models that read it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from seeded_network import write_weights
from torch import Tensor

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.config.variants import find_variant
from dsiam_plugin.models.weights import load_weights
from dsiam_plugin.training.box.network import BoxConfig
from dsiam_plugin.training.box.stage import BoxModel
from dsiam_plugin.training.data.augment import AugmentConfig
from dsiam_plugin.training.data.clips import ClipBatch, ClipConfig
from dsiam_plugin.training.data.pack import Pack, PackGeometry, PackWriter, open_pack
from dsiam_plugin.training.data.pairs import PairBatch, PairConfig, PairDataset
from dsiam_plugin.training.joint.stage import ClipModel, JointConfig

SIDE = 351
TARGET = 63.5  # its exemplar window covers exactly 127 px, its search window 255 px
# No jitter and no change of colour: rows of the pack as they are.
STILL = ClipConfig(motion_px=0.0, zoom=0.0, start_px=0.0, flip=0.0, grey=0.0, light=0.0, tint=0.0)


def rows(frames: int, seed: int = 0, side: int = SIDE) -> np.ndarray:
    """(frames, side, side, 3) uint8: a patch in the middle that fades into another."""
    rng = np.random.default_rng(seed)
    ground = cv2.GaussianBlur(rng.integers(40, 220, (side, side, 3), np.uint8), (0, 0), 5)
    looks = [
        cv2.resize(rng.integers(0, 256, (8, 8, 3), np.uint8), (64, 64), interpolation=0)
        for _ in range(2)
    ]
    made = []
    for time in range(frames):
        image = np.roll(ground, 7 * time, axis=1)
        share = time / max(2 * frames, 1)
        corner = (side - 64) // 2
        patch = cv2.addWeighted(looks[0], 1 - share, looks[1], share, 0)
        image[corner : corner + 64, corner : corner + 64] = patch
        made.append(image)
    return np.stack(made)


def boxes(frames: int, side: int = SIDE) -> np.ndarray:
    """(frames, 4) float32, the target in the middle."""
    corner = (side - 1) / 2 - (TARGET - 1) / 2
    return np.tile(np.array([corner, corner, TARGET, TARGET], np.float32), (frames, 1))


def write_pack(folder: Path, lengths: tuple[int, ...] = (6, 4, 5)) -> Pack:
    """A pack with one track of each length."""
    folder.mkdir(parents=True)
    with PackWriter(folder, PackGeometry(side=SIDE)) as writer:
        for number, frames in enumerate(lengths):
            writer.add(
                f"t{number}", f"v{number}", range(frames), rows(frames, number), boxes(frames)
            )
    return open_pack(folder)


def noise_pairs(count: int = 4, seed: int = 0, sizes: tuple[int, int] = (127, 191)) -> PairBatch:
    """Pairs (B, ...) of noise, the target in the middle; no variants and no boxes."""
    generator = torch.Generator().manual_seed(seed)
    exemplars, searches = (
        torch.randint(0, 256, (count, size, size, 3), dtype=torch.uint8, generator=generator)
        for size in sizes
    )
    places = torch.zeros(count, 2)
    return PairBatch(exemplars, searches, places, exemplars[:, None][:, :0], places, places)


def moving_clip(frames: int, clips: int = 1, step: int = 5) -> ClipBatch:
    """Clips (B, T, S, S, 3) whose target walks to the right and down by ``step`` px a frame."""
    crops, places = [], []
    for seed in range(clips):
        pixels, where = rows(frames, seed), boxes(frames)
        for time in range(frames):
            pixels[time] = np.roll(pixels[time], (step * time // 2, step * time), axis=(0, 1))
            where[time, :2] += (step * time, step * time // 2)
        crops.append(pixels)
        places.append(where)
    return ClipBatch(torch.from_numpy(np.stack(crops)), torch.from_numpy(np.stack(places)))


def tracker_config(
    name: str = "DSiamM", preset: str = "steady", **transform: object
) -> TrackerConfig:
    """A variant at one scale, as a clip is tracked; a random network's peaks may teach too."""
    config = find_variant(name).config(preset)
    return replace(
        config,
        tracking=replace(config.tracking, scales=1),
        transform=replace(config.transform, **{"min_confidence": 0.0, **transform}),
    )


def clip_model(folder: Path, config: TrackerConfig, **joint: object) -> ClipModel:
    """A small seeded model."""
    weights = load_weights(write_weights(folder / "weights.npz"))
    return ClipModel(weights, config, JointConfig(**joint))


def box_pairs(folder: Path) -> PairDataset:
    """Pairs of a pack with boxes and variants, their search crops as small as they can be."""
    augment = AugmentConfig(shift_px=16.0, scale=0.2, stretch=0.3)
    config = PairConfig(search_size=191, variants=True, augment=augment)
    return PairDataset([write_pack(folder)], config, seed=0)


def box_model(folder: Path, batch: PairBatch) -> BoxModel:
    """A small seeded model."""
    torch.manual_seed(0)
    weights = load_weights(write_weights(folder / "weights.npz"))
    return BoxModel(BoxConfig(channels=8, hidden=6, cells=9, group=2), weights, batch)


def gradient_norm(loss: Tensor, item: Tensor) -> float:
    """Norm of the gradient; 0 where the loss does not depend on the item."""
    (gradient,) = torch.autograd.grad(loss, item, retain_graph=True, allow_unused=True)
    return 0.0 if gradient is None else float(gradient.norm())
