"""The crop layer of joint training (paper, Fig. 5): where a clip's next windows are cut.

Windows are cut at the maximum of the tracker's own response, found exactly as the tracker finds it
(``localize.localize``), and moved to whole pixels as its crops are. Positions are
numbers without a gradient: the loss flows back through the features of the windows.

Shapes: B clips, S side of a packed crop, m cells of a response. Positions are pixel indices (x, y)
in the packed crop, float32 on the CPU, because slices of every device start there.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from dsiam_plugin.config import TrackingConfig
from dsiam_plugin.trackers.crops import round_half_up
from dsiam_plugin.trackers.localize import localize


class Windows(NamedTuple):
    """Windows of a batch.

    Attributes:
        pixels: (B, size, size, 3) uint8 RGB.
        centers: (B, 2) what their middles show.
    """

    pixels: Tensor
    centers: Tensor


class Sightings(NamedTuple):
    """What ``localize.Peak`` is for one response, for a batch; on the CPU.

    Attributes:
        offsets: (B, 2) px, target's displacement from the window's middle.
        scores: (B,) maximum of the upsampled response.
        heights: (B,) that of the response over its background.
        ambiguities: (B,) height of the second peak as a share of the first's.
    """

    offsets: Tensor
    scores: Tensor
    heights: Tensor
    ambiguities: Tensor


def box_centers(boxes: Tensor) -> Tensor:
    """Positions (B, 2) of boxes (B, 4), ``(x, y, w, h)``."""
    return (boxes[:, :2] + (boxes[:, 2:] - 1) / 2).float().cpu()


def cut_windows(rows: Tensor, centers: Tensor, size: int, fill: Tensor) -> Windows:
    """Cut a square out of each row of a pack, moved to whole pixels.

    Args:
        rows: (B, S, S, 3) uint8.
        centers: (B, 2) where.
        size: Side of the windows in px; nothing is resized.
        fill: (B, 3) uint8 colour beyond the row's border.
    """
    pixels = fill[:, None, None, :].expand(-1, size, size, -1).clone()
    corners = []
    for window, row, center in zip(pixels, rows, centers.tolist(), strict=True):
        left, top = (round_half_up(value - (size - 1) / 2) for value in center)
        (x0, x1), (y0, y1) = (_inside(start, size, row.shape[0]) for start in (left, top))
        window[y0 - top : y1 - top, x0 - left : x1 - left] = row[y0:y1, x0:x1]
        corners.append((left, top))
    middle = (size - 1) / 2
    return Windows(pixels, torch.tensor(corners, dtype=torch.float32) + middle)


def find_peaks(responses: Tensor, config: TrackingConfig, window: Tensor, stride: int) -> Sightings:
    """Where the tracker would see the target in each clip's response.

    Args:
        responses: (B, m, m), any device; gradients end here.
        config: Window influence and upsampling; the search is at one scale.
        window: :func:`dsiam_plugin.trackers.localize.cosine_window` on the CPU.
        stride: Pixels between neighbouring cells.
    """
    peaks = []
    for response in responses.detach().cpu().float():  # one copy a frame, whatever the device
        single = response[None, None]
        peaks.append(localize(single, single, config, window))
    columns = [[peak.dx, peak.dy, peak.score, peak.height, peak.ambiguity] for peak in peaks]
    table = torch.tensor(columns)
    return Sightings(table[:, :2] * stride, table[:, 2], table[:, 3], table[:, 4])


def bounded(centers: Tensor, annotated: Tensor, limit: float) -> Tensor:
    """Positions (B, 2) at most ``limit`` px from the annotated ones in each direction.

    A packed crop shows no more than its margin: a tracker that left it would learn the fill colour.
    """
    return torch.minimum(torch.maximum(centers, annotated - limit), annotated + limit)


def target_maps(offsets: Tensor, size: int, stride: int, sigma: float) -> Tensor:
    """The Gaussian map around each target over a layer's cells, (B, 1, size, size), at most 1.

    The batched form of the map in :func:`dsiam_plugin.trackers.adaptation.highlight`.

    Args:
        offsets: (B, 2) px, target's displacement from the window's middle.
        size: Cells of the layer on one side.
        stride: Pixels between neighbouring cells.
        sigma: Deviation in px.
    """
    cells = torch.arange(size) - (size - 1) / 2
    distance = cells - offsets[..., None] / stride  # (B, 2, size)
    bells = torch.exp(-distance.square() / (2 * (sigma / stride) ** 2))
    return (bells[:, 1, :, None] * bells[:, 0, None, :])[:, None]


def _inside(start: int, size: int, side: int) -> tuple[int, int]:
    """The part of ``[start, start + size)`` within ``[0, side)``; empty where there is none."""
    first = min(max(start, 0), side)
    return first, max(min(start + size, side), first)
