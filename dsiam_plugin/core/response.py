"""From features to responses, and from responses to peaks (paper, sec. 3.1 and 3.3).

Shapes: N targets, S scales, K exemplars, C channels, m cells a side of the response, M after
upsampling.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from dsiam_plugin.config import TrackerConfig, TrackingConfig, TransformConfig
from dsiam_plugin.core.spectra import COMPLEX, Spectra
from dsiam_plugin.core.state import Features, Numbers, Peaks, column, take
from dsiam_plugin.core.transforms import NEGLIGIBLE, saliency_map, windowed
from dsiam_plugin.errors import ShapeError

PEAK_RADIUS = 3  # cells; a target fills about half the exemplar, 64 px or 8 cells


class Fixed(NamedTuple):
    """What a configuration fixes for all targets and frames.

    Attributes:
        scales: Search scales, smallest first, (S,) float64.
        penalties: Factor on the score of each scale, (S,).
        upsampling: Bicubic weights of one axis, (M, m).
        window: Hann window over the upsampled response, (M, M), summing to one.
        saliency: Map on the pixels of G, (search size, search size).
    """

    scales: Tensor
    penalties: Tensor
    upsampling: Tensor
    window: Tensor
    saliency: Tensor


def fixed(config: TrackerConfig, cells: int, device: torch.device | None = None) -> Fixed:
    """The constants of a configuration on a device.

    Args:
        config: Of the tracker.
        cells: Side m of the response.
        device: Where they are put.
    """
    tracking = config.tracking
    half = tracking.scales // 2
    powers = [tracking.scale_step**power for power in range(-half, half + 1)]
    penalties = torch.full((tracking.scales,), tracking.scale_penalty)
    penalties[half] = 1.0
    constants = (
        torch.tensor(powers, dtype=torch.float64),
        penalties,
        interpolation(cells, tracking.upsample),
        cosine_window(cells * tracking.upsample),
        saliency_map(config.crop.search_size, config.transform),
    )
    return Fixed(*(item.to(device) for item in constants))


def cosine_window(size: int) -> Tensor:
    """Hann window over the upsampled response, (size, size), summing to one."""
    window = torch.hann_window(size, periodic=False, dtype=torch.float64)
    outer = torch.outer(window, window)
    return (outer / outer.sum()).float()


def interpolation(cells: int, factor: int) -> Tensor:
    """Bicubic weights (M, m) of one axis, as ``F.interpolate`` has them.

    Row i holds what sample i takes from every cell. The interpolation is linear and separable:
    ``U r U^T`` with this U.
    """
    units = torch.eye(cells, dtype=torch.float64)[None, None]
    weights = F.interpolate(units, (cells * factor, cells), mode="bicubic", align_corners=False)
    return weights[0, 0].float()


def correlate(z_feat: Tensor, x_feat: Tensor, spectra: Spectra = COMPLEX) -> Tensor:
    """Valid cross-correlation of each target's exemplars with its own search windows (eq. 1).

    Args:
        z_feat: (N, K, C, h, w).
        x_feat: (N, S, C, H, W), H >= h and W >= w.
        spectra: Whose way of computing it is used.

    Returns:
        (N, S, K, H - h + 1, W - w + 1).

    Raises:
        ShapeError: If channels differ or the exemplar is larger than the search window.
    """
    channels, height, width = z_feat.shape[2:]
    if channels != x_feat.shape[2] or x_feat.shape[3] < height or x_feat.shape[4] < width:
        raise ShapeError(
            f"cross-correlation: exemplar {tuple(z_feat.shape)} does not fit search window "
            f"{tuple(x_feat.shape)}; expected (N, K, C, h, w) in (N, S, C, H, W)"
        )
    return spectra.correlate(z_feat, x_feat)


def respond(
    z_feat: Tensor,
    x_feat: Tensor,
    spectrum: Tensor,
    on: Tensor,
    rate: Tensor | float,
    config: TransformConfig,
    spectra: Spectra = COMPLEX,
    x_hat: Tensor | None = None,
) -> Tensor:
    """Responses of exemplars of which the first meets the search windows under W (eq. 1, 2).

    W is never applied to the features. Correlating an exemplar z with R * x is correlating x with
    the exemplar that the adjoint of R has spread over the whole circular map, and no exemplar
    reaches over the border at the displacements that are kept::

        z . ((1 - rate) x + rate R * x)  ->  conj(Z) ((1 - rate) + rate R) X, summed over channels

    Args:
        z_feat: (N, K, C, h, w).
        x_feat: (N, S, C, H, W).
        spectrum: Half spectra of W, (N, C, ...).
        on: Targets whose W is on, (N,) bool.
        rate: Share of W's output.
        config: Window, and whether W keeps the norm of each target's features.
        spectra: Form of ``spectrum``.
        x_hat: Half spectra of the windowed search features, if they are known.

    Returns:
        (N, S, K, H - h + 1, W - w + 1).
    """
    size = (x_feat.shape[-2], x_feat.shape[-1])
    rows, columns = (x_feat.shape[axis] - z_feat.shape[axis] + 1 for axis in (-2, -1))
    if x_hat is None:
        x_hat = spectra.forward(windowed(x_feat, config))
    first, *others = spectra.forward(z_feat, size).unbind(1)
    share = on.double() * rate
    factor = share
    if config.keep_norm:
        factor = share * _kept_norm(spectra.energy(x_hat, spectra.power(spectrum), size), x_feat)
    share, factor = share.to(x_feat.dtype), factor.to(x_feat.dtype)
    if config.window:
        # The share that W leaves alone is not windowed, so the two have no spectrum in common.
        plain = correlate(z_feat, x_feat, spectra)
        moved = spectra.sums([spectra.against(spectrum, first)], x_hat, size)
        moved = column(factor, moved) * moved[..., :rows, :columns]
        mixed = column(1 - share, moved) * plain[:, :, :1] + moved
        return torch.cat([mixed, plain[:, :, 1:]], dim=2)
    under = spectra.against(spectra.blended(spectrum, share, factor), first)
    return spectra.sums([under, *others], x_hat, size)[..., :rows, :columns]


def align(responses: Features) -> dict[str, Tensor]:
    """Responses (N, S, K, m_l, m_l) of every layer at the finest layer's size m.

    Corners stay aligned: cells of both grids lie at the same displacements of the target.
    """
    size = max(item.shape[-1] for item in responses.values())
    return {layer: _resized(item, size) for layer, item in responses.items()}


def fuse(responses: Features, units: Features, numbers: Numbers) -> Tensor:
    """Weighted sum over layers, cell by cell, and affine adjust (eq. 9).

    Args:
        responses: (N, S, K, m, m) a layer.
        units: Factor and offset of each target's response, (N, 2) a layer; empty for none.
        numbers: Fusion maps and adjust.

    Returns:
        (N, S, K, m, m).
    """
    total: Any = 0  # becomes a tensor
    for layer, item in responses.items():
        if units:
            factor, offset = units[layer].unbind(1)
            item = item * column(factor, item) + column(offset, item)
        total = total + numbers.fusion[layer] * item
    return numbers.scale * total + numbers.bias


def unit(responses: Tensor) -> Tensor:
    """Factor and offset (N, 2) that bring peaks of responses (N, m, m) to one, backgrounds to 0."""
    cells = responses.flatten(1).double()
    background = _median(cells)
    height = cells.amax(1) - background
    factor = torch.where(height > 0, 1 / height, 1.0)  # a flat first response has no unit
    return torch.stack([factor, -background * factor], dim=1).to(responses.dtype)


def peak_shape(responses: Tensor) -> tuple[Tensor, Tensor]:
    """Heights of the peaks over the background, and the second peaks' shares of them.

    Args:
        responses: (N, m, m), before upsampling.

    Returns:
        Heights, >= 0, and ambiguities in [0, 1], (N,) each. The background is the median; a second
        peak lies more than ``PEAK_RADIUS`` cells away in rows or columns.
    """
    cells = responses.flatten(1)
    background = _median(cells)
    top, flat = cells.max(1)
    height = top - background
    columns = responses.shape[-1]
    index = torch.arange(columns, device=responses.device)
    near_row = (index - (flat // columns)[:, None]).abs() <= PEAK_RADIUS
    near_column = (index - (flat % columns)[:, None]).abs() <= PEAK_RADIUS
    near = near_row[:, :, None] & near_column[:, None, :]
    others = torch.where(near, background[:, None, None], responses).amax(dim=(1, 2))
    return height, torch.where(height > 0, (others - background) / height, 1.0)


def locate(responses: Tensor, deciding: Tensor, fixed: Fixed, config: TrackingConfig) -> Peaks:
    """Peaks of N targets, each in its own responses.

    Args:
        responses: (N, S, m, m), smallest scale first.
        deciding: Responses that choose the scale, same shape; usually the same tensor.
        fixed: Of the configuration.
        config: Window influence and upsampling.
    """
    matrix = fixed.upsampling
    scores = (matrix @ deciding @ matrix.T).amax(dim=(2, 3)) * fixed.penalties  # (N, S)
    scale = scores.argmax(1)
    winning = take(responses, scale)  # (N, m, m)
    maps = matrix @ winning @ matrix.T
    score = maps.amax(dim=(1, 2)) * fixed.penalties[scale]
    floors = maps - maps.amin(dim=(1, 2), keepdim=True)
    # A flat map has no mass to normalise; the window then decides alone.
    mass = floors.sum(dim=(1, 2), keepdim=True).clamp_min(torch.finfo(maps.dtype).tiny)
    flat = torch.lerp(floors / mass, fixed.window, config.window_influence).flatten(1).argmax(1)
    size = maps.shape[-1]
    middle = (size - 1) / 2
    dx, dy = (flat % size - middle) / config.upsample, (flat // size - middle) / config.upsample
    return Peaks(scale, dx, dy, score, *peak_shape(winning))


def _kept_norm(moved: Tensor, x_feat: Tensor) -> Tensor:
    """Factor (N,) that gives R * (h x) of that energy (N,) the norm of x, over all scales."""
    own = torch.linalg.vector_norm(x_feat, dim=(1, 2, 3, 4)).square()
    smallest = torch.finfo(own.dtype).tiny
    return (own / (moved + NEGLIGIBLE * own).clamp_min(smallest)).sqrt()


def _resized(responses: Tensor, size: int) -> Tensor:
    if responses.shape[-1] == size:
        return responses
    flat = responses.flatten(0, 1)
    resized = F.interpolate(flat, size=(size, size), mode="bicubic", align_corners=True)
    return resized.unflatten(0, responses.shape[:2])


def _median(cells: Tensor) -> Tensor:
    """Lower median of each row of (N, n); by sorting, which every runtime can."""
    return cells.sort(dim=1).values[:, (cells.shape[1] - 1) // 2]
