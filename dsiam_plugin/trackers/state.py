"""What is known of targets between two frames, and what a frame showed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from dsiam_plugin.core.state import Target, each
from dsiam_plugin.errors import ImageError
from dsiam_plugin.io.boxes import Box


@dataclass(frozen=True)
class TrackResult:
    """What a frame showed.

    Attributes:
        box: The target, 0-based float pixels; it may reach over the image's border.
        score: Maximum of the response after the scale penalty; higher is surer. Its unit depends on
            the tracker and its weights: compare scores of one tracker only.
        lost: Whether the target was not found: the peak stands less than ``tracking.lost_height``
            of the first frame's over its background, or scores below ``tracking.lost_below``.
    """

    box: Box
    score: float
    lost: bool


@dataclass(frozen=True)
class TrackerState:
    """Targets between two frames of one size.

    ``len``, slices and ``+`` work as on a list of targets.

    Attributes:
        image_size: ``(height, width)`` that every frame must have.
        target: What the method knows of them.
    """

    image_size: tuple[int, int]
    target: Target

    def __len__(self) -> int:
        return len(self.target.side)

    def __getitem__(self, targets: slice) -> TrackerState:
        return replace(self, target=each(lambda item: item[targets], self.target))

    def __add__(self, other: TrackerState) -> TrackerState:
        if other.image_size != self.image_size:
            sizes = [f"{state.image_size[1]}x{state.image_size[0]}" for state in (other, self)]
            raise ImageError(f"frame is {sizes[0]}, expected {sizes[1]} as the other targets'")
        pair = self.target, other.target
        return replace(self, target=each(lambda *items: torch.cat(items), *pair))
