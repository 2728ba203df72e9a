"""The network of DSiamBox: a backbone that is known already, necks and a box head, from pairs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsiam_plugin.config.fields import number, refuse, validate
from dsiam_plugin.core.boxes import BoxMaps, corners, distinguish, gather
from dsiam_plugin.core.spectra import PORTABLE
from dsiam_plugin.models.backbones import SiamFCAlexNet
from dsiam_plugin.models.box_head import BoxHead, Necks
from dsiam_plugin.models.weights import HEAD_PREFIX, NECK_PREFIX, Weights
from dsiam_plugin.training.box.losses import overlaps
from dsiam_plugin.training.data.pairs import PairBatch
from dsiam_plugin.training.joint.config import start_backbone
from dsiam_plugin.training.siamese.labels import response_labels
from dsiam_plugin.training.siamese.losses import contrast_loss, logistic_loss

LAYERS = ("conv5", "conv4")


@dataclass(frozen=True)
class BoxConfig:
    """The box head and its loss.

    Attributes:
        channels: Channels after the necks.
        hidden: Channels between the head's convolutions.
        cells: Side of the response, that of the search crops: (search_size - 127) / 8 + 1.
        radius_px: Cells within this distance of the target show it.
        ignore_px: Cells beyond the radius and within this distance count neither way.
        frozen: Convolutions that keep their weights; those before the first that learns cost no
            backward pass.
        contrast: Weight of :func:`losses.contrast_loss` of the plain responses.
        group: Pairs that are each other's negatives there; divides the batch.
        others: Weight of pairs of different videos, where nothing is to be found.
        boxes: Weight of the generalised overlap.
        quality: Weight of the overlap's own prediction.
        multipliers: Factors of the learning rate of ``features`` (relative to each tensor's
            size), ``necks`` and ``head``.
    """

    channels: int = number(80, "[2, 1024]")
    hidden: int = number(64, "[1, 1024]")
    cells: int = number(17, "[1, 255]")
    radius_px: float = number(16.0, "(0, 1000]")
    ignore_px: float = number(28.0, "[0, 1000]")
    frozen: tuple[str, ...] = ("conv1", "conv2")
    contrast: float = number(0.5, "[0, 1e6]")
    group: int = number(16, "[1, 65536]")
    others: float = number(0.5, "[0, 1e6]")
    boxes: float = number(2.0, "[0, 1e6]")
    quality: float = number(0.5, "[0, 1e6]")
    multipliers: Mapping[str, float] = number(dict, "[0, 1e6]")

    def problems(self) -> Iterator[str]:
        """A line if the band of cells that do not count is turned inside out."""
        if self.ignore_px < self.radius_px:
            yield f"ignore_px: {self.ignore_px}, expected at least radius_px ({self.radius_px})"


class BoxModel(nn.Module):
    """Backbone, necks and head, and their losses.

    Args:
        config: The head and its loss.
        weights: Where the backbone starts.
        batch: Pairs that the necks' start is measured on.

    Raises:
        CheckpointError: If the weights are not those of SiamFC's AlexNet.
        ConfigError: If a value is out of range.
    """

    stride = SiamFCAlexNet.stride

    def __init__(self, config: BoxConfig, weights: Weights, batch: PairBatch):
        super().__init__()
        refuse(validate(config), "model")
        self.config, self._start = config, weights
        self.backbone = start_backbone(weights)
        for name in config.frozen:
            self.backbone.get_submodule(name).requires_grad_(False)
        widths = {layer: len(weights.tensors[f"{layer}.weight"]) for layer in LAYERS}
        self.necks = Necks(widths, config.channels)
        self.head = BoxHead(LAYERS, config.channels, config.hidden, config.cells)
        self.log_scale = nn.Parameter(torch.full((len(LAYERS),), 10.0).log())
        self._start_necks(batch)

    def forward(self, batch: PairBatch) -> dict[str, Tensor]:
        """Losses and scores of a batch.

        Returns:
            ``loss`` (); ``miss`` () the share of pairs whose best cell is more than the radius
            off; ``overlap`` () the mean overlap of the boxes there; ``responses`` (B, m, m) of
            scores, detached.
        """
        z_feat, x_feat = self._embed(batch.exemplars), self._embed(batch.searches)
        bank = self._bank(z_feat, batch.variants)
        maps = self._head(z_feat, x_feat, bank)
        near = response_labels(batch.offsets, *self._grid(maps), self.config.radius_px)
        wide = response_labels(batch.offsets, *self._grid(maps), self.config.ignore_px)
        losses = {
            "scores": _weighed_loss(maps.scores, near, wide),
            "contrast": self.config.contrast * self._contrast(z_feat, x_feat, near),
            "others": self.config.others * self._other_loss(z_feat, x_feat),
            **self._box_losses(maps, batch, near),
        }
        best = maps.scores.detach().flatten(1).argmax(1, keepdim=True)
        return {
            "loss": torch.stack(list(losses.values())).sum(),
            **{name: item.detach() for name, item in losses.items()},
            "miss": 1 - (near.flatten(1).gather(1, best) > 0).float().mean(),
            "overlap": self._overlaps(maps, batch)[0].detach().flatten(1).gather(1, best).mean(),
            "responses": maps.scores.detach(),
        }

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Every tensor of the backbone relative to its size, necks and head as they are."""
        factors = self.config.multipliers
        groups: list[tuple[str, list[nn.Parameter], float]] = [
            (
                f"features.{name}",
                [item],
                factors.get("features", 1.0) * float(item.detach().square().mean().sqrt()),
            )
            for name, item in self.backbone.named_parameters()
            if item.requires_grad
        ]
        groups.append(("necks", list(self.necks.parameters()), factors.get("necks", 1.0)))
        groups.append(("head", [*self.head.parameters(), self.log_scale], factors.get("head", 1.0)))
        return [
            {"name": name, "params": items, "lr_multiplier": factor, "weight_decay": decays}
            for name, items, factor in groups
            for decays in [items[0].ndim > 1]
        ]

    @torch.no_grad()
    def to_weights(self, origin: Mapping[str, Any]) -> Weights:
        """Backbone, necks and head."""
        parts = {"": self.backbone, NECK_PREFIX: self.necks, HEAD_PREFIX: self.head}
        tensors = {
            f"{prefix}{name}": item.detach().float().cpu().clone().contiguous()
            for prefix, part in parts.items()
            for name, item in part.state_dict().items()
        }
        return replace(
            self._start,
            tensors=tensors,
            head=(1.0, 0.0),
            format="safetensors",
            path=Path("training"),
            sha256="",
            config={"origin": dict(origin)},
        )

    def scalars(self) -> dict[str, float]:
        """The scale of each layer's plain response."""
        scales = self.log_scale.exp().tolist()
        return {f"scale.{layer}": value for layer, value in zip(LAYERS, scales, strict=True)}

    @torch.no_grad()
    def maps(self) -> dict[str, Tensor]:
        """The fusion map of each layer, (m, m) in [0, 1]."""
        weights = torch.stack(list(self.head.fusion.values())).softmax(0).float().cpu()
        return {f"fusion.{layer}": item for layer, item in zip(LAYERS, weights, strict=True)}

    def _embed(self, crops: Tensor) -> dict[str, Tensor]:
        levels = self.backbone(crops.permute(0, 3, 1, 2).float())
        with torch.autocast(crops.device.type, enabled=False):
            return self.necks({layer: levels[layer].float() for layer in LAYERS})

    def _bank(self, z_feat: Mapping[str, Tensor], variants: Tensor) -> dict[str, Tensor]:
        """What tells variants of exemplars apart, (B, K, C, h, w) a layer; empty without."""
        if not variants.shape[1]:
            return {}
        with torch.no_grad():  # they follow the exemplars' features, which learn
            features = self._embed(variants.flatten(0, 1))
            both = {
                layer: torch.cat([z_feat[layer][:, None], item.unflatten(0, variants.shape[:2])], 1)
                for layer, item in features.items()
            }
            return {layer: distinguish(item) for layer, item in both.items()}

    def _head(self, z_feat: Any, x_feat: Any, bank: Any) -> BoxMaps:
        with torch.autocast(self.log_scale.device.type, enabled=False):
            return self.head(gather(z_feat, x_feat, z_feat, bank, PORTABLE))

    def _grid(self, maps: BoxMaps) -> tuple[int, int]:
        return maps.scores.shape[-1], self.stride

    def _other_loss(self, z_feat: Any, x_feat: Any) -> Tensor:
        """Every exemplar in the next pair's search window, where it is not."""
        half = len(next(iter(z_feat.values()))) // 2  # is enough, and half the work
        wrong = {layer: item.roll(1, 0)[:half] for layer, item in z_feat.items()}
        seen = {layer: item[:half] for layer, item in x_feat.items()}
        scores = self._head(wrong, seen, {}).scores.flatten(1)
        return F.softplus(scores.logsumexp(1)).mean() / 4 + F.softplus(scores).mean()

    def _contrast(self, z_feat: Any, x_feat: Any, labels: Tensor) -> Tensor:
        """Logistic and contrast loss of the plain responses, which trust and V and W rest on."""
        losses = []
        group, cells = self.config.group, labels.shape[-1]
        with torch.autocast(labels.device.type, enabled=False):
            for layer, scale in zip(LAYERS, self.log_scale.exp(), strict=True):
                z, x = z_feat[layer], x_feat[layer]
                unit = z.square().sum(dim=(1, 2, 3), keepdim=True)
                for z_part, x_part, part in zip(
                    (scale * z / unit).split(group), x.split(group), labels.split(group),
                    strict=True,
                ):  # fmt: skip
                    matrix = F.conv2d(x_part, z_part).transpose(0, 1)
                    own = matrix.diagonal(dim1=0, dim2=1).permute(2, 0, 1)
                    losses.append(contrast_loss(matrix, part))
                    losses.append(logistic_loss(own - scale / 2, part))
                assert own.shape[-1] == cells
        return torch.stack(losses).mean()

    def _overlaps(self, maps: BoxMaps, batch: PairBatch) -> tuple[Tensor, Tensor]:
        found = corners(maps, batch.exemplar_sizes, self.stride).permute(0, 2, 3, 1)
        half = batch.search_sizes / 2
        true = torch.cat([batch.offsets - half, batch.offsets + half], dim=1)
        return overlaps(found, true[:, None, None])

    def _box_losses(self, maps: BoxMaps, batch: PairBatch, near: Tensor) -> dict[str, Tensor]:
        overlap, generalised = self._overlaps(maps, batch)
        shown = (near > 0).float()
        shown = shown / shown.sum(dim=(1, 2), keepdim=True) / len(shown)
        told = F.binary_cross_entropy_with_logits(
            maps.quality, overlap.detach().clamp(0, 1), reduction="none"
        )
        return {
            "boxes": self.config.boxes * ((1 - generalised) * shown).sum(),
            "quality": self.config.quality * (told * shown).sum(),
        }

    @torch.no_grad()
    def _start_necks(self, batch: PairBatch) -> None:
        """The directions that hold most of the features' power, so that products stay theirs."""
        levels = self.backbone(batch.searches.permute(0, 3, 1, 2).float())
        for layer, weight in self.necks.weights():
            cells = levels[layer].permute(0, 2, 3, 1).flatten(0, 2).double()
            powers, directions = torch.linalg.eigh(cells.T @ cells / len(cells))
            kept = directions[:, -self.config.channels :].T
            unit = powers[-self.config.channels :].mean().sqrt()
            weight.copy_((kept / unit)[:, :, None, None])


def _weighed_loss(scores: Tensor, near: Tensor, wide: Tensor) -> Tensor:
    """Mean logistic loss of the cells that show the target, and of those that do not; by halves."""
    total = torch.zeros((), device=scores.device)
    for sign, counts in ((1.0, near > 0), (-1.0, wide < 0)):
        losses = F.softplus(-sign * scores) * counts
        total = total + (losses.sum(dim=(1, 2)) / counts.sum(dim=(1, 2)).clamp_min(1)).mean() / 2
    return total
