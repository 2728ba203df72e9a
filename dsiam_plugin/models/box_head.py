"""What a network has beside its backbone to find boxes: necks of its levels, and a head.

Shapes: N targets, C channels after the necks, m cells a side of the response.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsiam_plugin.core.boxes import VARIANTS, BoxMaps, Evidence
from dsiam_plugin.core.state import Features
from dsiam_plugin.errors import CheckpointError
from dsiam_plugin.io.messages import fail
from dsiam_plugin.models.weights import HEAD_PREFIX, NECK_PREFIX, Weights

SIDE_UNIT = 16.0  # px of the search crop that an output of one moves a side by
LEANING_UNIT = 10.0  # leanings are about a tenth of a match
MATCH = 10.0  # start of the score of a perfect match over its bias


class Necks(nn.Module):
    """Fewer channels for every level: what transforms and correlations then cost.

    Args:
        widths: Channels of each level.
        channels: Channels C of them all afterwards.
    """

    def __init__(self, widths: Mapping[str, int], channels: int):
        super().__init__()
        for layer, width in widths.items():
            self.add_module(layer, nn.Conv2d(width, channels, 1, bias=False))

    def forward(self, levels: Features) -> dict[str, Tensor]:
        """Features (S, C, h, w) of every level, of features (S, C_l, h, w)."""
        features = {}
        for layer, weight in self.weights():
            features[layer] = F.conv2d(levels[layer].to(weight.dtype), weight).float()
        return features

    def weights(self) -> list[tuple[str, Tensor]]:
        """Every level with its neck's weights, (C, C_l, 1, 1)."""
        return [(name.removesuffix(".weight"), item) for name, item in self.named_parameters()]


class BoxHead(nn.Module):
    """From channel-wise correlations to scores, sides of boxes and their quality.

    Args:
        layers: Levels, the primary one first.
        channels: Of the correlations.
        hidden: Channels between the convolutions.
        cells: Side m of the response.
    """

    def __init__(self, layers: Sequence[str], channels: int, hidden: int, cells: int):
        super().__init__()
        self.fusion = nn.ParameterDict(
            {layer: nn.Parameter(torch.zeros(cells, cells)) for layer in layers}
        )
        self.match = nn.Conv2d(channels, 1, 1)
        leanings = len(layers) * len(VARIANTS)
        self.enter = nn.Conv2d(2 * channels + leanings, channels, 1)
        self.lean = nn.Conv2d(leanings, 4, 3, padding=1)
        self.score_tower = nn.Conv2d(channels, hidden, 3, padding=1)
        self.side_tower = nn.Sequential(
            nn.Conv2d(channels, hidden, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(hidden, hidden, 3, padding=1),
        )
        self.score = nn.Conv2d(hidden, 1, 1)
        self.sides = nn.Conv2d(hidden, 5, 1)
        nn.init.constant_(self.match.weight, MATCH / channels)
        self.match.bias = nn.Parameter(torch.tensor([-MATCH / 2]))
        for last in (self.score, self.sides, self.lean):
            nn.init.normal_(last.weight, std=1e-2)
            last.bias = nn.Parameter(torch.zeros(last.out_channels))

    def towers(self) -> list[nn.Module]:
        """Layers that may compute in half precision: all but the last ones."""
        return [self.enter, self.score_tower, self.side_tower]

    def forward(self, evidence: Evidence) -> BoxMaps:
        """Maps of boxes, (N, m, m) and (N, 4, m, m)."""
        weights = torch.stack(list(self.fusion.values())).softmax(0)
        answers = seen = torch.zeros((), device=weights.device)
        for layer, weight in zip(self.fusion, weights, strict=True):
            answer = evidence.answers[layer]
            region = evidence.regions[layer]
            size = region.shape[-1] - answer.shape[-1] + 1
            answers = answers + weight * answer
            seen = seen + weight * under_middle(region, size)
        if evidence.leanings:
            leaning = torch.cat([evidence.leanings[layer] for layer in self.fusion], dim=1)
        else:
            leaning = seen.new_zeros(len(seen), self.lean.in_channels, *seen.shape[2:])
        leaning = LEANING_UNIT * leaning
        x = torch.cat([answers, seen, leaning], dim=1).to(self.enter.weight.dtype)
        x = F.relu(self.enter(x))
        scores = self.match(answers) + self.score(F.relu(self.score_tower(x)).float())
        sides, quality = self.sides(F.relu(self.side_tower(x)).float()).split([4, 1], dim=1)
        return BoxMaps(scores[:, 0], SIDE_UNIT * (sides + self.lean(leaning)), quality[:, 0])


def load_boxes(weights: Weights, layers: Sequence[str], cells: int) -> tuple[Necks, BoxHead]:
    """Necks and head of weights that have them.

    Args:
        weights: Of a network that tells boxes.
        layers: Levels in use.
        cells: Side m of the response.

    Raises:
        CheckpointError: If a tensor is missing or of another shape.
    """
    necks_state, state = (
        {
            name.removeprefix(prefix): item
            for name, item in weights.tensors.items()
            if name.startswith(prefix)
        }
        for prefix in (NECK_PREFIX, HEAD_PREFIX)
    )
    try:
        shapes = {layer: necks_state[f"{layer}.weight"].shape for layer in layers}
        channels, hidden = shapes[layers[0]][0], len(state["score_tower.weight"])
        necks = Necks({layer: shape[1] for layer, shape in shapes.items()}, channels)
        head = BoxHead(layers, channels, hidden, cells)
        necks.load_state_dict(necks_state)
        head.load_state_dict(state)
    except (KeyError, IndexError, RuntimeError) as error:
        fail(CheckpointError, weights.path, f"not the box head of {'+'.join(layers)} ({error})")
    return necks, head


def under_middle(region: Tensor, size: int) -> Tensor:
    """Features in the middle of every place that an exemplar is laid on, (N, C, m, m).

    Args:
        region: (N, C, H, W).
        size: Cells of the exemplar, even: its middle is between four cells.
    """
    margin = size // 2 - 1
    rows = region[..., :-1, :] + region[..., 1:, :]
    pooled = (rows[..., :-1] + rows[..., 1:]) / 4
    return pooled[..., margin : pooled.shape[-2] - margin, margin : pooled.shape[-1] - margin]
