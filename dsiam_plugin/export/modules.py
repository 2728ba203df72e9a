"""A tracker's frames as modules of features and state, the drivers of the core that are exported.

The caller cuts the crops and keeps the geometry (centre, size, search side). All else that a
target has is the state: tensors that come out as ``next.NAME`` and go in as ``NAME`` with the next
frame. One call is one frame: V, and W where it is learnt from a crop, are learnt at the start of
the next call, from what was cut around the box that this call found.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.core import rules, step
from dsiam_plugin.core.boxes import VARIANTS
from dsiam_plugin.core.response import fixed
from dsiam_plugin.core.spectra import PORTABLE
from dsiam_plugin.core.state import Features, Target, winning
from dsiam_plugin.core.transforms import Pair, analyse, bright
from dsiam_plugin.models.network import SiameseNet

Values = Mapping[str, Features]  # by name, then by layer, which is "" for what has no layers


class Exported(nn.Module):
    """A part of a tracker from values to values.

    Args:
        network: Float32, on the CPU.
        config: Of the tracker.

    Attributes:
        inputs: Values of the right names and shapes, in the order of the file's.
    """

    def __init__(self, network: SiameseNet, config: TrackerConfig):
        super().__init__()
        self.config, self.numbers = config, network.numbers(config)
        self.inputs = self._inputs(network)

    def _inputs(self, network: SiameseNet) -> Values:
        raise NotImplementedError


class FirstFrame(Exported):
    """From features of the first frame to the state that does not change."""

    def _inputs(self, network: SiameseNet) -> Values:
        crop = self.config.crop
        return {
            "target": _features(network, 1 + _variants(self.config), crop.exemplar_size),
            "search": _features(network, 1, crop.search_size),
        }

    def forward(self, values: Values) -> Values:
        """Outputs of ``init`` in docs/export.md; ``values`` are features of the crops."""
        target = _somewhere(values["target"], self.config)
        x_feat = {layer: item[None] for layer, item in values["search"].items()}
        target = step.measure(target, x_feat, self.numbers, self.config, PORTABLE)
        return {
            "exemplar": dict(target.exemplar),
            "bank": {layer: item[0] for layer, item in target.bank.items()},
            "calibration": {layer: item[0] for layer, item in target.units.items()},
            "first_height": {"": target.first_height},
        }


class Frame(Exported):
    """From features and state to what the frame shows, and the state that the next one needs."""

    def __init__(self, network: SiameseNet, config: TrackerConfig):
        super().__init__(network, config)
        self.fixed = fixed(config, network.response_size)
        sigma = config.transform.saliency_sigma * config.crop.search_size
        self.cells = network.stride, network.backbone.levels, sigma

    def _inputs(self, network: SiameseNet) -> Values:
        return _frame_inputs(network, self.config)

    def forward(self, values: Values) -> Values:
        """Outputs of ``step`` in docs/export.md.

        Args:
            values: Its inputs; of crops their features, of ``background`` those of G and G x map.
        """
        transform, settings = self.config.transform, (self.numbers, self.config)
        target, latest, pairs = _state(values, self.config), values.get("target"), None
        if "background" in values:
            pairs = {k: Pair(both[:1], both[1:]) for k, both in values["background"].items()}
        if latest or pairs:
            trusted = values["trusted"][""] > 0.5
            target = step.adapt(target, latest, pairs, trusted, *settings, PORTABLE)
        x_feat = {layer: item[None] for layer, item in values["search"].items()}
        x_hat = analyse(x_feat, transform, PORTABLE) if transform.suppression else None
        peaks, responses = step.observe(target, x_feat, *settings, self.fixed, PORTABLE, x_hat)
        verdict = rules.judge(target, peaks, self.config)
        if x_hat and not pairs:
            region_hat = winning(x_hat, peaks)
            pairs = bright(winning(x_feat, peaks), peaks, *self.cells, region_hat)
            target = step.adapt(target, None, pairs, verdict.learns, *settings, PORTABLE)
        target = rules.settle(target, peaks, verdict, self.fixed, self.config)
        found = {
            "peak": {"": torch.cat([item.float().flatten() for item in peaks if item is not None])},
            "responses": {"": responses[0, :, :1]},
            "lost": {"": verdict.lost.float()},
            "next.suppression": dict(target.suppression),
            "next.template": dict(target.template),
            "next.mean": dict(target.mean),
            "next.suppressing": {"": target.suppressing.float()},
            "next.trusted": {"": verdict.learns.float()},
        }
        return {
            name: group
            for name, group in found.items()
            if name.removeprefix("next.") in values or not name.startswith("next.")
        }


def _frame_inputs(network: SiameseNet, config: TrackerConfig) -> Values:
    transform, number = config.transform, {"": torch.zeros(1)}
    exemplar = _features(network, 1, config.crop.exemplar_size)
    search = _features(network, config.tracking.scales, config.crop.search_size)
    learns_v = transform.variation or transform.replace_template
    inputs = {"search": search, "exemplar": exemplar}
    if learns_v:
        inputs |= {"template": exemplar, "mean": exemplar}
    if transform.suppression:
        spectra = {layer: PORTABLE.forward(item[:1]) for layer, item in search.items()}
        inputs |= {"suppression": spectra, "suppressing": number}
    if config.fusion.balance:
        inputs["calibration"] = {layer: torch.ones(2) for layer in search}
    inputs["first_height"] = number
    if config.model.box_head:
        bank = _features(network, _variants(config), config.crop.exemplar_size)
        inputs |= {"bank": bank, "shape": {"": torch.ones(2)}, "last": {"": torch.ones(2)}}
    if transform.adaptive:
        inputs["trusted"] = number
    if learns_v:
        inputs["target"] = exemplar
    if transform.suppression and transform.background != "search":
        inputs["background"] = _features(network, 2, config.crop.search_size)
    return inputs


def _state(values: Values, config: TrackerConfig) -> Target:
    """The target that the inputs describe."""
    target = _somewhere(values["exemplar"], config)
    units = values.get("calibration", {})
    target = target._replace(
        first_height=values["first_height"][""],
        units={layer: item[None] for layer, item in units.items()},
        template=values.get("template", target.template),
        mean=values.get("mean", target.mean),
        suppression=values.get("suppression", {}),
    )
    if "shape" in values:
        target = target._replace(bank={k: v[None] for k, v in values["bank"].items()})
        # A search window of one px a px: the last box in px of the search crop.
        side = torch.full((1,), float(config.crop.search_size), dtype=torch.float64)
        target = target._replace(
            shape=values["shape"][""][None], size=values["last"][""][None].double(), side=side
        )
    if "suppressing" in values:
        target = target._replace(suppressing=values["suppressing"][""] > 0.5)
    return target


def _somewhere(exemplar: Features, config: TrackerConfig) -> Target:
    """A target of these features anywhere: no output depends on its place and size."""
    pair = torch.ones(1, 2, dtype=torch.float64)
    exemplars = {layer: item[None] for layer, item in exemplar.items()}
    return step.first_target(pair, pair, torch.zeros(1, 3), exemplars, config.crop)


def _variants(config: TrackerConfig) -> int:
    """How many crops there are of the first target beside its exemplar."""
    return len(VARIANTS) if config.model.box_head else 0


def _features(network: SiameseNet, count: int, size: int) -> dict[str, Tensor]:
    """Features of black crops."""
    return network.embed(np.zeros((count, size, size, 3), np.uint8))
