"""Starting stage one from weights whose batch normalisation is folded away.

Training needs the normalisations back. Each one's statistics are measured on a batch, and its gain
and shift set so that it gives what the folded convolution gave: the network computes the same.
"""

import torch
from torch import Tensor

from dsiam_plugin.errors import CheckpointError
from dsiam_plugin.models.weights import Weights
from dsiam_plugin.training.data.pairs import PairBatch
from dsiam_plugin.training.siamese.stage import PIXEL_MEAN, PIXEL_SCALE, NormedAlexNet, SiameseModel


@torch.no_grad()
def start_from(model: SiameseModel, weights: Weights, batch: PairBatch) -> None:
    """Gives the model the features and the affine adjust of ``weights``.

    Args:
        model: On the CPU; changed in place.
        weights: Weights of SiamFC's AlexNet, of any supported format.
        batch: Pairs whose search regions the statistics are measured on.

    Raises:
        CheckpointError: If the weights are of another network or of other widths.
    """
    _check_widths(model.backbone, weights)
    scale, offset = weights.head
    for layer in model.config.layers:
        model.log_scale[layer].fill_(torch.tensor(scale).log())
        model.bias[layer].fill_(offset)
    x = (batch.searches.permute(0, 3, 1, 2).float() - PIXEL_MEAN) * PIXEL_SCALE
    plain = model.backbone.plain
    for index, norm in enumerate(model.backbone.batch_norms(), start=1):
        convolution = getattr(plain, f"conv{index}")
        weight, bias = weights.tensors[f"conv{index}.weight"], weights.tensors[f"conv{index}.bias"]
        if index == 1:  # it saw pixels in [0, 255]
            weight, bias = _for_scaled_pixels(weight, bias)
        convolution.weight.copy_(weight)
        response = convolution(x)
        if index <= 2:
            response = plain.pool(response)
        _imitate(norm, bias, response)
        x = norm.eval()(response)
        if index < 5:
            x = torch.relu(x)
    model.train()


def _check_widths(backbone: NormedAlexNet, weights: Weights) -> None:
    for index in range(1, 6):
        name = f"conv{index}.weight"
        ours = tuple(getattr(backbone.plain, f"conv{index}").weight.shape)
        theirs = tuple(weights.tensors[name].shape) if name in weights.tensors else None
        if ours != theirs:
            raise CheckpointError(
                f"{weights.path}: {name} is {theirs or 'missing'}, expected {ours}"
                " (model.channels of the recipe)"
            )


def _for_scaled_pixels(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """The same convolution on ``(pixels - PIXEL_MEAN) * PIXEL_SCALE``."""
    return weight / PIXEL_SCALE, bias + PIXEL_MEAN * weight.sum(dim=(1, 2, 3))


def _imitate(norm: torch.nn.BatchNorm2d, bias: Tensor, response: Tensor) -> None:
    """Makes ``norm`` add ``bias`` to responses (S, C, h, w) of these statistics, and no more."""
    mean, variance = response.mean(dim=(0, 2, 3)), response.var(dim=(0, 2, 3))
    norm.get_buffer("running_mean").copy_(mean)
    norm.get_buffer("running_var").copy_(variance)
    norm.weight.copy_((variance + norm.eps).sqrt())
    norm.bias.copy_(mean + bias)
