"""Feature extractors that return named levels.

Both take RGB crops in [0, 255], float, (S, 3, H, W), and return a mapping from level name to
features. Batch normalisation is folded into the convolutions when weights are loaded, so a
backbone is convolutions, ReLU and pooling only.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from dsiam_plugin.errors import ConfigError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


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
        # The largest positive part is the positive part of the largest, of a quarter of the cells.
        x = torch.relu(self.pool(self.conv1(crops)))
        x = torch.relu(self.pool(self.conv2(x)))
        x = torch.relu(self.conv3(x))
        conv4 = torch.relu(self.conv4(x))
        return {"conv4": conv4, "conv5": self.conv5(conv4)}


class VGG(Backbone):
    """A VGG's convolutions up to its last ReLU, with torchvision's parameter names.

    The levels are the last convolutions of the fourth and the fifth block, after their ReLU: 127 px
    give 15x15 (stride 8) and 7x7 (stride 16), 255 px give 31x31 and 15x15. ImageNet's mean and
    deviation are applied here.

    Args:
        repeats: Convolutions in each of the last three blocks: 3 in VGG16, 4 in VGG19.
    """

    mean: Tensor
    deviation: Tensor
    stride = 8

    def __init__(self, repeats: int):
        super().__init__()
        self.levels = {f"conv4_{repeats}": 8, f"conv5_{repeats}": 16}
        stack: list[nn.Module] = []
        ends: list[int] = []  # index of each block's last ReLU in `features`
        width = 3
        for count, out in ((2, 64), (2, 128), (repeats, 256), (repeats, 512), (repeats, 512)):
            for _ in range(count):
                stack += [nn.Conv2d(width, out, 3, padding=1), nn.ReLU(inplace=True)]
                width = out
            ends.append(len(stack) - 1)
            stack.append(nn.MaxPool2d(2))
        self.taps = dict(zip(self.levels, ends[3:], strict=True))
        self.features = nn.Sequential(*stack[:-1])  # nothing after the last ReLU is used
        # Real numbers also where a network is built without any (`torch.device("meta")`).
        for name, values in (("mean", IMAGENET_MEAN), ("deviation", IMAGENET_DEVIATION)):
            pixels = torch.tensor(values, device="cpu").view(1, 3, 1, 1) * 255
            self.register_buffer(name, pixels, persistent=False)

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


VGG16 = partial(VGG, 3)
VGG19 = partial(VGG, 4)
BACKBONES: dict[str, Callable[[], Backbone]] = {
    "siamfc_alexnet": SiamFCAlexNet,
    "vgg16": VGG16,
    "vgg19": VGG19,
}
