"""The yardstick: SiamFC as a plain PyTorch loop (eager float32, three scales, batch norm kept).

It has the shape of the loops in common use: crops by OpenCV, one batch of three search crops in
planes-first order, cross-correlation, upsampling of each response by OpenCV. Weights are random:
only its time is of interest.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _block(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, groups=groups),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class PlainSiamFC:
    """SiamFC-3s with the published constants on 0-based ``x, y, w, h`` boxes."""

    image_mode = "RGB"
    name = "plain SiamFC loop (float32)"

    def __init__(self) -> None:
        self.network = nn.Sequential(
            _block(3, 96, 11, 2),
            nn.MaxPool2d(3, 2),
            _block(96, 256, 5, groups=2),
            nn.MaxPool2d(3, 2),
            _block(256, 384, 3),
            _block(384, 384, 3, groups=2),
            nn.Conv2d(384, 256, 3, groups=2),
        ).eval()
        self.scales = 1.0375 ** np.arange(-1, 2)
        window = np.outer(np.hanning(272), np.hanning(272))
        self.window = window / window.sum()

    @torch.no_grad()
    def init(self, image: np.ndarray, box: tuple[float, float, float, float]) -> None:
        """Start on a target of a (H, W, 3) uint8 image."""
        x, y, w, h = box
        self.center = np.array([y + (h - 1) / 2, x + (w - 1) / 2])
        self.size = np.array([h, w])
        self.fill = image.mean(axis=(0, 1))
        self.z_side = float(np.sqrt(np.prod(self.size + 0.5 * self.size.sum())))
        self.x_side = self.z_side * 255 / 127
        self.kernel = self.network(self._tensor([self._crop(image, self.z_side, 127)]))

    @torch.no_grad()
    def track(self, image: np.ndarray) -> tuple[float, float, float, float]:
        """Box in the next image."""
        crops = [self._crop(image, self.x_side * scale, 255) for scale in self.scales]
        responses = F.conv2d(self.network(self._tensor(crops)), self.kernel) * 0.001
        maps = [
            cv2.resize(response, (272, 272), interpolation=cv2.INTER_CUBIC)
            for response in responses[:, 0].numpy()
        ]
        scale = int(np.argmax([m.max() * (1 if i == 1 else 0.9745) for i, m in enumerate(maps)]))
        response = maps[scale] - maps[scale].min()
        response = 0.824 * response / (response.sum() + 1e-16) + 0.176 * self.window
        peak = np.unravel_index(response.argmax(), response.shape)
        step = 8 / 16 * self.x_side * self.scales[scale] / 255
        self.center += (np.array(peak) - 135.5) * step
        factor = 1 + 0.59 * (self.scales[scale] - 1)
        self.size = self.size * factor
        self.x_side *= factor
        top, left = self.center - (self.size - 1) / 2
        return float(left), float(top), float(self.size[1]), float(self.size[0])

    def _crop(self, image: np.ndarray, side: float, size: int) -> np.ndarray:
        side = round(side)
        low = np.round(self.center - (side - 1) / 2).astype(int)
        high = low + side
        pad = max(0, *(-low), *(high - image.shape[:2]))
        if pad > 0:
            image = cv2.copyMakeBorder(image, *[pad] * 4, cv2.BORDER_CONSTANT, value=self.fill)
            low, high = low + pad, high + pad
        patch = image[low[0] : high[0], low[1] : high[1]]
        return cv2.resize(patch, (size, size), interpolation=cv2.INTER_LINEAR)

    @staticmethod
    def _tensor(crops: list[np.ndarray]) -> Tensor:
        return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float()
