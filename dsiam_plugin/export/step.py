"""A tracker's frame as a graph: everything between cutting crops and moving the box.

The caller cuts the crops and keeps the geometry (centre, size, search side). All else that a
target has is the graph's state: tensors that come out as ``next.NAME`` and go in as ``NAME`` with
the next frame. One call is one frame: V, and W where it is learnt from a crop, are learnt at the
start of the next call, from what was cut around the box that this call found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from onnx import TensorProto

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.export.response import NUMBER, Matcher, PeakValues, locate
from dsiam_plugin.export.transforms import LayerTransform, lerp
from dsiam_plugin.models.network import SiameseNet
from dsiam_plugin.models.onnx_embedding import Embedder, crop_input, feature_shapes
from dsiam_plugin.models.onnx_graph import Graph
from dsiam_plugin.trackers.adaptation import saliency_map

Values = Mapping[str, str]  # layer to the name of its value


@dataclass(frozen=True)
class Target:
    """Names of what is known of the target; mappings are empty where a tracker has no such part.

    Shapes: exemplar, template and mean (1, C_l, h_l, w_l); spectra as in
    :mod:`dsiam_plugin.export.fourier`; calibrations (2,); the rest (1,).

    Attributes:
        exemplar: Features of the first target crop.
        template: The exemplar after V.
        mean: Running mean of target features.
        suppression: Spectra of W.
        suppressing: 1 where W has been learnt, else 0; None without W.
        calibration: Affine map of each layer's response.
        first_height: Height of the first frame's peak over its background.
        trusted: 1 if the last frame may be learnt from, else 0; None if nothing is learnt.
    """

    exemplar: Values
    template: Values
    mean: Values
    suppression: Values
    suppressing: str | None
    calibration: Values
    first_height: str
    trusted: str | None


class StepGraph:
    """Builds the graph of a frame.

    Args:
        network: Float32, on the CPU.
        config: Of the tracker.
        precision: Of the embedding, see :class:`Embedder`.
    """

    def __init__(self, network: SiameseNet, config: TrackerConfig, precision: str = "float32"):
        self.graph = Graph()
        self.network, self.config, self.transform = network, config, config.transform
        self.embedder = Embedder(network.backbone, network.layers, precision)
        self.z_shapes = feature_shapes(network, config.crop.exemplar_size)
        self.x_shapes = feature_shapes(network, config.crop.search_size)
        self.learns_template = self.transform.variation or self.transform.replace_template
        # One set of constants a layer and size; none where they are not used.
        self.on_target = self._transforms(self.z_shapes) if self.learns_template else {}
        self.on_search = self._transforms(self.x_shapes) if self.transform.suppression else {}

    def build(self) -> Graph:
        """The graph; docs/export.md lists its inputs and outputs."""
        crop = self.config.crop
        search = crop_input(self.graph, "search", self.config.tracking.scales, crop.search_size)
        target = self._declare_state()
        if self.learns_template:
            target = self._with_variation(target)
        if self.transform.suppression and self.transform.background != "search":
            target = self._with_suppression(target, self._cut_background(), target.trusted)
        x_feat = self.embedder.append(self.graph, search)
        responses, deciding = self._responses(target, x_feat)
        size = self.network.response_size
        peak = locate(self.graph, responses, deciding, size, self.config.tracking)
        lost = self._is_lost(peak, target.first_height)
        self._output_findings(peak, responses, lost)
        if self.transform.adaptive:
            self._output_state(self._adapted(target, x_feat, peak, lost))
        return self.graph

    def _transforms(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, LayerTransform]:
        return {
            layer: LayerTransform(self.graph, layer, shape[-2:], self.transform)
            for layer, shape in shapes.items()
        }

    def _declare_state(self) -> Target:
        exemplar = self._declare("exemplar", self.z_shapes)
        learns_v, learns_w = self.learns_template, self.transform.suppression
        pairs = {layer: (2,) for layer in self.network.layers}
        spectra = {
            layer: (1, self.x_shapes[layer][1], *item.dft.shape)
            for layer, item in self.on_search.items()
        }
        return Target(
            exemplar=exemplar,
            template=self._declare("template", self.z_shapes) if learns_v else exemplar,
            mean=self._declare("mean", self.z_shapes) if learns_v else {},
            suppression=self._declare("suppression", spectra),
            suppressing=self.graph.input("suppressing", NUMBER) if learns_w else None,
            calibration=self._declare("calibration", pairs) if self.config.fusion.balance else {},
            first_height=self.graph.input("first_height", NUMBER),
            trusted=self.graph.input("trusted", NUMBER) if self.transform.adaptive else None,
        )

    def _declare(self, name: str, shapes: Mapping[str, tuple[int, ...]]) -> Values:
        return {
            layer: self.graph.input(f"{name}.{layer}", shape) for layer, shape in shapes.items()
        }

    def _with_variation(self, target: Target) -> Target:
        """V learnt from the crop around the last frame's box, where that frame is trusted."""
        crop = crop_input(self.graph, "target", 1, self.config.crop.exemplar_size)
        latest = self.embedder.append(self.graph, crop)
        mean, template = {}, {}
        for layer, transform in self.on_target.items():
            average = lerp(self.graph, latest[layer], target.mean[layer], self.transform.memory)
            learnt = transform.learn_variation(target.exemplar[layer], average)
            mean[layer] = self._where(target.trusted, average, target.mean[layer])
            template[layer] = self._where(target.trusted, learnt, target.template[layer])
        return replace(target, mean=mean, template=template)

    def _cut_background(self) -> dict[str, tuple[str, str]]:
        """Features of G and of G x saliency from the crop around the last frame's box."""
        op, size = self.graph.op, self.config.crop.search_size
        crop = crop_input(self.graph, "background", 1, size)
        weights = saliency_map(size, self.transform)
        dimmed = op("Round", op("Mul", op("Cast", crop, to=TensorProto.FLOAT), weights))
        both = op("Concat", crop, op("Cast", dimmed, to=TensorProto.UINT8), axis=0)
        pairs = self.embedder.append(self.graph, both)
        return {
            layer: (op("Gather", pair, [0]), op("Gather", pair, [1]))
            for layer, pair in pairs.items()
        }

    def _with_suppression(
        self, target: Target, pairs: Mapping[str, tuple[str, str]], trusted: str
    ) -> Target:
        """W learnt from features of G and G x saliency, where the frame is trusted."""
        spectra = {
            layer: self._where(
                trusted, transform.learn_suppression(*pairs[layer]), target.suppression[layer]
            )
            for layer, transform in self.on_search.items()
        }
        suppressing = self.graph.op("Max", target.suppressing, trusted)
        return replace(target, suppression=spectra, suppressing=suppressing)

    def _responses(self, target: Target, x_feat: Values) -> tuple[str, str]:
        """Responses (S, 1, m, m), and those that choose the scale."""
        matcher = Matcher(self.graph, self.network, target.calibration)
        shown = {
            layer: transform.suppress(target.suppression[layer], x_feat[layer], target.suppressing)
            for layer, transform in self.on_search.items()
        }
        responses = matcher.fuse(matcher.correlate(target.template, shown or x_feat))
        if not (self.transform.anchor_scale and self.transform.adaptive):
            return responses, responses
        own = matcher.fuse(matcher.correlate(target.exemplar, x_feat))
        return responses, self.graph.op("Mul", self.graph.op("Add", responses, own), 0.5)

    def _is_lost(self, peak: PeakValues, first_height: str) -> str:
        """Boolean (1,)."""
        op, tracking = self.graph.op, self.config.tracking
        lost = op("Less", peak.height, op("Mul", first_height, tracking.lost_height))
        if tracking.lost_below is None:
            return lost
        return op("Or", lost, op("LessOrEqual", peak.score, tracking.lost_below))

    def _adapted(self, target: Target, x_feat: Values, peak: PeakValues, lost: str) -> Target:
        """What is known after the frame; a loss switches V and W off where it is acted on."""
        op, transform = self.graph.op, self.transform
        floor = op("Mul", target.first_height, transform.min_confidence)
        trusted = op(
            "And",
            op("LessOrEqual", peak.ambiguity, transform.max_ambiguity),
            op("GreaterOrEqual", peak.height, floor),
        )
        if transform.gate:
            trusted = op("And", trusted, op("Not", lost))
        target = replace(target, trusted=op("Cast", trusted, to=TensorProto.FLOAT))
        if transform.suppression and transform.background == "search":
            pairs = self._found_background(x_feat, peak)
            target = self._with_suppression(target, pairs, target.trusted)
        return self._switched_off(target, lost) if transform.gate else target

    def _found_background(self, x_feat: Values, peak: PeakValues) -> dict[str, tuple[str, str]]:
        """Features of the winning search region, and those times the map around the target."""
        op, levels = self.graph.op, self.network.backbone.levels
        sigma = self.transform.saliency_sigma * self.config.crop.search_size
        offset = [op("Mul", cells, float(self.network.stride)) for cells in (peak.dx, peak.dy)]
        pairs = {}
        for layer, transform in self.on_search.items():
            found = op("Gather", x_feat[layer], op("Reshape", peak.scale, [1]))
            dimmed = transform.highlight(found, tuple(offset), levels[layer], sigma)
            pairs[layer] = (found, dimmed)
        return pairs

    def _switched_off(self, target: Target, lost: str) -> Target:
        if self.learns_template:
            template = {
                layer: self.graph.op("Where", lost, target.exemplar[layer], item)
                for layer, item in target.template.items()
            }
            target = replace(target, template=template)
        if target.suppressing is None:
            return target
        return replace(target, suppressing=self.graph.op("Where", lost, 0.0, target.suppressing))

    def _output_findings(self, peak: PeakValues, responses: str, lost: str) -> None:
        op, size = self.graph.op, self.network.response_size
        scale = op("Cast", peak.scale, to=TensorProto.FLOAT)
        fields = [op("Reshape", item, NUMBER) for item in (scale, *peak[1:])]
        self.graph.output("peak", op("Concat", *fields, axis=0), (len(fields),))
        shape = (self.config.tracking.scales, 1, size, size)
        self.graph.output("responses", responses, shape)
        self.graph.output("lost", op("Cast", lost, to=TensorProto.FLOAT), NUMBER)

    def _output_state(self, target: Target) -> None:
        groups = {"suppression": (target.suppression, self.x_shapes)}
        if self.learns_template:
            groups["template"] = (target.template, self.z_shapes)
            groups["mean"] = (target.mean, self.z_shapes)
        for name, (values, shapes) in groups.items():
            for layer, value in values.items():
                shape = shapes[layer]
                if name == "suppression":
                    shape = (1, shape[1], *self.on_search[layer].dft.shape)
                self.graph.output(f"next.{name}.{layer}", value, shape)
        if target.suppressing is not None:
            self.graph.output("next.suppressing", target.suppressing, NUMBER)
        self.graph.output("next.trusted", target.trusted, NUMBER)

    def _where(self, flag: str, yes: str, no: str) -> str:
        """``yes`` where the number is 1, ``no`` where it is 0."""
        return self.graph.op("Where", self.graph.op("Greater", flag, 0.5), yes, no)
