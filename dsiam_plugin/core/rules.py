"""What follows from the peaks of a frame: whether to learn, where the targets are, how large.

Geometry is in float64. Nothing here looks at features or at a value from Python; only settings,
the same for all targets and frames, are branched on.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dsiam_plugin.config import CropConfig, TrackerConfig
from dsiam_plugin.core.response import Fixed
from dsiam_plugin.core.state import Peaks, Target, Verdict, Windows, pick, take


def context_side(size: Tensor, context: float) -> Tensor:
    """Sides (N,) of the square exemplar windows around boxes of size (N, 2).

    ``sqrt((w + p) (h + p))`` with ``p = context * (w + h)``.
    """
    width, height = size.unbind(1)
    padding = context * (width + height)
    return ((width + padding) * (height + padding)).sqrt()


def own_side(size: Tensor, crop: CropConfig) -> Tensor:
    """Sides (N,) of the search windows that belong to boxes of size (N, 2)."""
    return context_side(size, crop.context) * crop.search_size / crop.exemplar_size


def judge(target: Target, peaks: Peaks, config: TrackerConfig) -> Verdict:
    """Which targets are lost, and whose frame may teach V and W."""
    tracking, transform = config.tracking, config.transform
    height, first = peaks.height.double(), target.first_height.double()
    lost = height < tracking.lost_height * first
    if tracking.lost_below is not None:
        lost = lost | (peaks.score <= tracking.lost_below)
    learns = (peaks.ambiguity.double() <= transform.max_ambiguity) & (
        height >= transform.min_confidence * first
    )
    no = torch.zeros_like(lost)
    if transform.gate and transform.adaptive:
        recovers = target.lost & ~lost if transform.lost_growth > 1 else no
        return Verdict(lost, learns & ~lost, lost, recovers)
    return Verdict(lost, learns, no, no)


def move(
    target: Target,
    peaks: Peaks,
    verdict: Verdict,
    windows: Windows,
    stride: int,
    image_size: tuple[int, int],
    config: TrackerConfig,
) -> Target:
    """Targets where the winning windows show them.

    Args:
        target: Before the frame.
        peaks: What the frame showed.
        verdict: What follows from it.
        windows: The search windows as they were cut.
        stride: Px of the search crop between neighbouring cells of the response.
        image_size: ``(height, width)``.
        config: Of the tracker.
    """
    pixels_a_cell = stride * take(windows.side, peaks.scale) / config.crop.search_size
    shift = torch.stack([peaks.dx, peaks.dy], dim=1).double() * pixels_a_cell[:, None]
    center, outside = take(windows.center, peaks.scale) + shift, target.outside
    if config.tracking.hold:
        center = torch.where(verdict.lost[:, None], target.center, center)
    lost = verdict.lost
    if config.transform.recenter:
        center, outside, beyond = _recentered(center, target, image_size)
        lost = lost | beyond
    side = torch.where(verdict.recovers, own_side(target.size, config.crop), target.side)
    return target._replace(center=center, outside=outside, side=side, lost=lost)


def settle(
    target: Target, peaks: Peaks, verdict: Verdict, fixed: Fixed, config: TrackerConfig
) -> Target:
    """Targets as the next frame is to find them: size, search side, and V and W off after a loss.

    The search side follows the winning scale, or grows where a loss is acted on, within its
    bounds. On the frame that finds a target again neither follows the scale: the windows were
    those of the loss.
    """
    tracking, lost_growth = config.tracking, config.transform.lost_growth
    growth = peaks.growth
    if growth is None:
        growth = 1 + tracking.scale_damping * (fixed.scales[peaks.scale] - 1)[:, None]
    still = verdict.recovers | verdict.lost if tracking.hold else verdict.recovers
    growth = torch.where(still[:, None], 1.0, growth.double())
    if lost_growth > 1:
        growth = torch.where(verdict.acts[:, None], 1.0, growth)
    size = target.size * growth
    side = target.side * growth[:, 0] if peaks.growth is None else own_side(size, config.crop)
    if lost_growth > 1:
        side = torch.where(verdict.acts, target.side * lost_growth, side)
    side = torch.maximum(side, tracking.min_search * target.first_side)
    side = torch.minimum(side, tracking.max_search * target.first_side)
    if peaks.growth is not None:  # its own bounds are those of its window
        size = size * (side / own_side(size, config.crop)).clamp_max(1.0)[:, None]
    target = target._replace(size=size, side=side)
    if not (config.transform.gate and config.transform.adaptive):
        return target
    off = verdict.acts | target.lost  # or beyond the border, which counts as a loss
    return target._replace(
        template=pick(off, target.exemplar, target.template),
        suppressing=target.suppressing & ~off,
    )


def boxes(target: Target) -> Tensor:
    """Boxes ``x, y, w, h``, (N, 4) float64."""
    return torch.cat([target.center - (target.size - 1) / 2, target.size], dim=1)


def _recentered(
    center: Tensor, target: Target, image_size: tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor]:
    """Centres, at the image's own on every second frame of a target beyond its border.

    The release looks at one corner of the box, the lower right one, and counts such frames whether
    or not they follow each other.

    Returns:
        Centres (N, 2); whether an odd number of such frames was seen, and whether this is one of
        them, (N,) bool each.
    """
    height, width = image_size
    right, bottom = (center + (target.size + 1) / 2).unbind(1)
    beyond = (right < 0) | (bottom < 0) | (right > width) | (bottom > height)
    again = beyond & target.outside
    x = torch.where(again, (width - 1) / 2, center[:, 0])
    y = torch.where(again, (height - 1) / 2, center[:, 1])
    return torch.stack([x, y], dim=1), target.outside ^ beyond, beyond
