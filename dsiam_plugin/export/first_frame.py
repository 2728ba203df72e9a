"""A tracker's first frame as a graph: the exemplar, and the units of later responses."""

from __future__ import annotations

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.export.response import NUMBER, Matcher, median, peak_shape
from dsiam_plugin.models.network import SiameseNet
from dsiam_plugin.models.onnx_embedding import Embedder, crop_input, feature_shapes
from dsiam_plugin.models.onnx_graph import Graph


def first_frame_graph(
    network: SiameseNet, config: TrackerConfig, precision: str = "float32"
) -> Graph:
    """From the first target and search crops to the state that does not change.

    Args:
        network: Float32, on the CPU.
        config: Of the tracker.
        precision: Of the embedding, see :class:`Embedder`.
    """
    graph = Graph()
    embedder = Embedder(network.backbone, network.layers, precision)
    shapes = feature_shapes(network, config.crop.exemplar_size)
    target = crop_input(graph, "target", 1, config.crop.exemplar_size)
    search = crop_input(graph, "search", 1, config.crop.search_size)
    exemplar = embedder.append(graph, target)
    responses = Matcher(graph, network, {}).correlate(exemplar, embedder.append(graph, search))
    size = network.response_size
    calibration = {}
    if config.fusion.balance:
        calibration = {layer: _unit_height(graph, item, size) for layer, item in responses.items()}
    fused = Matcher(graph, network, calibration).fuse(responses)
    height, _ = peak_shape(graph, graph.op("Reshape", fused, [1, size, size]), size)
    for layer in network.layers:
        graph.output(f"exemplar.{layer}", exemplar[layer], shapes[layer])
    for layer, value in calibration.items():
        graph.output(f"calibration.{layer}", value, (2,))
    graph.output("first_height", graph.op("Reshape", height, NUMBER), NUMBER)
    return graph


def _unit_height(graph: Graph, response: str, size: int) -> str:
    """Affine map (2,) of a response's peak to one and its background, the median, to zero."""
    op = graph.op
    background = median(graph, op("Reshape", response, [-1]), size * size)
    height = op("Sub", op("ReduceMax", response, keepdims=0), background)
    # A flat first response has no unit.
    scale = op("Where", op("Greater", height, 0.0), op("Div", 1.0, height), 1.0)
    offset = op("Neg", op("Mul", background, scale))
    return op("Concat", op("Reshape", scale, NUMBER), op("Reshape", offset, NUMBER), axis=0)
