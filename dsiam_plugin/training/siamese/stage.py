"""The network of stage one: SiamFC's AlexNet with batch normalisation, trained on pairs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsiam_plugin.config.fields import number, refuse, validate
from dsiam_plugin.io.messages import excerpt
from dsiam_plugin.models.backbones import SiamFCAlexNet
from dsiam_plugin.models.weight_files import fold_batch_norm
from dsiam_plugin.models.weights import Weights
from dsiam_plugin.training.data.pairs import PairBatch
from dsiam_plugin.training.siamese.labels import response_labels
from dsiam_plugin.training.siamese.losses import contrast_loss, logistic_loss

# Training sees (pixels - PIXEL_MEAN) * PIXEL_SCALE; folding moves both into the first convolution.
PIXEL_MEAN = 128.0
PIXEL_SCALE = 1 / 64
MIN_GAIN = 1e-3


@dataclass(frozen=True)
class SiameseConfig:
    """The network and the loss of stage one.

    Attributes:
        channels: Output channels of the five convolutions, even.
        layers: Levels with a loss of their own, and its weight.
        radius_px: Positive cells lie within this distance of the target.
        balance: Positive and negative cells count the same in the logistic loss.
        contrast: Weight of :func:`losses.contrast_loss` beside the logistic loss; 0 for none.
        group: Pairs that are each other's negatives in the contrast loss; divides the batch of
            every process, so that the loss does not depend on the number of processes.
    """

    channels: tuple[int, ...] = number((96, 256, 384, 384, 256), "[2, 4096]")
    layers: Mapping[str, float] = number(lambda: {"conv5": 1.0}, "[0, 1e6]")
    radius_px: float = number(16.0, "(0, 1000]")
    balance: bool = True
    contrast: float = number(0.0, "[0, 1e6]")
    group: int = number(8, "[1, 65536]")

    def problems(self) -> Iterator[str]:
        """A line for channels or layers that the network cannot have."""
        if len(self.channels) != 5 or any(width % 2 for width in self.channels):
            yield f"channels: {excerpt(self.channels)}, expected five even numbers"
        unknown = sorted(set(self.layers) - set(SiamFCAlexNet.levels))
        if unknown or not self.layers:
            expected = f"expected some of {', '.join(SiamFCAlexNet.levels)}"
            yield f"layers: {', '.join(unknown) or 'none'}, {expected}"


class NormedAlexNet(nn.Module):
    """:class:`SiamFCAlexNet` with batch normalisation after every convolution.

    The last one's too: it gives the features their unit, and is folded away like the others.
    Where a pooling follows, it comes before the normalisation, on a quarter of the cells: with
    positive gains a maximum may be taken before or after, and gains are kept positive.
    """

    def __init__(self, channels: tuple[int, ...]):
        super().__init__()
        self.plain = SiamFCAlexNet(channels)
        for index in range(1, 6):
            convolution = getattr(self.plain, f"conv{index}")
            nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
            convolution.bias = None  # the normalisation has one
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in channels)

    def forward(self, crops: Tensor) -> dict[str, Tensor]:
        """Features of crops (S, 3, H, W) at both levels, as :class:`SiamFCAlexNet`."""
        plain, (norm1, norm2, norm3, norm4, norm5) = self.plain, self.norms
        x = torch.relu(norm1(plain.pool(plain.conv1(crops))))
        x = torch.relu(norm2(plain.pool(plain.conv2(x))))
        x = torch.relu(norm3(plain.conv3(x)))
        conv4 = torch.relu(norm4(plain.conv4(x)))
        return {"conv4": conv4, "conv5": norm5(plain.conv5(conv4))}

    def batch_norms(self) -> list[nn.BatchNorm2d]:
        """The five normalisations in the order of the convolutions."""
        return [norm for norm in self.norms if isinstance(norm, nn.BatchNorm2d)]

    @torch.no_grad()
    def keep_gains_positive(self) -> None:
        """Bring the gains of normalisations after a pooling back above zero."""
        for norm in self.batch_norms()[:2]:
            norm.weight.clamp_(min=MIN_GAIN)

    @torch.no_grad()
    def folded(self) -> dict[str, Tensor]:
        """Parameters of the :class:`SiamFCAlexNet` that computes the same on RGB in [0, 255]."""
        self.keep_gains_positive()
        tensors = {}
        for index, norm in enumerate(self.batch_norms(), start=1):
            weight, start = getattr(self.plain, f"conv{index}").weight.float(), None
            if index == 1:
                weight = weight * PIXEL_SCALE
                start = -PIXEL_MEAN * weight.sum(dim=(1, 2, 3))
            assert norm.running_mean is not None and norm.running_var is not None  # are tracked
            deviation = (norm.running_var + norm.eps).sqrt()
            weight, bias = fold_batch_norm(
                weight, start, norm.weight, norm.bias, norm.running_mean, deviation
            )
            tensors[f"conv{index}.weight"] = weight.detach().cpu().clone()
            tensors[f"conv{index}.bias"] = bias.detach().cpu().clone()
        return tensors


class SiameseModel(nn.Module):
    """Stage one's model: features, affine adjust of each layer's response, loss."""

    stride = SiamFCAlexNet.stride

    def __init__(self, config: SiameseConfig):
        super().__init__()
        refuse(validate(config), "model")
        self.config = config
        self.backbone = NormedAlexNet(config.channels)
        widths = {"conv4": config.channels[3] * 64, "conv5": config.channels[4] * 36}
        # Features of unit variance: a perfect match scores 10, whatever the width.
        self.log_scale = nn.ParameterDict(
            {layer: nn.Parameter(torch.tensor(10 / widths[layer]).log()) for layer in config.layers}
        )
        self.bias = nn.ParameterDict(
            {layer: nn.Parameter(torch.tensor(-3.0)) for layer in config.layers}
        )

    def forward(self, batch: PairBatch) -> dict[str, Tensor]:
        """Losses and responses of a batch.

        Returns:
            ``loss`` (), ``miss`` () the share of pairs whose peak is more than the radius off,
            ``responses`` (B, m, m) of the first layer, detached.
        """
        if self.training:  # before both passes: autograd notices a change between them
            self.backbone.keep_gains_positive()
        z_feat, x_feat = self._embed(batch.exemplars), self._embed(batch.searches)
        total = torch.zeros((), device=batch.offsets.device)
        shown: list[tuple[Tensor, Tensor]] = []
        for layer, weight in self.config.layers.items():
            matrix = self._correlate(layer, z_feat[layer].float(), x_feat[layer].float())
            own = matrix.diagonal(dim1=1, dim2=2).permute(0, 3, 1, 2).flatten(0, 1)  # (B, m, m)
            labels = response_labels(
                batch.offsets, own.shape[-1], self.stride, self.config.radius_px
            )
            total = total + weight * self._loss(matrix, own, labels)
            shown.append((own.detach(), labels))
        responses, labels = shown[0]
        peaks = responses.flatten(1).argmax(dim=1, keepdim=True)
        hits = labels.flatten(1).gather(1, peaks) > 0
        return {"loss": total, "miss": 1 - hits.float().mean(), "responses": responses}

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Convolutions with weight decay; normalisations and the adjust without."""
        decayed = [item for item in self.backbone.parameters() if item.ndim > 1]
        plain = [item for item in self.backbone.parameters() if item.ndim <= 1]
        head = [*self.log_scale.values(), *self.bias.values()]
        return [
            {"name": "features", "params": decayed, "lr_multiplier": 1.0, "weight_decay": True},
            {"name": "norms", "params": plain, "lr_multiplier": 1.0, "weight_decay": False},
            {"name": "head", "params": head, "lr_multiplier": 1.0, "weight_decay": False},
        ]

    def to_weights(self, origin: Mapping[str, Any]) -> Weights:
        """The network with its normalisation folded, for the first layer's affine adjust."""
        first = next(iter(self.config.layers))
        head = (self.log_scale[first].exp().item(), self.bias[first].item())
        return Weights(
            backbone="siamfc_alexnet",
            tensors=self.backbone.folded(),
            head=head,
            format="safetensors",
            path=Path("training"),
            sha256="",
            config={"origin": dict(origin)},
        )

    def scalars(self) -> dict[str, float]:
        """Scale and bias of each layer's response."""
        values = {f"scale.{layer}": item.exp().item() for layer, item in self.log_scale.items()}
        return values | {f"bias.{layer}": item.item() for layer, item in self.bias.items()}

    def maps(self) -> dict[str, Tensor]:
        """Stage one has no fusion map."""
        return {}

    def _embed(self, crops: Tensor) -> dict[str, Tensor]:
        pixels = crops.permute(0, 3, 1, 2)  # (B, H, W, 3) seen as channels-last (B, 3, H, W)
        return self.backbone((pixels.float() - PIXEL_MEAN) * PIXEL_SCALE)

    def _correlate(self, layer: str, z_feat: Tensor, x_feat: Tensor) -> Tensor:
        """Scores of all pairs within each group, (B / G, G, G, m, m), exemplar by search."""
        group = self.config.group if self.config.contrast else 1
        scale, bias = self.log_scale[layer].exp(), self.bias[layer]
        scores = []
        for z_part, x_part in zip(z_feat.split(group), x_feat.split(group), strict=True):
            scores.append(F.conv2d(x_part, z_part).transpose(0, 1))
        return torch.stack(scores) * scale + bias

    def _loss(self, matrix: Tensor, own: Tensor, labels: Tensor) -> Tensor:
        loss = logistic_loss(own, labels, balance=self.config.balance)
        if self.config.contrast:
            groups = labels.unflatten(0, matrix.shape[:2])
            losses = [contrast_loss(*part) for part in zip(matrix, groups, strict=True)]
            loss = loss + self.config.contrast * torch.stack(losses).mean()
        return loss
