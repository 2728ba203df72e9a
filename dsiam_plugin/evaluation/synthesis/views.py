"""Counting on a rendered frame: how much of the target is seen, how bright, how cluttered."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dsiam_plugin.evaluation.synthesis.compositing import Patch, cover

SURROUNDINGS = 2.0  # side of the surroundings in sides of the box


def illuminate(pixels: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Pixels (N, 3) in [0, 255] under a light of ``gain`` (3,), (N, 3) uint8."""
    return np.clip(np.rint(pixels * gain), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class View:
    """A composed frame and the patches that were pasted into it."""

    unlit: np.ndarray  # the frame under neutral light, (H, W, 3) uint8
    target: Patch  # the target's patch
    copies: tuple[Patch, ...]  # objects behind it that look like it
    covers: tuple[Patch, ...]  # objects in front of it
    gain: np.ndarray  # illumination of each channel, (3,)

    @cached_property
    def inside(self) -> np.ndarray:
        """The target's pixels within the frame, hidden or not, (H, W) bool."""
        return self.union([self.target])

    @cached_property
    def visible(self) -> np.ndarray:
        """The target's pixels that are seen, (H, W) bool."""
        return self.inside & ~self.union(self.covers)

    def union(self, patches: Iterable[Patch]) -> np.ndarray:
        """Pixels of the frame that any of the patches covers, (H, W) bool."""
        height, width = self.unlit.shape[:2]
        total = np.zeros((height, width), dtype=bool)
        for patch in patches:
            total |= cover(patch, width, height)
        return total

    @property
    def in_view(self) -> float:
        """Share of the target's pixels within the frame."""
        return int(self.inside.sum()) / int(self.target.mask.sum())

    @property
    def hidden(self) -> float:
        """Share of the target's pixels within the frame that something covers."""
        inside = int(self.inside.sum())
        return 1 - int(self.visible.sum()) / inside if inside else 0.0

    @property
    def light(self) -> float:
        """Brightness of the visible target over that under neutral light; NaN if none is seen."""
        pixels = self.unlit[self.visible]
        if not pixels.any():
            return float("nan")
        return float(illuminate(pixels, self.gain).mean() / pixels.mean())

    @property
    def clutter(self) -> float:
        """Share of the target's surroundings where a copy of it is seen."""
        if not self.copies:
            return 0.0
        near = self.surroundings & ~self.inside
        alike = self.union(self.copies) & ~self.union(self.covers)
        return float(alike[near].mean()) if near.any() else 0.0

    @property
    def surroundings(self) -> np.ndarray:
        """The box enlarged about its centre, clipped to the frame, (H, W) bool."""
        x, y, width, height = self.target.box
        more = (SURROUNDINGS - 1) / 2
        left, right = round(x - more * width), round(x + (1 + more) * width)
        top, bottom = round(y - more * height), round(y + (1 + more) * height)
        near = np.zeros(self.unlit.shape[:2], dtype=bool)
        near[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = True
        return near
