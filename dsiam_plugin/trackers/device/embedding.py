"""Features of windows of a frame: by GPU kernels of our own, or by PyTorch's operations alone."""

from __future__ import annotations

import logging

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsiam_plugin.core.state import Windows
from dsiam_plugin.models.backbones import SiamFCAlexNet
from dsiam_plugin.models.network import SiameseNet
from dsiam_plugin.trackers.device.crops import sample

LOG = logging.getLogger(__name__)

POOL = (3, 2)  # window and stride of the backbone's pooling


class Embedding:
    """Cuts windows and embeds them.

    Args:
        network: Embeds.
    """

    def __init__(self, network: SiameseNet):
        self.network = network

    def windows(self, images: Tensor, windows: Windows, fill: Tensor, size: int) -> dict:
        """Features (N, S, C, h, w) float32 by layer of windows; see ``crops.sample``."""
        return self.crops(sample(images, windows, fill, size))

    def crops(self, crops: Tensor) -> dict[str, Tensor]:
        """Features (N, S, C, h, w) float32 by layer of crops (N, S, 3, size, size)."""
        features = self.network.features(crops.flatten(0, 1))
        return {layer: item.unflatten(0, crops.shape[:2]) for layer, item in features.items()}


class FusedEmbedding(Embedding):
    """:class:`Embedding` for SiamFC's network, in fewer passes over memory.

    - Crops are cut from the bytes and written as the first convolution wants them.
    - That convolution, 11 x 11 of 3 channels with stride 2, is done as one of 6 x 6 of the 12
      channels of 2 x 2 pixels: the same sums, in the sizes that tensor cores multiply.
    - In half precision, convolutions in groups are done as one of all channels, with weights of
      zero: cuDNN cuts its input into slices otherwise, which costs more than those products.
    - Bias, ReLU and pooling are one pass; bias and ReLU keep order, so they can follow the pooling.

    Args:
        network: Embeds.
        backbone: Its backbone, with the weights that are to be kept.

    Raises:
        ImportError: If there is no Triton.
    """

    def __init__(self, network: SiameseNet, backbone: SiamFCAlexNet):
        super().__init__(network)
        from dsiam_plugin.trackers.device import kernels

        self._kernels = kernels
        layers = {
            name: item for name, item in backbone.named_children() if isinstance(item, nn.Conv2d)
        }
        self._bias = {name: layer.bias for name, layer in layers.items() if layer.bias is not None}
        self._groups = {name: layer.groups for name, layer in layers.items()}
        self._weights = {name: layer.weight for name, layer in layers.items()}
        if network.dtype is not torch.float32:
            self._groups = dict.fromkeys(layers, 1)
            self._weights = {name: _ungrouped(layer) for name, layer in layers.items()}
        self._weights["conv1"] = _packed(backbone.conv1, kernels.PACKED)

    def windows(self, images: Tensor, windows: Windows, fill: Tensor, size: int) -> dict:
        """See :meth:`Embedding.windows`."""
        dtype, shape = self.network.dtype, windows.side.shape
        packed = self._kernels.packed_crops(images, windows, fill, size, dtype)
        levels = self._levels(packed)
        features = self.network.narrowed({layer: levels[layer] for layer in self.network.layers})
        return {layer: item.unflatten(0, shape) for layer, item in features.items()}

    def _levels(self, packed: Tensor) -> dict[str, Tensor]:
        x = packed
        for name, pool in (("conv1", POOL), ("conv2", POOL), ("conv3", ()), ("conv4", ())):
            x = self._kernels.rectified(self._product(x, name), self._bias[name], *pool)
        conv5 = self._product(x, "conv5") + self._bias["conv5"][:, None, None]
        return {"conv4": x, "conv5": conv5}

    def _product(self, features: Tensor, name: str) -> Tensor:
        """A convolution without its bias."""
        return F.conv2d(features, self._weights[name], groups=self._groups[name])


def make_embedding(network: SiameseNet, kernels: bool) -> Embedding:
    """The fastest embedding that works here.

    Args:
        network: Embeds.
        kernels: Whether kernels of our own may be used, on a GPU.
    """
    backbone = network.backbone
    on_gpu = network.device.type == "cuda"
    if not (kernels and on_gpu and isinstance(backbone, SiamFCAlexNet)):
        return Embedding(network)
    try:
        embedding = FusedEmbedding(network, backbone)
        _try_out(embedding)
    except Exception as error:  # no Triton, no compiler for it, or what that may raise
        reason = (str(error) or type(error).__name__).splitlines()[0]
        LOG.warning("no GPU kernels, frames take longer: %s", reason)
        return Embedding(network)
    return embedding


@torch.inference_mode()
def _try_out(embedding: Embedding) -> None:
    """Builds the kernels, which happens on their first use."""
    device = embedding.network.device
    one = torch.ones((1, 1), dtype=torch.float64, device=device)
    windows = Windows(one[..., None].expand(1, 1, 2), one)
    image = torch.zeros((1, 8, 8, 3), dtype=torch.uint8, device=device)
    embedding.windows(image, windows, torch.zeros((1, 3), device=device), 127)


def _ungrouped(layer: nn.Conv2d) -> Tensor:
    """Weights (C_out, C_in, h, w) of a convolution in groups as one of all channels."""
    blocks = layer.weight.chunk(layer.groups)  # (C_out / groups, C_in / groups, h, w) each
    rows = []
    for number, block in enumerate(blocks):
        before, width = number * block.shape[1], layer.in_channels
        after = width - before - block.shape[1]
        rows.append(F.pad(block, (0, 0, 0, 0, before, after)))
    return torch.cat(rows).contiguous(memory_format=torch.channels_last)


def _packed(layer: nn.Conv2d, channels: int) -> Tensor:
    """Weights (C, channels, 6, 6) for packed crops of a convolution 11 x 11 with stride 2."""
    weight = F.pixel_unshuffle(F.pad(layer.weight, (0, 1, 0, 1)), 2)
    weight = F.pad(weight, (0, 0, 0, 0, 0, channels - weight.shape[1]))
    return weight.contiguous(memory_format=torch.channels_last)
