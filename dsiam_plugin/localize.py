"""From response maps to a displacement, a scale and a score."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from dsiam_plugin.config import TrackingConfig

PEAK_RADIUS = 3  # cells; a target fills about half the exemplar, 64 px or 8 cells


class Peak(NamedTuple):
    """Where the target is in the response.

    Attributes:
        scale: Index of the winning scale.
        dx, dy: Displacement from the crop's middle, in cells of the response.
        score: Maximum of the winning scale's upsampled map after the scale penalty, before the
            map is normalised and windowed.
        height: The same maximum over the map's background (its median).
        ambiguity: Height of the second peak as a share of the first's; 0 if it is the only one.
    """

    scale: int
    dx: float
    dy: float
    score: float
    height: float
    ambiguity: float


def cosine_window(size: int) -> Tensor:
    """Hann window over the upsampled response, (size, size), summing to one."""
    window = torch.hann_window(size, periodic=False, dtype=torch.float64)
    outer = torch.outer(window, window)
    return (outer / outer.sum()).float()


def localize(
    responses: Tensor, scale_responses: Tensor, config: TrackingConfig, window: Tensor
) -> Peak:
    """Find the target in the responses of all scales.

    Args:
        responses: (S, 1, m, m) float32, smallest scale first.
        scale_responses: Responses that choose the scale, same shape; usually the same tensor.
        config: Scale penalty, window influence and upsampling.
        window: :func:`cosine_window` of size ``m * config.upsample``.
    """
    maps = _upsampled(responses, config)
    scores = _scores(maps, config)
    if scale_responses is responses:
        scale = int(scores.argmax())
    else:
        scale = int(_scores(_upsampled(scale_responses, config), config).argmax())
    response = maps[scale]
    dy, dx = _windowed_peak(response, window, config.window_influence)
    height, ambiguity = peak_shape(responses[scale, 0])
    return Peak(
        scale,
        dx / config.upsample,
        dy / config.upsample,
        float(scores[scale]),
        height,
        ambiguity,
    )


def _upsampled(responses: Tensor, config: TrackingConfig) -> Tensor:
    """Bicubic maps (S, M, M) of responses (S, 1, m, m)."""
    size = responses.shape[-1] * config.upsample
    return F.interpolate(responses, size=(size, size), mode="bicubic", align_corners=False)[:, 0]


def _scores(maps: Tensor, config: TrackingConfig) -> Tensor:
    """Maximum of each scale's map after the scale penalty, (S,)."""
    factors = torch.full((len(maps),), config.scale_penalty, device=maps.device)
    factors[len(maps) // 2] = 1.0
    return maps.amax(dim=(1, 2)) * factors


def peak_shape(response: Tensor) -> tuple[float, float]:
    """Height of the peak over the background, and the second peak's share of it.

    Args:
        response: (m, m), before upsampling.

    Returns:
        Height, >= 0, and ambiguity in [0, 1]. The background is the median; a second peak lies
        more than ``PEAK_RADIUS`` cells away in rows or columns.
    """
    background = response.median()
    flat = int(response.argmax())
    row, column = divmod(flat, response.shape[1])
    height = response[row, column] - background
    if height <= 0:
        return 0.0, 1.0
    others = response.clone()
    low_row, low_column = max(row - PEAK_RADIUS, 0), max(column - PEAK_RADIUS, 0)
    others[low_row : row + PEAK_RADIUS + 1, low_column : column + PEAK_RADIUS + 1] = background
    return float(height), float((others.max() - background) / height)


def _windowed_peak(response: Tensor, window: Tensor, influence: float) -> tuple[float, float]:
    """Displacement (dy, dx) of the peak from the middle, in cells of the upsampled map."""
    floor = response - response.min()
    # A flat map has no mass to normalise; the window then decides alone.
    mass = floor.sum().clamp_min(torch.finfo(floor.dtype).tiny)
    mixed = (1 - influence) * floor / mass + influence * window
    row, column = divmod(int(mixed.argmax()), mixed.shape[1])
    middle = (mixed.shape[0] - 1) / 2
    return row - middle, column - middle
