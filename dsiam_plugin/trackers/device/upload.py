"""Decoded frames onto the device, through page-locked memory where there is any."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


class Upload:
    """Copies frames of one size to a device without waiting for the copy.

    Args:
        device: Where to; on a CPU the frames are merely stacked.
    """

    def __init__(self, device: torch.device):
        self._device = device
        self._is_cuda = device.type == "cuda"
        self._staging: Tensor | None = None
        self._copied: torch.cuda.Event | None = None

    def __call__(self, images: Sequence[np.ndarray]) -> Tensor:
        """Images (H, W, 3) uint8 as one tensor (B, H, W, 3) on the device."""
        if not self._is_cuda:
            return torch.from_numpy(np.stack(images))
        staging = self._ready((len(images), *images[0].shape))
        for place, image in zip(staging.numpy(), images, strict=True):
            np.copyto(place, image)
        frames = staging.to(self._device, non_blocking=True)
        self._copied = torch.cuda.Event()
        self._copied.record(torch.cuda.current_stream(self._device))
        return frames

    def _ready(self, shape: tuple[int, ...]) -> Tensor:
        """Staging memory that the last copy has been read from."""
        if self._copied is not None:
            self._copied.synchronize()
        if self._staging is None or self._staging.shape != shape:
            self._staging = torch.empty(shape, dtype=torch.uint8, pin_memory=True)
        return self._staging
