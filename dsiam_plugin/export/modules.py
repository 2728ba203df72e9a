"""A tracker's frames as modules of features and state, the drivers of the core that are exported.

The caller cuts the crops and keeps the geometry (centre, size, search side). All else that a
target has is the state: tensors that come out as ``next.NAME`` and go in as ``NAME`` with the next
frame. One call is one frame: V, and W where it is learnt from a crop, are learnt at the start of
the next call, from what was cut around the box that this call found.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.core import rules, step
from dsiam_plugin.core.response import fixed
from dsiam_plugin.core.spectra import PAIRS
from dsiam_plugin.core.state import Features, Target
from dsiam_plugin.core.transforms import bright
from dsiam_plugin.models.network import SiameseNet

Values = Mapping[str, Features]  # by name, then by layer; "" for what is not by layer


class FirstFrame(nn.Module):
    """From features of the first frame to the state that does not change.

    Args:
        network: Gives layers, fusion maps and affine adjust.
        config: Of the tracker.
    """

    def __init__(self, network: SiameseNet, config: TrackerConfig):
        super().__init__()
        self.config, self.numbers = config, network.numbers(config)

    def forward(self, values: Values) -> dict[str, dict[str, Tensor]]:
        """State by name; ``values`` are ``target`` and ``search``, see :class:`Frame`."""
        target = _placed(values["target"], self.config)
        x_feat = {layer: item[None] for layer, item in values["search"].items()}
        target = step.measure(target, x_feat, self.numbers, self.config, PAIRS)
        return {
            "exemplar": dict(target.exemplar),
            "calibration": {layer: item[0] for layer, item in target.units.items()},
            "first_height": {"": target.first_height},
        }


class Frame(nn.Module):
    """From features and state to what the frame shows, and the state that the next one needs.

    Args:
        network: Gives layers, fusion maps and affine adjust.
        config: Of the tracker.
    """

    def __init__(self, network: SiameseNet, config: TrackerConfig):
        super().__init__()
        self.config, self.numbers = config, network.numbers(config)
        self.fixed = fixed(config, network.response_size)
        sigma = config.transform.saliency_sigma * config.crop.search_size
        self.cells = network.stride, network.backbone.levels, sigma

    def forward(self, values: Values) -> dict[str, dict[str, Tensor]]:
        """What docs/export.md lists as outputs of a step, by name.

        Args:
            values: Inputs of a step by name, crops by their features: ``search`` (S, C, H, W),
                ``target`` (1, C, h, w), ``background`` (2, C, H, W), the second with the map.
        """
        transform = self.config.transform
        target = self._state(values)
        latest, pairs = values.get("target"), None
        if "background" in values:
            pairs = {layer: (both[:1], both[1:]) for layer, both in values["background"].items()}
        if latest or pairs:
            trusted = values["trusted"][""] > 0.5
            target = self._adapted(target, latest, pairs, trusted)
        x_feat = {layer: item[None] for layer, item in values["search"].items()}
        seen = (self.numbers, self.config, self.fixed, PAIRS)
        peaks, responses = step.observe(target, x_feat, *seen)
        verdict = rules.judge(target, peaks, self.config)
        if transform.suppression and not pairs:
            pairs = bright(x_feat, peaks, *self.cells)
            target = self._adapted(target, None, pairs, verdict.learns)
        target = rules.settle(target, peaks, verdict, self.fixed, self.config)
        found = {
            "peak": {"": torch.cat([item.float() for item in peaks])},
            "responses": {"": responses[0, :, :1]},
            "lost": {"": verdict.lost.float()},
        }
        if transform.suppression:
            found["next.suppression"] = dict(target.suppression)
        if latest:
            found |= {"next.template": dict(target.template), "next.mean": dict(target.mean)}
        if transform.suppression:
            found["next.suppressing"] = {"": target.suppressing.float()}
        if transform.adaptive:
            found["next.trusted"] = {"": verdict.learns.float()}
        return found

    def _state(self, values: Values) -> Target:
        """The target of the inputs; where it is, which is not among them, is anywhere."""
        target = _placed(values["exemplar"], self.config)
        units = values.get("calibration", {})
        target = target._replace(
            first_height=values["first_height"][""],
            units={layer: item[None] for layer, item in units.items()},
            template=values.get("template", target.template),
            mean=values.get("mean", target.mean),
            suppression=values.get("suppression", {}),
        )
        if not target.suppression:
            return target
        return target._replace(suppressing=values["suppressing"][""] > 0.5)

    def _adapted(
        self,
        target: Target,
        latest: Features | None,
        pairs: Mapping[str, tuple[Tensor, Tensor]] | None,
        learns: Tensor,
    ) -> Target:
        return step.adapt(target, latest, pairs, learns, self.numbers, self.config, PAIRS)


def _placed(exemplar: Features, config: TrackerConfig) -> Target:
    """A target of these features somewhere: no output depends on where."""
    place, color = torch.ones(1, 2, dtype=torch.float64), torch.zeros(1, 3)
    return step.first_target(place, place, color, exemplar, config.crop)
