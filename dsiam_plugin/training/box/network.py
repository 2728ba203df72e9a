"""The network of DSiamBox in training: a backbone that is known already, necks and a box head."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsiam_plugin.config.fields import number
from dsiam_plugin.core.boxes import BoxMaps, corners
from dsiam_plugin.models.backbones import SiamFCAlexNet
from dsiam_plugin.models.box_head import BoxHead, Necks
from dsiam_plugin.models.weights import HEAD_PREFIX, NECK_PREFIX, Weights
from dsiam_plugin.training.box.losses import overlaps, score_loss
from dsiam_plugin.training.joint.config import start_backbone
from dsiam_plugin.training.siamese.labels import response_labels

LAYERS = ("conv5", "conv4")


@dataclass(frozen=True)
class BoxConfig:
    """The box head and its loss.

    Attributes:
        channels: Channels after fresh necks; a head that is gone on with keeps its own.
        hidden: Channels between a fresh head's convolutions.
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


JUDGED = ("scores", "boxes", "quality")  # the losses of a head's maps


class Shown(NamedTuple):
    """Where search windows show B targets.

    Attributes:
        offsets: Displacement ``(dx, dy)`` from the window's middle, px of its crop, (B, 2) float32.
        sizes: ``(w, h)`` in px of that crop, (B, 2).
        first_sizes: Those of the first frame in px of its exemplar crop, (B, 2).
    """

    offsets: Tensor
    sizes: Tensor
    first_sizes: Tensor


class BoxNetwork(nn.Module):
    """Backbone, necks and head, what they are judged by, and what leaves the training.

    Args:
        config: The head and its loss.
        weights: Where the backbone starts.
        parts: Necks and head.

    Raises:
        CheckpointError: If the weights are not those of SiamFC's AlexNet.
    """

    stride = SiamFCAlexNet.stride

    def __init__(self, config: BoxConfig, weights: Weights, parts: tuple[Necks, BoxHead]):
        super().__init__()
        self.config, self._start = config, weights
        self.backbone = start_backbone(weights)
        for name in config.frozen:
            self.backbone.get_submodule(name).requires_grad_(False)
        self.necks, self.head = parts

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
        groups.append(("head", [*self.head.parameters(), *self.own()], factors.get("head", 1.0)))
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

    @torch.no_grad()
    def maps(self) -> dict[str, Tensor]:
        """The fusion map of each layer, (m, m) in [0, 1]."""
        weights = torch.stack(list(self.head.fusion.values())).softmax(0).float().cpu()
        return {f"fusion.{layer}": item for layer, item in zip(LAYERS, weights, strict=True)}

    def own(self) -> list[nn.Parameter]:
        """Parameters that the losses have and the tracker does not."""
        return []

    def judge(self, maps: BoxMaps, shown: Shown) -> dict[str, Tensor]:
        """The losses ``scores``, ``boxes`` and ``quality`` of a head's maps, () each.

        Beside them ``miss``, the share of targets whose best cell is more than the radius off, and
        ``overlap``, the mean overlap of the boxes there, without a gradient.
        """
        config = self.config
        near, wide = (
            response_labels(shown.offsets, maps.scores.shape[-1], self.stride, reach)
            for reach in (config.radius_px, config.ignore_px)
        )
        overlap, generalised = self._overlaps(maps, shown)
        there = (near > 0).float()
        there = there / there.sum(dim=(1, 2), keepdim=True) / len(there)
        told = F.binary_cross_entropy_with_logits(
            maps.quality, overlap.detach().clamp(0, 1), reduction="none"
        )
        best = maps.scores.detach().flatten(1).argmax(1, keepdim=True)
        return {
            "scores": score_loss(maps.scores, near, wide),
            "boxes": config.boxes * ((1 - generalised) * there).sum(),
            "quality": config.quality * (told * there).sum(),
            "miss": 1 - (near.flatten(1).gather(1, best) > 0).float().mean(),
            "overlap": overlap.detach().flatten(1).gather(1, best).mean(),
        }

    def _overlaps(self, maps: BoxMaps, shown: Shown) -> tuple[Tensor, Tensor]:
        found = corners(maps, shown.first_sizes, self.stride).permute(0, 2, 3, 1)
        half = shown.sizes / 2
        true = torch.cat([shown.offsets - half, shown.offsets + half], dim=1)
        return overlaps(found, true[:, None, None])
