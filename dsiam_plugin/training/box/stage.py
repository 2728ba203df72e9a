"""The network of DSiamBox learns from pairs of frames."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsiam_plugin.config.fields import refuse, validate
from dsiam_plugin.core.boxes import BoxMaps, distinguish, gather
from dsiam_plugin.core.spectra import PORTABLE
from dsiam_plugin.models.box_head import BoxHead, Necks, load_boxes
from dsiam_plugin.models.weights import Weights
from dsiam_plugin.training.box.network import JUDGED, LAYERS, BoxConfig, BoxNetwork, Shown
from dsiam_plugin.training.data.pairs import PairBatch
from dsiam_plugin.training.siamese.labels import response_labels
from dsiam_plugin.training.siamese.losses import contrast_loss, logistic_loss


class BoxModel(BoxNetwork):
    """Backbone, necks and head, and their losses on pairs.

    Args:
        config: The head and its loss.
        weights: Where the backbone starts, and necks and head if it has them: their channels are
            then its own.
        batch: Pairs that the start of fresh necks is measured on.

    Raises:
        CheckpointError: If the weights are not those of SiamFC's AlexNet, or their head is of
            other layers or cells.
        ConfigError: If a value is out of range.
    """

    def __init__(self, config: BoxConfig, weights: Weights, batch: PairBatch):
        refuse(validate(config), "model")
        known = weights.has_box_head
        parts = load_boxes(weights, LAYERS, config.cells) if known else _fresh(config, weights)
        super().__init__(config, weights, parts)
        self.log_scale = nn.Parameter(torch.full((len(LAYERS),), 10.0).log())
        if not known:
            self._start_necks(batch)

    def forward(self, batch: PairBatch) -> dict[str, Tensor]:
        """Losses and scores of a batch.

        Returns:
            ``loss`` () and its parts; ``miss`` () and ``overlap`` (), see :meth:`judge`;
            ``responses`` (B, m, m) of scores, detached.
        """
        z_feat, x_feat = self._embed(batch.exemplars), self._embed(batch.searches)
        maps = self._head(z_feat, x_feat, self._bank(z_feat, batch.variants))
        found = self.judge(maps, Shown(batch.offsets, batch.search_sizes, batch.exemplar_sizes))
        size = maps.scores.shape[-1]
        near = response_labels(batch.offsets, size, self.stride, self.config.radius_px)
        found["contrast"] = self.config.contrast * self._contrast(z_feat, x_feat, near)
        found["others"] = self.config.others * self._other_loss(z_feat, x_feat)
        loss = torch.stack([found[name] for name in (*JUDGED, "contrast", "others")]).sum()
        detached = {name: item.detach() for name, item in found.items()}
        return {"loss": loss, **detached, "responses": maps.scores.detach()}

    def own(self) -> list[nn.Parameter]:
        """The scale of each layer's plain response."""
        return [self.log_scale]

    def scalars(self) -> dict[str, float]:
        """The scale of each layer's plain response."""
        scales = self.log_scale.exp().tolist()
        return {f"scale.{layer}": value for layer, value in zip(LAYERS, scales, strict=True)}

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


def _fresh(config: BoxConfig, weights: Weights) -> tuple[Necks, BoxHead]:
    """Necks and head of weights that have none."""
    widths = {layer: len(weights.tensors[f"{layer}.weight"]) for layer in LAYERS}
    head = BoxHead(LAYERS, config.channels, config.hidden, config.cells)
    return Necks(widths, config.channels), head
