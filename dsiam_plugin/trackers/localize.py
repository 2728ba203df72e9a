"""From response maps to a displacement, a scale and a score.

Shapes: T targets, S scales, m cells a side of the response, M = m * upsample after upsampling.
Everything up to :func:`locate` stays on the responses' device; :func:`localize` copies once.
"""

from __future__ import annotations

from functools import lru_cache
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
        height: Maximum of that scale's response over its background (its median).
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
    """Find one target in the responses of all scales.

    Args:
        responses: (S, 1, m, m) float32, smallest scale first.
        scale_responses: Responses that choose the scale, same shape; usually the same tensor.
        config: Scale penalty, window influence and upsampling.
        window: :func:`cosine_window` of size ``m * config.upsample``.
    """
    one = responses.transpose(0, 1)  # (1, S, m, m)
    deciding = one if scale_responses is responses else scale_responses.transpose(0, 1)
    scale, *rest = locate(one, deciding, config, window)[0].tolist()
    return Peak(int(scale), *rest)


def locate(
    responses: Tensor, scale_responses: Tensor, config: TrackingConfig, window: Tensor
) -> Tensor:
    """Find many targets, each in its own responses, without waiting for the device.

    Args:
        responses: (T, S, m, m) float32, smallest scale first.
        scale_responses: Responses that choose the scale, same shape; usually the same tensor.
        config: Scale penalty, window influence and upsampling.
        window: :func:`cosine_window` of size ``m * config.upsample``.

    Returns:
        (T, 6) float32, the fields of :class:`Peak` in their order.
    """
    factors = torch.full(responses.shape[1:2], config.scale_penalty, device=responses.device)
    factors[len(factors) // 2] = 1.0
    scores = upsampled(scale_responses, config.upsample).amax(dim=(2, 3)) * factors  # (T, S)
    scale = scores.argmax(1)
    chosen = responses[torch.arange(len(scale), device=scale.device), scale]  # (T, m, m)
    maps = upsampled(chosen, config.upsample)
    score = maps.amax(dim=(1, 2)) * factors[scale]
    dx, dy = _windowed_peaks(maps, window, config.window_influence)
    height, ambiguity = peak_shapes(chosen)
    cells = (dx / config.upsample, dy / config.upsample)
    return torch.stack([scale.to(score.dtype), *cells, score, height, ambiguity], dim=1)


def upsampled(responses: Tensor, factor: int) -> Tensor:
    """Bicubic maps (..., M, M) of responses (..., m, m), as ``F.interpolate`` gives them.

    The interpolation is linear and separable: ``U r U^T`` with the (M, m) matrix U of one axis.
    """
    matrix = _interpolation(responses.shape[-1], factor, responses.device)
    return matrix @ responses @ matrix.T


def peak_shape(response: Tensor) -> tuple[float, float]:
    """Height of the peak over the background, and the second peak's share of it.

    Args:
        response: (m, m), before upsampling.

    Returns:
        Height, >= 0, and ambiguity in [0, 1]. The background is the median; a second peak lies
        more than ``PEAK_RADIUS`` cells away in rows or columns.
    """
    height, ambiguity = torch.stack(peak_shapes(response[None]))[:, 0].tolist()
    return height, ambiguity


def peak_shapes(responses: Tensor) -> tuple[Tensor, Tensor]:
    """Heights and ambiguities, (T,) each, of responses (T, m, m)."""
    cells = responses.flatten(1)
    background = cells.median(1).values
    top, flat = cells.max(1)
    height = top - background
    columns = responses.shape[-1]
    index = torch.arange(columns, device=responses.device)
    near_row = (index - (flat // columns)[:, None]).abs() <= PEAK_RADIUS
    near_column = (index - (flat % columns)[:, None]).abs() <= PEAK_RADIUS
    near = near_row[:, :, None] & near_column[:, None, :]
    others = torch.where(near, background[:, None, None], responses).amax(dim=(1, 2))
    ambiguity = torch.where(height > 0, (others - background) / height, 1.0)
    return height, ambiguity


def _windowed_peaks(maps: Tensor, window: Tensor, influence: float) -> tuple[Tensor, Tensor]:
    """Displacements (dx, dy), (T,) each, of peaks from the middle, in cells of maps (T, M, M)."""
    floors = maps - maps.amin(dim=(1, 2), keepdim=True)
    # A flat map has no mass to normalise; the window then decides alone.
    mass = floors.sum(dim=(1, 2), keepdim=True).clamp_min(torch.finfo(maps.dtype).tiny)
    mixed = torch.lerp(floors / mass, window, influence)
    flat = mixed.flatten(1).argmax(1)
    size = maps.shape[-1]
    middle = (size - 1) / 2
    return flat % size - middle, flat // size - middle


@lru_cache(maxsize=8)
@torch.inference_mode(False)
def _interpolation(cells: int, factor: int, device: torch.device) -> Tensor:
    """Bicubic weights (M, m) of one axis: row i holds what sample i takes from every cell."""
    units = torch.eye(cells, dtype=torch.float64)[None, None]
    weights = F.interpolate(units, (cells * factor, cells), mode="bicubic", align_corners=False)
    return weights[0, 0].float().to(device)
