"""Several targets' steps side by side, so that what they embed goes through the network together.

A step is a generator: it yields the crops whose features it needs, is sent those features, and
returns its outcome. It reads from top to bottom as if the network answered it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import TypeVar

import numpy as np
from torch import Tensor

Features = Mapping[str, Tensor]
Embed = Callable[[np.ndarray], Features]
Outcome = TypeVar("Outcome")
Steps = Generator[Sequence[np.ndarray], Features, Outcome]

# Two pyramids of three 255 px crops. Larger batches fall out of a processor's cache: 12 crops take
# a seventh more time a crop than 6.
BATCH_PIXELS = 6 * 255 * 255


def run_together(steps: Sequence[Steps[Outcome]], embed: Embed) -> list[Outcome]:
    """Run all steps to their end.

    Args:
        steps: Generators that have not begun.
        embed: Features, (S, C_l, h_l, w_l) a layer, of crops (S, H, W, 3) of one size.

    Returns:
        What each returned.

    Raises:
        Exception: The first one that a step raises; the others are abandoned.
    """
    outcomes: dict[int, Outcome] = {}
    answers: dict[int, Features | None] = dict.fromkeys(range(len(steps)))
    while answers:
        requests = {}
        for index, answer in answers.items():
            try:
                requests[index] = steps[index].send(answer)
            except StopIteration as end:
                outcomes[index] = end.value
        answers = _answer(requests, embed)
    return [outcomes[index] for index in range(len(steps))]


def _answer(requests: Mapping[int, Sequence[np.ndarray]], embed: Embed) -> dict[int, Features]:
    """Features of each request's crops."""
    answers = {}
    for batch in _batches(requests):
        features = embed(np.stack([crop for index in batch for crop in requests[index]]))
        if len(batch) == 1:
            answers[batch[0]] = features
            continue
        counts = [len(requests[index]) for index in batch]
        shares = {layer: item.split(counts) for layer, item in features.items()}
        for place, index in enumerate(batch):
            answers[index] = {layer: share[place] for layer, share in shares.items()}
    return answers


def _batches(requests: Mapping[int, Sequence[np.ndarray]]) -> list[list[int]]:
    """Requests whose crops are of one size, up to ``BATCH_PIXELS`` or a single request."""
    batches: list[list[int]] = []
    open_batches: dict[int, tuple[list[int], int]] = {}
    for index, crops in requests.items():
        size = crops[0].shape[0]
        pixels = len(crops) * size * size
        batch, used = open_batches.get(size, ([], BATCH_PIXELS))
        if used + pixels > BATCH_PIXELS:
            batch, used = [], 0
            batches.append(batch)
        batch.append(index)
        open_batches[size] = batch, used + pixels
    return batches
