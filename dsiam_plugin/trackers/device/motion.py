"""Where N targets are and go: the numbers of their states, and the rules that change them.

The rules are those of ``host.DSiamTracker``, as masks over targets. Geometry
is in float64, as Python's is: windows are rounded to whole pixels in the same places.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from dsiam_plugin.config import CropConfig, TrackerConfig, TrackingConfig, TransformConfig
from dsiam_plugin.trackers.device.crops import Windows, context_sides


class Peaks(NamedTuple):
    """What ``localize.locate`` says of each target, (N,) each; scale is int64."""

    scale: Tensor
    dx: Tensor
    dy: Tensor
    score: Tensor
    height: Tensor
    ambiguity: Tensor

    @classmethod
    def unpacked(cls, located: Tensor) -> Peaks:
        """The fields of its answer, (N, 6)."""
        scale, *rest = located.unbind(dim=1)
        return cls(scale.long(), *rest)


class Motion(NamedTuple):
    """The part of a state that is numbers; fields as in ``state.TrackerState``.

    Attributes:
        center, target_size: (N, 2) float64, px.
        search_side: (N,) float64, px.
        lost: (N,) bool.
        frames_outside: (N,) float64, whole.
        suppressing: Whether W is on, (N,) bool.
    """

    center: Tensor
    target_size: Tensor
    search_side: Tensor
    lost: Tensor
    frames_outside: Tensor
    suppressing: Tensor

    def packed(self) -> Tensor:
        """One tensor (N, 8) float64, so that a state is few tensors to copy."""
        numbers = (self.search_side, self.lost, self.frames_outside, self.suppressing)
        columns = torch.stack([item.to(self.center.dtype) for item in numbers], dim=1)
        return torch.cat([self.center, self.target_size, columns], dim=1)

    @classmethod
    def unpacked(cls, packed: Tensor) -> Motion:
        """The numbers of :meth:`packed`."""
        side, lost, outside, suppressing = packed[:, 4:].unbind(dim=1)
        return cls(packed[:, :2], packed[:, 2:4], side, lost > 0, outside, suppressing > 0)


def chosen(items: Tensor, scale: Tensor) -> Tensor:
    """Of each target's S items (N, S, ...) the one at ``scale`` (N,): (N, ...)."""
    return items[torch.arange(len(items), device=items.device), scale]


def own_search_side(target_size: Tensor, crop: CropConfig) -> Tensor:
    """Search side (N,) that belongs to targets of size (N, 2)."""
    return context_sides(target_size, crop.context) * (crop.search_size / crop.exemplar_size)


def displaced(windows: Windows, peaks: Peaks, stride: int, crop: CropConfig) -> Tensor:
    """Centres (N, 2) of the targets where the winning windows show them."""
    side = chosen(windows.side, peaks.scale)
    shift = torch.stack([peaks.dx, peaks.dy], dim=1).double()
    pixels_a_cell = side[:, None] * stride / crop.search_size
    return chosen(windows.center, peaks.scale) + shift * pixels_a_cell


def is_lost(peaks: Peaks, first_height: Tensor, tracking: TrackingConfig) -> Tensor:
    """Which targets were not found, (N,) bool."""
    lost = peaks.height < tracking.lost_height * first_height
    if tracking.lost_below is not None:
        lost = lost | (peaks.score <= tracking.lost_below)
    return lost


def is_trusted(peaks: Peaks, first_height: Tensor, transform: TransformConfig) -> Tensor:
    """Which frames may teach V and W, (N,) bool."""
    unambiguous = peaks.ambiguity <= transform.max_ambiguity
    return unambiguous & (peaks.height >= transform.min_confidence * first_height)


def recentered(motion: Motion, image_size: tuple[int, int]) -> Motion:
    """Back to the image's centre for targets beyond its border twice in a row."""
    height, width = image_size
    low = motion.center - (motion.target_size - 1) / 2
    (left, top), (right, bottom) = low.unbind(1), (low + motion.target_size).unbind(1)
    across = right.clamp_max(width) > left.clamp_min(0)
    along = bottom.clamp_max(height) > top.clamp_min(0)
    outside = ~(across & along)
    again = outside & (motion.frames_outside > 0)
    x, y = motion.center.unbind(1)
    x, y = torch.where(again, (width - 1) / 2, x), torch.where(again, (height - 1) / 2, y)
    return motion._replace(
        center=torch.stack([x, y], dim=1),
        frames_outside=(outside & ~again).to(motion.frames_outside.dtype),
    )


def resized(
    motion: Motion,
    factor: Tensor,
    frozen: Tensor,
    first_search_side: Tensor,
    config: TrackerConfig,
) -> Motion:
    """Follow the winning scale, or search wider; the search side stays within its bounds.

    Args:
        motion: N targets.
        factor: Growth by the winning scale, (N,) float64.
        frozen: Targets that keep their size while their search grows, (N,) bool.
        first_search_side: Its bounds are shares of that, (N,).
        config: The tracker's.
    """
    tracking = config.tracking
    growth = torch.where(frozen, config.transform.lost_growth, factor)
    side = torch.maximum(motion.search_side * growth, tracking.min_search * first_search_side)
    side = torch.minimum(side, tracking.max_search * first_search_side)
    factor = torch.where(frozen, 1.0, factor)
    return motion._replace(target_size=motion.target_size * factor[:, None], search_side=side)


def results(motion: Motion, score: Tensor) -> Tensor:
    """The box ``x, y, w, h``, the score, and lost (0 or 1), (N, 6) float64."""
    corner = motion.center - (motion.target_size - 1) / 2
    rest = torch.stack([score.double(), motion.lost.double()], dim=1)
    return torch.cat([corner, motion.target_size, rest], dim=1)
