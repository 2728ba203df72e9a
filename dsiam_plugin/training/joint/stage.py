"""The clip model of joint training: the whole tracker, unrolled over a clip (paper, sec. 3.5).

Backpropagation through time runs over ``joint.unroll``; this module owns the
parameters, the loss and what leaves the training. Shapes: B clips of T frames, m response cells.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.core.state import Peaks, Target, each
from dsiam_plugin.models.backbones import SiamFCAlexNet
from dsiam_plugin.models.devices import autocast_dtype
from dsiam_plugin.models.weights import Weights
from dsiam_plugin.training.data.clips import ClipBatch
from dsiam_plugin.training.joint.config import (
    JointConfig,
    check_joint,
    start_backbone,
    start_head,
    start_map,
)
from dsiam_plugin.training.joint.crop_layer import box_centers
from dsiam_plugin.training.joint.learnables import Learnables
from dsiam_plugin.training.joint.unroll import Seen, Unroller
from dsiam_plugin.training.siamese.labels import response_labels
from dsiam_plugin.training.siamese.losses import logistic_loss

OFF_PX = 16.0  # a peak further from the target counts as off: a quarter of a usual target's side


class ClipModel(nn.Module):
    """Features, ridge weights, rates, memory, fusion map and head, trained together on clips.

    Raises:
        CheckpointError: If the weights are not those of SiamFC's AlexNet.
        ConfigError: If a value is out of range.
    """

    stride = SiamFCAlexNet.stride

    def __init__(self, weights: Weights, tracker: TrackerConfig, config: JointConfig):
        super().__init__()
        check_joint(config, tracker)
        self.config = config
        self.tracker = tracker
        self._start = weights
        self.backbone = start_backbone(weights).requires_grad_(config.train_features)
        self.backbone.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.learnables = Learnables(
            tracker,
            start_map(weights, tracker),
            start_head(weights, tracker, config),
            config.symmetric_fusion,
        )

    def forward(self, batch: ClipBatch) -> dict[str, Tensor]:
        """Track the clips and compare every response with its label map (eq. 10).

        Under autocast the convolutions of the network alone run in half precision.

        Returns:
            ``loss`` (); ``responses`` and ``plain_responses`` (B, T - 1, m, m), detached, with V
            and W and of the first exemplar without them; ``middles`` (B, T - 1, 2), the positions
            of the search windows in the crops; () for curves: ``plain_loss``,
            ``peak_off`` and ``plain_peak_off`` (shares of frames with the peak more than 16 px
            off) and ``learnt`` (share of frames that V and W may be learnt on).
        """
        device = batch.crops.device
        dtype = autocast_dtype(device)
        with torch.autocast(device.type, enabled=False):
            annotated = box_centers(batch.boxes.flatten(0, 1)).unflatten(0, batch.boxes.shape[:2])
            seen = self._unroll(batch.crops, annotated, partial(self.embed, dtype=dtype))
            return self._judge(seen, annotated[:, 1:])

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Groups of the optimiser; only the convolutions' weights decay."""
        groups = [
            (name, items, self.config.multipliers.get(name, 1.0))
            for name, items in self.learnables.parameter_groups().items()
        ]
        return [
            {
                "name": name,
                "params": items,
                "lr_multiplier": multiplier,
                "weight_decay": name.startswith("features"),
            }
            for name, items, multiplier in [*self._feature_groups(), *groups]
        ]

    @torch.no_grad()
    def to_weights(self, origin: Mapping[str, Any]) -> Weights:
        """Weights that the tracker runs with as trained: features, fusion map and its numbers."""
        tensors = {name: _copied(item) for name, item in self.backbone.state_dict().items()}
        for layer, weights in self._first_map().items():
            tensors[f"fusion.{layer}"] = _copied(weights)
        numbers = self.learnables.scalars()
        trained = (numbers["head_scale"], numbers["head_bias"])
        return replace(
            self._start,
            tensors=tensors,
            # balanced responses have their own unit: their adjust belongs to the loss alone
            head=self._start.head if self.tracker.fusion.balance else trained,
            format="safetensors",
            path=Path("training"),
            sha256="",
            config={"tracker": self._overrides(), "origin": dict(origin)},
        )

    @torch.no_grad()
    def scalars(self) -> dict[str, float]:
        """Ridge weights, rates, memory, head scale and bias, in plain units."""
        return self.learnables.scalars()

    @torch.no_grad()
    def maps(self) -> dict[str, Tensor]:
        """The fusion map of each layer, (m, m) in [0, 1]; empty with a single layer."""
        if len(self.tracker.model.layers) == 1:
            return {}
        maps = self.learnables.fusion()
        return {f"fusion.{layer}": _copied(item).clamp(0, 1) for layer, item in maps.items()}

    def embed(self, pixels: Tensor, dtype: torch.dtype) -> dict[str, Tensor]:
        """Features of windows (B, size, size, 3) uint8, float32 of each layer in use.

        Args:
            pixels: RGB in [0, 255].
            dtype: Type of the convolutions.
        """
        # (B, H, W, 3) seen as (B, 3, H, W) is channels-last without a copy.
        crops = pixels.permute(0, 3, 1, 2).float()
        with (
            torch.set_grad_enabled(self.config.train_features and torch.is_grad_enabled()),
            torch.autocast(crops.device.type, dtype, enabled=dtype != torch.float32),
        ):
            levels = self.backbone(crops)
        return {
            layer: levels[layer].to(torch.float32, memory_format=torch.contiguous_format)
            for layer in self.tracker.model.layers
        }

    def _feature_groups(self) -> list[tuple[str, list[nn.Parameter], float]]:
        """Names, parameters and learning-rate multipliers of the backbone's groups."""
        if not self.config.train_features:
            return []
        kinds = {"features": lambda item: item.ndim > 1, "biases": lambda item: item.ndim == 1}
        groups: list[tuple[str, list[nn.Parameter], Any]] = []
        for kind, belongs in kinds.items():
            named = [pair for pair in self.backbone.named_parameters() if belongs(pair[1])]
            multiplier = self.config.multipliers.get(kind, 1.0)
            if self.config.relative_features:
                groups += [
                    (f"{kind}.{name}", [item], multiplier * item.detach().square().mean().sqrt())
                    for name, item in named
                ]
            else:
                groups.append((kind, [item for _, item in named], multiplier))
        return [(name, items, float(multiplier)) for name, items, multiplier in groups]

    def _unroll(
        self, crops: Tensor, annotated: Tensor, embed: Callable[[Tensor], dict[str, Tensor]]
    ) -> list[Seen]:
        """The outcome of each frame but the first."""
        fill = crops[:, 0].float().mean(dim=(1, 2)).round().to(torch.uint8)
        unroller = Unroller(
            self.tracker,
            self.learnables.numbers(),
            embed,
            self._max_excursion(crops),
            crops.device,
        )
        target: Target = self._run(unroller.start, crops[:, 0], annotated[:, 0], fill)
        seen = []
        last = crops.shape[1] - 1
        for time in range(1, last + 1):
            if self.config.truncate and time > 1 and (time - 1) % self.config.truncate == 0:
                target = each(torch.Tensor.detach, target)  # no gradient to earlier frames
            row, where = crops[:, time], annotated[:, time]
            target, shown = self._run(unroller.look, target, row, where, time < last)
            seen.append(shown)
        return seen

    def _run(self, step: Callable[..., Any], *arguments: Any) -> Any:
        if not (self.config.checkpoint and torch.is_grad_enabled()):
            return step(*arguments)
        return checkpoint(step, *arguments, use_reentrant=False, preserve_rng_state=False)

    def _judge(self, seen: list[Seen], annotated: Tensor) -> dict[str, Tensor]:
        responses = torch.stack([item.responses for item in seen], dim=1)  # (B, T - 1, m, m)
        plain = torch.stack([item.plain for item in seen], dim=1)
        middles = torch.stack([item.middles for item in seen], dim=1)  # (B, T - 1, 2)
        offsets = (annotated - middles).flatten(0, 1).float()
        size = responses.shape[-1]
        labels = response_labels(offsets, size, self.stride, self.config.radius_px)
        times = len(seen) if self.config.frames == "sum" else 1
        balance = self.config.balance
        shares = {
            "peak_off": self._far([item.peaks for item in seen], offsets),
            "plain_peak_off": self._far([item.plain_peaks for item in seen], offsets),
            "learnt": torch.stack([item.verdict.learns for item in seen]).float().mean(),
        }
        return {
            "loss": times * logistic_loss(responses.flatten(0, 1), labels, balance=balance),
            "plain_loss": times * logistic_loss(plain.flatten(0, 1), labels, balance=balance),
            "responses": responses.detach(),
            "plain_responses": plain,
            "middles": middles,
            **shares,
        }

    def _far(self, found: list[Peaks], offsets: Tensor) -> Tensor:
        """Share of frames whose peak is more than OFF_PX from the target."""
        places = [torch.stack([peaks.dx, peaks.dy], dim=1) * self.stride for peaks in found]
        distances = torch.stack(places, dim=1).flatten(0, 1) - offsets  # (B (T - 1), 2) px
        return (distances.norm(dim=1) > OFF_PX).float().mean()

    def _max_excursion(self, crops: Tensor) -> float:
        if self.config.max_excursion_px is not None:
            return self.config.max_excursion_px
        return max(crops.shape[2] - self.tracker.crop.search_size, 0) / 2

    def _first_map(self) -> dict[str, Tensor]:
        layers = self.tracker.model.layers
        return {layers[0]: self.learnables.fusion()[layers[0]]} if len(layers) > 1 else {}

    def _overrides(self) -> dict[str, Any]:
        """The tracker that was unrolled, in the shape of the YAML files."""
        layers = list(self.tracker.model.layers)
        # which of V and W there are is the variant's to say, not the weights'
        own = ("variation", "suppression", "replace_template")
        transform = asdict(self.tracker.transform) | self.learnables.overrides()
        return {
            "model": {"layers": layers},
            "fusion": {"balance": self.tracker.fusion.balance, "learnt": len(layers) > 1},
            "transform": {key: value for key, value in transform.items() if key not in own},
        }


def _copied(item: Tensor) -> Tensor:
    """A float32 copy on the CPU, rows contiguous."""
    return item.detach().float().cpu().clone(memory_format=torch.contiguous_format)
