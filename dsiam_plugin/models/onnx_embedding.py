"""The embedding network as a graph: crops in, features of the levels in use out.

Crops are (S, H, W, 3) uint8 RGB as images are stored: a quarter of float32's bytes, and nothing is
left for the caller to get wrong.
"""

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto

from dsiam_plugin.errors import ConfigError
from dsiam_plugin.models.backbones import Backbone
from dsiam_plugin.models.box_head import Necks
from dsiam_plugin.models.layer_plan import Convolution, LayerPlan, MaxPool, layer_plan
from dsiam_plugin.models.onnx_graph import Graph
from dsiam_plugin.models.quantization import QuantizedConvolution, quantize_plan

PRECISIONS = ("float32", "int8")


class Embedder:
    """Appends the network to graphs, as often as they need it.

    Args:
        backbone: Float32 backbone with its weights, on the CPU.
        levels: Those in use.
        necks: Of a network that tells boxes.
        precision: ``float32``; or ``int8``: QuantizeLinear and DequantizeLinear around every
            convolution, which runtimes turn into integer convolutions.

    Raises:
        ConfigError: If the precision is unknown, or the backbone has no integer form.
    """

    def __init__(
        self,
        backbone: Backbone,
        levels: Sequence[str],
        precision: str = "float32",
        necks: Necks | None = None,
    ):
        if precision not in PRECISIONS:
            raise ConfigError(f"precision {precision!r}: expected {', '.join(PRECISIONS)}")
        self.plan: LayerPlan = layer_plan(backbone, levels)
        self.necks = (
            {} if necks is None else {k: item.detach().numpy() for k, item in necks.weights()}
        )
        self.steps = quantize_plan(self.plan) if precision == "int8" else self.plan.steps

    def append(self, graph: Graph, crops: str) -> dict[str, str]:
        """Features of crops (S, H, W, 3) uint8: level to (S, C_l, h_l, w_l) float32."""
        x = graph.op("Transpose", crops, perm=[0, 3, 1, 2])
        x = graph.op("Cast", x, to=TensorProto.FLOAT)
        if self.plan.mean is not None and self.plan.deviation is not None:
            x = graph.op("Sub", x, self.plan.mean.numpy())
            x = graph.op("Div", x, self.plan.deviation.numpy())
        features: dict[str, str] = {}
        for step in self.steps:
            if isinstance(step, MaxPool):
                size, stride = [step.size] * 2, [step.stride] * 2
                x = graph.op("MaxPool", x, kernel_shape=size, strides=stride)
                continue
            layer = step.layer if isinstance(step, QuantizedConvolution) else step
            x = _convolution(graph, *_operands(graph, x, step), layer)
            if layer.tap is not None:
                features[layer.tap] = x
        for level, weight in self.necks.items():
            features[level] = graph.op("Conv", features[level], weight, kernel_shape=[1, 1])
        return features

    def width(self, level: str) -> int:
        """Channels of a level's features."""
        if level in self.necks:
            return len(self.necks[level])
        layers = [step for step in self.plan.steps if isinstance(step, Convolution)]
        return next(len(layer.weight) for layer in layers if layer.tap == level)


def embedding_graph(embedder: Embedder) -> Graph:
    """Graph from ``crops`` (S, H, W, 3) uint8 to each level's features, all sizes but 3 free."""
    graph = Graph()
    crops = graph.input("crops", ("crops", "height", "width", 3), np.uint8)
    for level, value in embedder.append(graph, crops).items():
        shape = ("crops", embedder.width(level), f"{level}_height", f"{level}_width")
        graph.output(level, value, shape)
    return graph


def _operands(graph: Graph, x: str, step: Convolution | QuantizedConvolution) -> tuple[str, str]:
    """Input and weights of a convolution, rounded to 8 bits where it is one in integers."""
    if isinstance(step, Convolution):
        return x, graph.constant(step.weight.numpy())
    unit, zero = graph.constant(np.float32(step.step)), graph.constant(np.uint8(0))
    x = graph.op("DequantizeLinear", graph.op("QuantizeLinear", x, unit, zero), unit, zero)
    zeros = np.zeros(len(step.scale), np.int8)
    weight, scale = step.weight.numpy(), step.scale.numpy()
    return x, graph.op("DequantizeLinear", weight, scale, zeros, axis=0)


def _convolution(graph: Graph, x: str, weight: str, layer: Convolution) -> str:
    y = graph.op(
        "Conv",
        x,
        weight,
        layer.bias.numpy(),
        kernel_shape=list(layer.weight.shape[2:]),
        strides=[layer.stride] * 2,
        pads=[layer.padding] * 4,
        group=layer.groups,
    )
    return graph.op("Relu", y) if layer.relu else y
