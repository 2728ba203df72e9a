"""What the machine can do: the rate of one large matrix product and one large convolution."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F

SIDE = 2048  # of the matrices
CHANNELS, CELLS = 256, 64  # of a 3x3 convolution


def peak_rates(precision: str, device: str, clock: Callable[[], float]) -> tuple[float, float]:
    """GFLOP/s (or integer GOP/s) of the product and of the convolution, the best of five runs.

    Args:
        precision: float32, bfloat16, float16 or int8.
        device: Where they are computed.
        clock: Seconds so far.
    """
    product, convolution = (_integer_jobs if precision == "int8" else _float_jobs)(
        precision, device
    )
    convolved = CHANNELS * CHANNELS * 9 * (CELLS - 2) ** 2
    return (
        2 * SIDE**3 / _seconds(product, device, clock) / 1e9,
        2 * convolved / _seconds(convolution, device, clock) / 1e9,
    )


def _float_jobs(precision: str, device: str) -> tuple[Callable, Callable]:
    dtype = getattr(torch, precision)
    matrix = torch.randn(SIDE, SIDE, device=device).to(dtype)
    image = torch.randn(1, CHANNELS, CELLS, CELLS, device=device).to(dtype)
    weight = torch.randn(CHANNELS, CHANNELS, 3, 3, device=device).to(dtype)
    image, weight = (x.contiguous(memory_format=torch.channels_last) for x in (image, weight))
    return lambda: matrix @ matrix, lambda: F.conv2d(image, weight)


def _integer_jobs(precision: str, device: str) -> tuple[Callable, Callable]:
    matrix = torch.randint(-127, 128, (SIDE, SIDE), dtype=torch.int8)
    image = torch.randint(0, 128, (1, CHANNELS, CELLS, CELLS), dtype=torch.uint8)
    image = image.contiguous(memory_format=torch.channels_last)
    weight = torch.randint(-127, 128, (CHANNELS, CHANNELS, 3, 3), dtype=torch.int8)
    scale, zeros = torch.ones(CHANNELS), torch.zeros(CHANNELS, dtype=torch.int32)
    geometry = ([1, 1], [0, 0], [1, 1], 1)  # stride, padding, dilation, groups
    packed = torch.ops.onednn.qconv_prepack(weight, scale, 1.0, 0, *geometry, list(image.shape))

    def convolution() -> torch.Tensor:
        return torch.ops.onednn.qconv2d_pointwise(
            *(image, 1.0, 0, packed, scale, zeros, None, *geometry),
            *(1.0, 0, torch.uint8, "none", [], ""),
        )

    return lambda: torch._int_mm(matrix, matrix), convolution


def _seconds(job: Callable, device: str, clock: Callable[[], float]) -> float:
    job()
    best = float("inf")
    for _ in range(5):
        start = clock()
        job()
        if device != "cpu":
            torch.cuda.synchronize()
        best = min(best, clock() - start)
    return best
