"""From features to a peak in a graph: what :mod:`network` and :mod:`localize` compute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from onnx import TensorProto

from dsiam_plugin.config import TrackingConfig
from dsiam_plugin.export.transforms import lerp
from dsiam_plugin.models.network import SiameseNet
from dsiam_plugin.models.onnx_graph import Graph
from dsiam_plugin.trackers.localize import PEAK_RADIUS, cosine_window

NUMBER = (1,)  # shape of single numbers at the graph's border


class PeakValues(NamedTuple):
    """Names of the values of ``localize.Peak``; ``scale`` is int64 ()."""

    scale: str
    dx: str
    dy: str
    score: str
    height: str
    ambiguity: str


class Matcher:
    """Correlation, balance and fusion with a network's maps.

    Args:
        graph: Gets the operators.
        network: Gives layers, fusion maps and affine adjust.
        calibrations: Layer to the name of its affine map, (2,); empty for raw responses.
    """

    def __init__(self, graph: Graph, network: SiameseNet, calibrations: Mapping[str, str]):
        self.graph, self.network, self.calibrations = graph, network, calibrations

    def correlate(self, z_feat: Mapping[str, str], x_feat: Mapping[str, str]) -> dict[str, str]:
        """Responses (S, 1, m, m) of each layer, all of the finest one's size (eq. 1)."""
        return {
            layer: self._resized(self.graph.op("Conv", x_feat[layer], z_feat[layer]), layer)
            for layer in self.network.layers
        }

    def fuse(self, responses: Mapping[str, str]) -> str:
        """Fused and adjusted response, (S, 1, m, m) (eq. 9)."""
        op = self.graph.op
        terms = []
        for layer, response in responses.items():
            if layer in self.calibrations:
                factor, offset = (
                    op("Gather", self.calibrations[layer], index) for index in range(2)
                )
                response = op("Add", op("Mul", response, factor), offset)
            weights = self.network.get_buffer(f"fusion_{layer}")
            terms.append(op("Mul", response, weights.float().cpu().numpy()))
        total = op("Mul", op("Sum", *terms), self.network.scale)
        return op("Add", total, self.network.bias)

    def _resized(self, response: str, layer: str) -> str:
        """A coarser layer's response on the finest one's grid, corners aligned."""
        finest = min(self.network.backbone.levels[item] for item in self.network.layers)
        ratio = self.network.backbone.levels[layer] // finest
        if ratio == 1:
            return response
        size = self.network.response_size
        matrix = _bicubic((size - 1) // ratio + 1, size, align_corners=True)
        return _separable(self.graph, matrix, response)


def locate(
    graph: Graph, responses: str, deciding: str, size: int, config: TrackingConfig
) -> PeakValues:
    """Peak of responses (S, 1, size, size); see :func:`dsiam_plugin.trackers.localize.locate`."""
    op = graph.op
    factors = np.full(config.scales, config.scale_penalty, np.float32)
    factors[config.scales // 2] = 1
    fine = size * config.upsample
    enlarge = _bicubic(size, fine, align_corners=False)
    tops = op("ReduceMax", _separable(graph, enlarge, deciding), axes=[1, 2, 3], keepdims=0)
    scale = op("ArgMax", op("Mul", tops, factors), axis=0, keepdims=0)
    response = op("Gather", responses, scale)  # (1, m, m)
    fine_map = _separable(graph, enlarge, response)
    score = op("Mul", op("ReduceMax", fine_map, keepdims=0), op("Gather", factors, scale))
    row, column = _windowed_peak(graph, fine_map, fine, config)
    height, ambiguity = peak_shape(graph, response, size)
    dx, dy = (
        op("Div", op("Sub", index, (fine - 1) / 2), float(config.upsample))
        for index in (column, row)
    )
    return PeakValues(scale, dx, dy, score, height, ambiguity)


def median(graph: Graph, values: str, count: int) -> str:
    """Lower median () of values (count,)."""
    lower_half = graph.op("TopK", values, [(count - 1) // 2 + 1], largest=0, outputs=2)
    return graph.op("ReduceMax", lower_half, keepdims=0)


def peak_shape(graph: Graph, response: str, size: int) -> tuple[str, str]:
    """Height and ambiguity, () each, of a response (1, size, size)."""
    op = graph.op
    background = median(graph, op("Reshape", response, [-1]), size * size)
    height = op("Sub", op("ReduceMax", response, keepdims=0), background)
    row, column = _position(graph, response, size)
    cells = np.arange(size, dtype=np.float32)
    near = [
        op("LessOrEqual", op("Abs", op("Sub", along, position)), float(PEAK_RADIUS))
        for along, position in ((cells[:, None], row), (cells[None, :], column))
    ]
    others = op("Where", op("And", *near), background, response)
    second = op("Sub", op("ReduceMax", others, keepdims=0), background)
    rises = op("Greater", height, 0.0)
    return height, op("Where", rises, op("Div", second, height), 1.0)


def _windowed_peak(
    graph: Graph, fine_map: str, size: int, config: TrackingConfig
) -> tuple[str, str]:
    """Row and column, float32, of the peak of (1, size, size) under the Hann window."""
    op = graph.op
    floor = op("Sub", fine_map, op("ReduceMin", fine_map, keepdims=0))
    # A flat map has no mass to normalise; the window then decides alone.
    smallest = torch.finfo(torch.float32).tiny
    mass = op("Max", op("ReduceSum", floor, keepdims=0), smallest)
    window = graph.constant(cosine_window(size).numpy())
    mixed = lerp(graph, op("Div", floor, mass), window, config.window_influence)
    return _position(graph, mixed, size)


def _position(graph: Graph, maps: str, size: int) -> tuple[str, str]:
    """Row and column, float32 (), of the maximum of (1, size, size)."""
    flat = graph.op("ArgMax", graph.op("Reshape", maps, [-1]), axis=0, keepdims=0)
    row, column = graph.op("Div", flat, size), graph.op("Mod", flat, size)
    return tuple(graph.op("Cast", index, to=TensorProto.FLOAT) for index in (row, column))


def _separable(graph: Graph, matrix: np.ndarray, maps: str) -> str:
    """``M x M^T`` for maps x (..., m, m)."""
    return graph.op("MatMul", graph.op("MatMul", matrix, maps), np.ascontiguousarray(matrix.T))


def _bicubic(cells: int, size: int, *, align_corners: bool) -> np.ndarray:
    """Weights (size, cells) of bicubic resampling along one axis."""
    units = torch.eye(cells, dtype=torch.float64)[None, None]
    weights = F.interpolate(units, (size, cells), mode="bicubic", align_corners=align_corners)
    return weights[0, 0].float().numpy()
