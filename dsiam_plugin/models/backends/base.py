"""The base of every backbone that is not PyTorch's modules."""

import torch
from torch import Tensor, nn

from dsiam_plugin.models.backbones import Backbone


class RuntimeBackbone(Backbone):
    """A backbone in another form, on the CPU; a :class:`SiameseNet` uses it as any other.

    Args:
        backbone: Float32 backbone whose levels it computes.
        levels: Those in use.
    """

    def __init__(self, backbone: Backbone, levels: tuple[str, ...]):
        super().__init__()
        self.levels = backbone.levels
        self.stride = backbone.stride
        self.levels_in_use = levels
        # The network hands crops over in the type, and on the device, of a parameter: pixels as
        # they are.
        self.pixels = nn.Parameter(torch.empty(0, dtype=torch.uint8), requires_grad=False)

    def forward(self, crops: Tensor) -> dict[str, Tensor]:
        """Float32 features (S, C_l, h_l, w_l) a level in use, of crops (S, 3, H, W) uint8."""
        raise NotImplementedError
