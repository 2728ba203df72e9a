"""The numbers that joint training learns beside the features (paper, sec. 3.5 and 3.6).

Ridge weights are stored as logarithms, shares as logits, so that no gradient step leaves their
range. A share that starts at 0 or 1 is no parameter: the paper's transforms replace the features
(rate 1) and remember nothing (memory 0), and a logit cannot say so.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from dsiam_plugin.config import TrackerConfig, of_layer
from dsiam_plugin.core.state import Numbers
from dsiam_plugin.errors import ConfigError


class LearntShare(nn.Module):
    """A number in [0, 1], learnt as its logit if it starts strictly between.

    Args:
        start: Where it starts.
    """

    def __init__(self, start: float):
        super().__init__()
        if not 0 <= start <= 1:
            raise ConfigError(f"a share of {start}: expected a number in [0, 1]")
        self.learnt = 0 < start < 1
        if self.learnt:
            self.logit = nn.Parameter(torch.tensor(start).logit())
        else:
            self.register_buffer("constant", torch.tensor(float(start)), persistent=False)

    def forward(self) -> Tensor:
        """The number, ()."""
        return self.logit.sigmoid() if self.learnt else self.get_buffer("constant")


class FusionMaps(nn.Module):
    """One free map for the first layer; the others share the rest, so all sum to one (eq. 9).

    Args:
        layers: Levels in use, the primary one first.
        start: Weight of the first layer, (m, m).
        symmetric: Keep the map equal to its mirror image, as training clips are mirrored.
    """

    def __init__(self, layers: tuple[str, ...], start: Tensor, symmetric: bool):
        super().__init__()
        self.layers = layers
        self.symmetric = symmetric
        self.primary = nn.Parameter(start.clone().float(), requires_grad=len(layers) > 1)

    def forward(self) -> dict[str, Tensor]:
        """The map of each layer, (m, m)."""
        first, *others = self.layers
        if not others:
            return {first: self.primary}
        both = self.primary + self.primary.flip(-1)
        primary = both / 2 if self.symmetric else self.primary
        rest = (1 - primary) / len(others)
        return {first: primary} | dict.fromkeys(others, rest)


class Learnables(nn.Module):
    """Ridge weights, rates, memory, fusion maps and affine adjust of a clip model.

    Args:
        config: The tracker they start from; its layers and whether V and W exist.
        fusion: Starting weight of the first layer, (m, m).
        head: ``(scale, bias)`` of the affine adjust, scale > 0.
        symmetric: See :class:`FusionMaps`.
    """

    def __init__(
        self, config: TrackerConfig, fusion: Tensor, head: tuple[float, ...], symmetric: bool
    ):
        super().__init__()
        layers, transform = config.model.layers, config.transform
        adaptive = {"v": transform.variation, "w": transform.suppression}
        used = [kind for kind, there in adaptive.items() if there]
        self.log_lambda = nn.ModuleDict()
        self.rate = nn.ModuleDict()
        for kind in used:
            ridges, rates = (getattr(transform, f"{name}_{kind}") for name in ("lambda", "rate"))
            self.log_lambda[kind] = nn.ParameterDict(
                {
                    layer: nn.Parameter(torch.tensor(of_layer(ridges, layer)).log())
                    for layer in layers
                }
            )
            self.rate[kind] = nn.ModuleDict(
                {layer: LearntShare(of_layer(rates, layer)) for layer in layers}
            )
        self._averages = transform.variation or transform.replace_template
        self.memory = LearntShare(transform.memory if self._averages else 0.0)
        self.fusion = FusionMaps(layers, fusion, symmetric)
        self.log_scale = nn.Parameter(torch.tensor(math.log(head[0])))
        self.bias = nn.Parameter(torch.tensor(float(head[1])))

    def numbers(self) -> Numbers:
        """The numbers as the method takes them; gradients flow back to the parameters."""
        lambdas, rates = self._by_kind()
        return Numbers(
            lambdas.get("v", {}),
            rates.get("v", {}),
            lambdas.get("w", {}),
            rates.get("w", {}),
            self.memory(),
            self.fusion(),
            self.log_scale.exp(),
            self.bias,
        )

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameters by kind; kinds without any are left out."""
        groups = {
            "lambdas": [*self.log_lambda.parameters()],
            "rates": [*self.rate.parameters(), *self.memory.parameters()],
            "fusion": [item for item in self.fusion.parameters() if item.requires_grad],
            "head": [self.log_scale, self.bias],
        }
        return {name: items for name, items in groups.items() if items}

    def scalars(self) -> dict[str, float]:
        """Every number in plain units: lambdas and rates by layer, memory, head."""
        values = {"head_scale": self.log_scale.exp().item(), "head_bias": self.bias.item()}
        values["memory"] = self.memory().item()
        for name, of_kinds in zip(("lambda", "rate"), self._by_kind(), strict=True):
            for kind, items in of_kinds.items():
                values |= {f"{name}_{kind}.{layer}": item.item() for layer, item in items.items()}
        return values

    def overrides(self) -> dict[str, Any]:
        """The transform's numbers in the shape of the YAML files."""
        values: dict[str, Any] = {}
        for name, of_kinds in zip(("lambda", "rate"), self._by_kind(), strict=True):
            for kind, items in of_kinds.items():
                values[f"{name}_{kind}"] = {layer: _short(item) for layer, item in items.items()}
        return values | ({"memory": _short(self.memory())} if self._averages else {})

    def _by_kind(self) -> tuple[dict[str, dict[str, Tensor]], dict[str, dict[str, Tensor]]]:
        """Ridge weights and rates, each by kind of transform ("v" or "w") and layer."""
        ridges: dict[str, Any] = dict(self.log_lambda.items())
        rates: dict[str, Any] = dict(self.rate.items())
        return (
            {kind: {name: item.exp() for name, item in of.items()} for kind, of in ridges.items()},
            {kind: {name: item() for name, item in of.items()} for kind, of in rates.items()},
        )


def _short(value: Tensor) -> float:
    """Six digits: what float32 knows, and what a reader of the file wants."""
    return float(f"{value.item():.6g}")
