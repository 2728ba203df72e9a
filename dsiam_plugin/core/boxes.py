"""The box head's side of the method: correlations by channel, and boxes out of its maps.

Where SiamFC asks three scales of one shape, a head that has learnt boxes tells one at every cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.core.response import Fixed, peak_shape
from dsiam_plugin.core.spectra import Spectra
from dsiam_plugin.core.state import Peaks, Target

MOST_GROWTH = 2.0  # of width or height from one frame to the next

# How the first exemplar is seen anew: px of its crop for one of the variant, and the logarithm of
# what width over height gains. Where a variant answers more than it did, the target has become so.
VARIANTS = (
    (1 / 1.15, 0.0),
    (1.15, 0.0),
    (1 / 1.4, 0.0),
    (1.4, 0.0),
    (1.0, 0.32),
    (1.0, -0.32),
)


class BoxMaps(NamedTuple):
    """What a head says of every cell of N responses.

    Attributes:
        scores: Logits that the target is there, (N, m, m).
        sides: What left, top, right and bottom lie further out than those of the first frame's box
            laid on the cell, px of the search crop, (N, 4, m, m).
        quality: Logits of the box's overlap with the target, (N, m, m).
    """

    scores: Tensor
    sides: Tensor
    quality: Tensor


class Evidence(NamedTuple):
    """What a head reads boxes from, by layer.

    Attributes:
        answers: Correlations of the template by channel, a perfect match's mean is one,
            (N, C, m, m).
        regions: Features of the search windows, (N, C, H, W).
        leanings: What each of K variants of the first exemplar answers beyond its share of what
            the exemplar itself does, of a perfect match, (N, K, m, m); empty without variants.
        powers: What one of ``answers`` stands for in products of features, (N, 1, 1, 1).
    """

    answers: Mapping[str, Tensor]
    regions: Mapping[str, Tensor]
    leanings: Mapping[str, Tensor]
    powers: Mapping[str, Tensor]

    def plain(self) -> dict[str, Tensor]:
        """Responses (N, 1, 1, m, m) a layer, as correlating all channels gives them (eq. 1)."""
        return {
            layer: (item.sum(1) * self.powers[layer][:, 0])[:, None, None]
            for layer, item in self.answers.items()
        }


ReadBoxes = Callable[[Evidence], BoxMaps]


def distinguish(exemplars: Tensor) -> Tensor:
    """What K variants have beyond their share of the exemplar, (N, K, C, h, w).

    Correlated with a search window they tell how far it leans to each variant, in units of the
    exemplar's perfect match; the exemplar itself leans nowhere.

    Args:
        exemplars: Features of the exemplar and its variants, (N, 1 + K, C, h, w).
    """
    first, variants = exemplars[:, :1], exemplars[:, 1:]
    powers = (first * exemplars).sum(dim=(2, 3, 4), keepdim=True)
    own = _kept_finite(powers[:, :1])
    return (variants - powers[:, 1:] / own * first) / own


def correlate_channels(z_feat: Tensor, x_feat: Tensor) -> Tensor:
    """Valid cross-correlations of each channel of each target, (N, C, H - h + 1, W - w + 1).

    Args:
        z_feat: (N, C, h, w).
        x_feat: (N, C, H, W).
    """
    targets, channels, height, width = z_feat.shape
    kernels = z_feat.reshape(-1, 1, height, width)
    maps = x_feat.reshape(1, -1, *x_feat.shape[2:])
    return F.conv2d(maps, kernels, groups=targets * channels)[0].unflatten(0, (targets, channels))


def gather(
    template: Mapping[str, Tensor],
    regions: Mapping[str, Tensor],
    exemplar: Mapping[str, Tensor],
    bank: Mapping[str, Tensor],
    spectra: Spectra,
) -> Evidence:
    """Evidence of boxes.

    Args:
        template: What is looked for, (N, C, h, w) a layer.
        regions: Features of the search windows, (N, C, H, W) a layer.
        exemplar: Features of the first exemplar, (N, C, h, w) a layer, the unit of a match.
        bank: :func:`distinguish` of it and its variants, (N, K, C, h, w) a layer; may be empty.
        spectra: Whose way of correlating is used.
    """
    answers, leanings, powers = {}, {}, {}
    for layer, item in template.items():
        region = regions[layer]
        power = exemplar[layer].square().mean(1, keepdim=True).sum(dim=(2, 3), keepdim=True)
        power = _kept_finite(power)
        answers[layer], powers[layer] = correlate_channels(item, region) / power, power
        if bank:  # measured, not learnt: features that serve leanings serve the search worse
            leanings[layer] = spectra.correlate(bank[layer], region.detach()[:, None])[:, 0]
    return Evidence(answers, regions, leanings, powers)


def _kept_finite(powers: Tensor) -> Tensor:
    """Powers that can be divided by; an exemplar without features has none."""
    return powers.clamp_min(torch.finfo(powers.dtype).tiny)


def corners(maps: BoxMaps, size: Tensor, stride: float) -> Tensor:
    """Corners ``x1, y1, x2, y2`` (N, 4, m, m) of the boxes, px from the search crop's middle.

    Args:
        maps: Of the head.
        size: ``(w, h)`` of the first frame's box in px of the crop, (N, 2).
        stride: Px between neighbouring cells.
    """
    cells = maps.sides.shape[-1]
    places = (torch.arange(cells, device=size.device) - (cells - 1) / 2) * stride
    x, y = places.expand(cells, cells), places[:, None].expand(cells, cells)
    half = (size / 2)[:, :, None, None]
    left_top = torch.stack([x, y]) - half - maps.sides[:, :2]
    return torch.cat([left_top, torch.stack([x, y]) + half + maps.sides[:, 2:]], dim=1)


def locate_box(
    maps: BoxMaps, responses: Tensor, target: Target, fixed: Fixed, config: TrackerConfig
) -> Peaks:
    """Peaks of N targets where a head tells boxes, with the growth of width and height.

    A cell counts by its score, its box's quality, the window, and how little the box differs from
    the last one in size and shape; the best one's box is followed the more, the more it counts.

    Args:
        maps: Of the head.
        responses: Plain ones, whose peaks tell trust, (N, m, m).
        target: Before the frame.
        fixed: Of the configuration, without upsampling.
        config: Of the tracker.
    """
    tracking, crop = config.tracking, config.crop
    cells = maps.scores.shape[-1]
    stride = (crop.search_size - crop.exemplar_size) / (cells - 1)
    boxes = corners(maps, target.shape, stride)
    last = (target.size * (crop.search_size / target.side)[:, None]).to(boxes.dtype)
    size = (boxes[:, 2:] - boxes[:, :2]).clamp_min(1.0)
    growth = (size / last[:, :, None, None]).clamp(1 / MOST_GROWTH, MOST_GROWTH)
    area, shape = growth.prod(1).sqrt(), growth[:, 0] / growth[:, 1]
    change = area.maximum(1 / area) * shape.maximum(1 / shape)
    scores = torch.sigmoid(maps.scores) * torch.sigmoid(maps.quality) ** tracking.quality
    trusted = scores * torch.exp(-tracking.shape_penalty * (change - 1))
    window = fixed.window / fixed.window.max()
    best = torch.lerp(trusted, window, tracking.window_influence).flatten(1).argmax(1)
    score, trust = (item.flatten(1).gather(1, best[:, None]) for item in (scores, trusted))
    box, grown = (
        item.flatten(2).gather(2, best[:, None, None].expand(-1, item.shape[1], 1))[..., 0]
        for item in (boxes, growth)
    )
    reach = crop.search_size / 2  # boxes whose middle is out of sight are none
    middle = ((box[:, :2] + box[:, 2:]) / 2).clamp(-reach, reach) / stride
    grown = 1 + tracking.scale_damping * trust * (grown - 1)
    place = (torch.zeros_like(best), middle[:, 0], middle[:, 1])
    return Peaks(*place, score[:, 0], *peak_shape(responses), grown)
