"""GPU kernels for what takes PyTorch many passes over memory: crops, and the pooled layers.

They need Triton, which PyTorch's CUDA builds for Linux bring along. Where it is missing,
:mod:`.embedding` does the same with PyTorch's own operations.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from dsiam_plugin.core.state import Windows

PACKED = 16  # channels of a packed crop: 3 x 2 x 2 pixels and four of zeros, for aligned loads


def packed_crops(
    images: Tensor, windows: Windows, fill: Tensor, size: int, dtype: torch.dtype
) -> Tensor:
    """Cut, resize and pack windows in one pass; the crops are those of ``crops.sample``.

    Args:
        images: (B, H, W, 3) uint8, B one or N.
        windows: S of each target.
        fill: Colour beyond the border, (N, 3) float32.
        size: Side of the crops.
        dtype: Of the result.

    Returns:
        (N S, 16, P, P) channels-last with ``P = (size + 1) // 2``: channel ``4 c + 2 i + j`` of
        cell (y, x) is colour c of the crop's pixel ``(2 y + i, 2 x + j)``, the rest is zero.
    """
    count, scales = windows.side.shape
    cells = (size + 1) // 2
    crops = images.new_empty((count * scales, cells, cells, PACKED), dtype=dtype)
    _crop[(count * scales, cells)](
        images.contiguous(),
        windows.center.contiguous(),
        windows.side.contiguous(),
        fill.contiguous(),
        crops,
        images.shape[1],
        images.shape[2],
        scales,
        scales if len(images) == count else count * scales,
        size,
        cells,
        BLOCK=triton.next_power_of_2(cells),
        CHANNELS=PACKED,
    )
    return crops.permute(0, 3, 1, 2)


def rectified(features: Tensor, bias: Tensor, window: int = 1, stride: int = 1) -> Tensor:
    """``relu(max_pool(features) + bias)``, which is ``max_pool(relu(features + bias))``.

    Args:
        features: (S, C, H, W) channels-last.
        bias: (C,).
        window: Side of the pooled squares.
        stride: Between them.

    Returns:
        (S, C, h, w) channels-last.
    """
    planes = features.permute(0, 2, 3, 1).contiguous()
    crops, height, width, channels = planes.shape
    rows, columns = ((length - window) // stride + 1 for length in (height, width))
    pooled = planes.new_empty((crops, rows, columns, channels))
    block, group = 16, 64
    grid = (crops * rows, triton.cdiv(columns, block), triton.cdiv(channels, group))
    _rectify[grid](
        planes,
        bias,
        pooled,
        height,
        width,
        channels,
        rows,
        columns,
        WINDOW=window,
        STRIDE=stride,
        BLOCK=block,
        GROUP=group,
    )
    return pooled.permute(0, 3, 1, 2)


@triton.jit
def _crop(
    images: tl.tensor,
    centers: tl.tensor,
    sides: tl.tensor,
    fills: tl.tensor,
    crops: tl.tensor,
    height: tl.tensor,
    width: tl.tensor,
    scales: tl.tensor,
    crops_an_image: tl.tensor,
    size: tl.tensor,
    cells: tl.tensor,
    BLOCK: tl.constexpr,
    CHANNELS: tl.constexpr,
) -> None:
    """One row of cells of one packed crop."""
    crop = tl.program_id(0)
    row = tl.program_id(1)
    side = tl.load(sides + crop)
    reach = (side - 1) / 2
    left = tl.floor(tl.load(centers + 2 * crop) - reach + 0.5).to(tl.int32)
    top = tl.floor(tl.load(centers + 2 * crop + 1) - reach + 0.5).to(tl.int32)
    ratio = (side / size).to(tl.float32)
    last = (side - 1).to(tl.float32)

    cell = tl.arange(0, BLOCK)[:, None]
    channel = tl.arange(0, CHANNELS)[None, :]
    color = channel // 4
    x = 2 * cell + channel % 2
    y = 2 * row + (channel // 2) % 2 + 0 * cell
    shown = (color < 3) & (x < size) & (y < size)

    across = tl.minimum(tl.maximum((x.to(tl.float32) + 0.5) * ratio - 0.5, 0.0), last)
    down = tl.minimum(tl.maximum((y.to(tl.float32) + 0.5) * ratio - 0.5, 0.0), last)
    x0 = tl.floor(across)
    y0 = tl.floor(down)
    right = across - x0
    below = down - y0
    x0 = x0.to(tl.int32) + left
    y0 = y0.to(tl.int32) + top

    fill = tl.load(fills + 3 * (crop // scales) + color + 0 * cell, mask=shown, other=0.0)
    image = images + (crop // crops_an_image).to(tl.int64) * height * width * 3
    total = tl.zeros((BLOCK, CHANNELS), tl.float32)
    for i in tl.static_range(2):
        for j in tl.static_range(2):
            inside = (x0 + j >= 0) & (x0 + j < width) & (y0 + i >= 0) & (y0 + i < height) & shown
            pixel = tl.load(image + ((y0 + i) * width + x0 + j) * 3 + color, mask=inside, other=0)
            value = tl.where(inside, pixel.to(tl.float32), fill)
            weight = (right if j else 1 - right) * (below if i else 1 - below)
            total += value * weight
    # Rounds to whole numbers, halves to even: above 2^23 a float32 has no fraction.
    total = tl.where(shown, (total + 12582912.0) - 12582912.0, 0.0)
    place = ((crop.to(tl.int64) * cells + row) * cells + cell) * CHANNELS + channel
    tl.store(crops + place, total.to(crops.dtype.element_ty), mask=cell < cells)


@triton.jit
def _rectify(
    features: tl.tensor,
    bias: tl.tensor,
    pooled: tl.tensor,
    height: tl.tensor,
    width: tl.tensor,
    channels: tl.tensor,
    rows: tl.tensor,
    columns: tl.tensor,
    WINDOW: tl.constexpr,
    STRIDE: tl.constexpr,
    BLOCK: tl.constexpr,
    GROUP: tl.constexpr,
) -> None:
    """Some columns and channels of one row of the result."""
    line = tl.program_id(0)
    crop = (line // rows).to(tl.int64)
    row = line % rows
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)[:, None]
    channel = tl.program_id(2) * GROUP + tl.arange(0, GROUP)[None, :]
    there = (column < columns) & (channel < channels)
    best = tl.full((BLOCK, GROUP), float("-inf"), tl.float32)
    for i in tl.static_range(WINDOW):
        for j in tl.static_range(WINDOW):
            y = row * STRIDE + i
            x = column * STRIDE + j
            place = ((crop * height + y) * width + x) * channels + channel
            best = tl.maximum(best, tl.load(features + place, mask=there, other=0.0).to(tl.float32))
    shift = tl.load(bias + channel, mask=channel < channels, other=0.0).to(tl.float32)
    place = ((crop * rows + row) * columns + column) * channels + channel
    tl.store(pooled + place, tl.maximum(best + shift, 0.0).to(pooled.dtype.element_ty), mask=there)
