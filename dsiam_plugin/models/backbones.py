"""Feature extractors that return named levels.

Both take RGB crops in [0, 255], float, (S, 3, H, W), and return a mapping from level name to
features. Batch normalisation is folded into the convolutions when weights are loaded, so a
backbone is convolutions, ReLU and pooling only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from dsiam_plugin.errors import ConfigError


class Backbone(nn.Module):
    """Maps crops to the features of its levels.

    Attributes:
        levels: Name of each level, and its stride in pixels.
        stride: Pixels of the search crop between neighbouring cells of the response.
    """

    levels: Mapping[str, int]
    stride: int


class SiamFCAlexNet(Backbone):
    """SiamFC's AlexNet without padding: conv4 (after ReLU) and conv5 (none), both of stride 8.

    127 px give 8x8 (conv4) and 6x6 (conv5), 255 px give 24x24 and 22x22.

    Args:
        channels: Output channels of the five convolutions; even, because conv2, 4 and 5 are in
            two groups.
    """

    levels = {"conv4": 8, "conv5": 8}
    stride = 8

    def __init__(self, channels: Sequence[int] = (96, 256, 384, 384, 256)):
        super().__init__()
        if len(channels) != 5 or any(width < 2 or width % 2 for width in channels):
            raise ConfigError(f"backbone channels: expected five even numbers, got {channels}")
        c1, c2, c3, c4, c5 = channels
        self.conv1 = nn.Conv2d(3, c1, 11, stride=2)
        self.conv2 = nn.Conv2d(c1, c2, 5, groups=2)
        self.conv3 = nn.Conv2d(c2, c3, 3)
        self.conv4 = nn.Conv2d(c3, c4, 3, groups=2)
        self.conv5 = nn.Conv2d(c4, c5, 3, groups=2)
        self.pool = nn.MaxPool2d(3, stride=2)

    def forward(self, crops: Tensor) -> dict[str, Tensor]:
        """Features of ``crops`` (S, 3, H, W) at both levels."""
        x = self.pool(torch.relu(self.conv1(crops)))
        x = self.pool(torch.relu(self.conv2(x)))
        x = torch.relu(self.conv3(x))
        conv4 = torch.relu(self.conv4(x))
        return {"conv4": conv4, "conv5": self.conv5(conv4)}


class VGG19(Backbone):
    """VGG19's convolutions up to relu5_4, with torchvision's parameter names.

    127 px give 15x15 (conv4_4, stride 8) and 7x7 (conv5_4, stride 16), 255 px give 31x31 and
    15x15. Both levels are taken after their ReLU. ImageNet's mean and deviation are applied here.
    """

    mean: Tensor
    deviation: Tensor
    levels = {"conv4_4": 8, "conv5_4": 16}
    stride = 8
    _BLOCKS = ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512))
    taps = {"conv4_4": 26, "conv5_4": 35}  # indices of relu4_4 and relu5_4 in `features`

    def __init__(self):
        super().__init__()
        stack: list[nn.Module] = []
        width = 3
        for repeats, out in self._BLOCKS:
            for _ in range(repeats):
                stack += [nn.Conv2d(width, out, 3, padding=1), nn.ReLU(inplace=True)]
                width = out
            stack.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*stack[:-1])  # nothing after relu5_4 is used
        mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1) * 255
        deviation = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1) * 255
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("deviation", deviation, persistent=False)

    def forward(self, crops: Tensor) -> dict[str, Tensor]:
        """Features of ``crops`` (S, 3, H, W) at both levels."""
        x = (crops - self.mean) / self.deviation
        levels = {}
        start = 0
        for name, tap in self.taps.items():
            x = self.features[start : tap + 1](x)
            levels[name] = x
            start = tap + 1
        return levels


BACKBONES: dict[str, type[Backbone]] = {"siamfc_alexnet": SiamFCAlexNet, "vgg19": VGG19}
