"""Embedding the crops of several targets together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from torch import Tensor

Embed = Callable[[np.ndarray], Mapping[str, Tensor]]

# Two pyramids of three 255 px crops. Larger batches fall out of a processor's cache: 12 crops take
# a seventh more time a crop than 6.
BATCH_PIXELS = 6 * 255 * 255


def embed_many(groups: Sequence[Sequence[np.ndarray]], embed: Embed) -> list[dict[str, Tensor]]:
    """Features of each group of crops, in few batches.

    Args:
        groups: Crops (size, size, 3) uint8, those of a group of one size; no group is empty.
        embed: Features, (S, C, h, w) a layer, of crops (S, H, W, 3) of one size.

    Returns:
        For each group, features (1, S, C, h, w) a layer.
    """
    answers: list[dict[str, Tensor]] = [{} for _ in groups]
    for batch in _batches(groups):
        features = embed(np.stack([crop for index in batch for crop in groups[index]]))
        counts = [len(groups[index]) for index in batch]
        for layer, item in features.items():
            for index, share in zip(batch, item.split(counts), strict=True):
                answers[index][layer] = share[None]
    return answers


def _batches(groups: Sequence[Sequence[np.ndarray]]) -> list[list[int]]:
    """Groups whose crops are of one size, up to ``BATCH_PIXELS`` or a single group."""
    batches: list[list[int]] = []
    open_batches: dict[int, tuple[list[int], int]] = {}
    for index, crops in enumerate(groups):
        size = crops[0].shape[0]
        pixels = len(crops) * size * size
        batch, used = open_batches.get(size, ([], BATCH_PIXELS))
        if used + pixels > BATCH_PIXELS:
            batch, used = [], 0
            batches.append(batch)
        batch.append(index)
        open_batches[size] = batch, used + pixels
    return batches
