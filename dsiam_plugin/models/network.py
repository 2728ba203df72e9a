"""The Siamese network: embeds crops. It stores no target.

Shapes: S crops, C_l channels and h_l, w_l size of level l. For SiamFC's AlexNet conv5 is
(S, 256, 22, 22) and conv4 (S, 384, 24, 24) on 255 px; both give responses of 17x17.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from dsiam_plugin.config import CropConfig, FusionConfig, ModelConfig, TrackerConfig
from dsiam_plugin.core.state import Features, Numbers, numbers_of
from dsiam_plugin.errors import CheckpointError, ConfigError
from dsiam_plugin.models.backbones import BACKBONES, Backbone
from dsiam_plugin.models.box_head import BoxHead, Necks, load_boxes
from dsiam_plugin.models.weights import FUSION_PREFIX, Weights, build_backbone

Embed = Callable[[np.ndarray], Mapping[str, Tensor]]

# Two pyramids of three 255 px crops. Larger batches fall out of a processor's cache: 12 crops take
# a seventh more time a crop than 6.
BATCH_PIXELS = 6 * 255 * 255


class SiameseNet(nn.Module):
    """Backbone, fusion maps and affine adjust.

    Args:
        backbone: Module that maps (S, 3, H, W) RGB in [0, 255] to named levels.
        layers: Levels in use; the first is the primary one.
        fusion_maps: Weight of each layer, (m, m) of the response's size, or () for all cells.
        head: ``(scale, bias)`` of the affine adjust after fusion.
        boxes: Necks and box head of a network that tells boxes.
    """

    def __init__(
        self,
        backbone: Backbone,
        layers: tuple[str, ...],
        fusion_maps: Mapping[str, Tensor],
        head: tuple[float, float],
        boxes: tuple[Necks, BoxHead] | None = None,
    ):
        super().__init__()
        unknown = [layer for layer in layers if layer not in backbone.levels]
        if unknown:
            raise ConfigError(
                f"model.layers: {', '.join(unknown)}; the backbone has {', '.join(backbone.levels)}"
            )
        self.backbone = backbone
        self.layers = layers
        self.scale, self.bias = head
        self.necks: Necks | None
        self.box_head: BoxHead | None
        self.necks, self.box_head = boxes or (None, None)
        for layer in layers:
            self.register_buffer(f"fusion_{layer}", fusion_maps[layer], persistent=False)

    @property
    def dtype(self) -> torch.dtype:
        """Type in which the backbone takes crops: that of its weights, or uint8."""
        return next(self.backbone.parameters()).dtype

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(self.backbone.parameters()).device

    @property
    def stride(self) -> int:
        """Pixels of the search crop between neighbouring cells of the response."""
        return self.backbone.stride

    @property
    def response_size(self) -> int:
        """Side m of the response."""
        return self.get_buffer(f"fusion_{self.layers[0]}").shape[-1]

    def embed(self, crops: np.ndarray) -> dict[str, Tensor]:
        """Features of crops in one batch.

        Args:
            crops: (S, H, W, 3) uint8 RGB, all of one size.

        Returns:
            Per layer in use (S, C_l, h_l, w_l) float32.
        """
        # (S, H, W, 3) seen as (S, 3, H, W) is channels-last without a copy.
        return self.features(torch.from_numpy(crops).to(self.device).permute(0, 3, 1, 2))

    def features(self, crops: Tensor) -> dict[str, Tensor]:
        """Features of crops on the network's device.

        Args:
            crops: (S, 3, H, W) RGB in [0, 255], of any type.

        Returns:
            Per layer in use (S, C_l, h_l, w_l) float32.
        """
        levels = self.backbone(crops.to(self.dtype, memory_format=torch.channels_last))
        return self.narrowed({layer: levels[layer] for layer in self.layers})

    def cast_boxes(self, dtype: torch.dtype) -> None:
        """Compute necks and head, where there are any, in another type."""
        if self.necks is not None and self.box_head is not None:
            for part in (self.necks, *self.box_head.towers()):
                part.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def narrowed(self, levels: Features) -> dict[str, Tensor]:
        """Features as trackers use them, of the backbone's levels: through the necks, if any.

        What follows needs float32; in memory the channels stay last.
        """
        layout = torch.channels_last
        features = {k: item.to(torch.float32, memory_format=layout) for k, item in levels.items()}
        return features if self.necks is None else self.necks(features)

    def numbers(self, config: TrackerConfig) -> Numbers:
        """The numbers of a configuration, with this network's fusion maps and adjust.

        Raises:
            ConfigError: If numbers are given by layer and a layer in use has none.
        """
        maps = {layer: self.get_buffer(f"fusion_{layer}") for layer in self.layers}
        return numbers_of(config, maps, (self.scale, self.bias), self.box_head)


def embed_many(groups: Sequence[Sequence[np.ndarray]], embed: Embed) -> list[dict[str, Tensor]]:
    """Features of each group of crops, in few batches.

    Args:
        groups: Crops (size, size, 3) uint8, those of a group of one size; no group is empty.
        embed: Features, (S, C, h, w) a layer, of crops (S, H, W, 3) of one size.

    Returns:
        For each group, features (1, S, C, h, w) a layer.
    """
    answers: list[dict[str, Tensor]] = [{} for _ in groups]
    for batch in _batches(groups):
        features = embed(np.stack([crop for index in batch for crop in groups[index]]))
        counts = [len(groups[index]) for index in batch]
        for layer, item in features.items():
            for index, share in zip(batch, item.split(counts), strict=True):
                answers[index][layer] = share[None]
    return answers


def build_network(
    model: ModelConfig,
    fusion: FusionConfig,
    weights: Weights,
    crop: CropConfig,
    device: torch.device,
    dtype: torch.dtype,
) -> SiameseNet:
    """The network of a configuration with its weights, in evaluation mode.

    Raises:
        CheckpointError: If the weights are another network's.
        ConfigError: If the backbone or a layer does not exist.
    """
    check_backbone(model, weights)
    backbone = build_backbone(weights)
    head = choose_head(model, fusion, weights)
    size = (crop.search_size - crop.exemplar_size) // backbone.stride + 1
    maps = fusion_maps(model.layers, fusion, size, weights)
    boxes = load_boxes(weights, model.layers, size) if model.box_head else None
    network = SiameseNet(backbone, model.layers, maps, head, boxes).eval().requires_grad_(False)
    network.backbone.to(dtype)
    network.cast_boxes(dtype)
    # PyTorch's stubs lack the layout.
    return network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def check_backbone(model: ModelConfig, weights: Weights) -> None:
    """Refuse weights of another network than the configuration's.

    Raises:
        ConfigError: If the backbone does not exist.
        CheckpointError: If the weights are another network's.
    """
    if model.backbone not in BACKBONES:
        raise ConfigError(
            f"model.backbone: {model.backbone!r}, expected one of {', '.join(BACKBONES)}"
        )
    if weights.backbone != model.backbone:
        raise CheckpointError(
            f"{weights.path}: weights of {weights.backbone}, expected {model.backbone}; "
            "name a file of those (--weights)"
        )
    if weights.has_box_head != model.box_head:
        found, expected = ("without", "with") if model.box_head else ("with", "without")
        raise CheckpointError(
            f"{weights.path}: weights {found} a box head, expected a file of weights {expected} one"
            " (--weights, or none for the package's own)"
        )


def choose_head(model: ModelConfig, fusion: FusionConfig, weights: Weights) -> tuple[float, float]:
    """Scale and bias of the affine adjust: the configuration's, else those the weights bring."""
    # Balanced responses have their own unit, so the weights' affine adjust says nothing of them.
    scale, bias = (1.0, 0.0) if fusion.balance else weights.head
    return (
        scale if model.head_scale is None else model.head_scale,
        bias if model.head_bias is None else model.head_bias,
    )


def fusion_maps(
    layers: tuple[str, ...], fusion: FusionConfig, size: int, weights: Weights | None = None
) -> dict[str, Tensor]:
    """Weight maps of the layers, (size, size) each, summing to one in every cell (eq. 9).

    Args:
        layers: Levels in use, the primary one first.
        fusion: The weights, or that they are to be taken from a training.
        size: Side of the response.
        weights: Hold the map of a training.

    Raises:
        CheckpointError: If the map is to be taken from weights that have none of that size.
    """
    if len(layers) == 1:
        return {layers[0]: torch.ones(size, size)}
    if fusion.learnt:
        primary = _learnt_map(layers[0], size, weights)
    else:
        primary = torch.full((size, size), fusion.primary_weight)
    if fusion.center_radius >= 0 and not fusion.learnt:
        offset = (torch.arange(size) - (size - 1) / 2).abs()
        near = offset[:, None] + offset[None, :] <= fusion.center_radius
        primary = torch.where(near, primary, 1.0)
    if fusion.uniform:
        primary = primary.mean().expand(size, size).clone()
    rest = (1 - primary) / (len(layers) - 1)
    return {layer: primary if index == 0 else rest for index, layer in enumerate(layers)}


def _learnt_map(layer: str, size: int, weights: Weights | None) -> Tensor:
    name = f"{FUSION_PREFIX}{layer}"
    primary = None if weights is None else weights.tensors.get(name)
    if primary is None or primary.shape != (size, size):
        found = "none" if primary is None else f"one of {tuple(primary.shape)}"
        path = "no weights" if weights is None else weights.path
        raise CheckpointError(
            f"{path}: fusion.learnt needs the map {name} of {(size, size)}, found {found}"
        )
    return primary


def _batches(groups: Sequence[Sequence[np.ndarray]]) -> list[list[int]]:
    """Groups whose crops are of one size, up to ``BATCH_PIXELS`` or a single group."""
    batches: list[list[int]] = []
    open_batches: dict[int, tuple[list[int], int]] = {}
    for index, crops in enumerate(groups):
        size = crops[0].shape[0]
        pixels = len(crops) * size * size
        batch, used = open_batches.get(size, ([], BATCH_PIXELS))
        if used + pixels > BATCH_PIXELS:
            batch, used = [], 0
            batches.append(batch)
        batch.append(index)
        open_batches[size] = batch, used + pixels
    return batches
