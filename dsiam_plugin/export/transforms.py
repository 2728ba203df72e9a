"""V and W in a graph: :mod:`dsiam_plugin.trackers.adaptation` operator by operator."""

from __future__ import annotations

import numpy as np

from dsiam_plugin.config import TransformConfig, of_layer
from dsiam_plugin.export.fourier import Dft
from dsiam_plugin.models.onnx_graph import Graph
from dsiam_plugin.trackers.fourier import hann_window

# Norms below this are those of no features at all; float32 can still divide by it.
SMALLEST_NORM = 1e-20


class LayerTransform:
    """Transforms of one layer's features of one size.

    Args:
        graph: Gets the operators.
        layer: Name of the layer, where constants are given by layer.
        size: ``(height, width)`` of its features.
        config: Constants.
    """

    def __init__(self, graph: Graph, layer: str, size: tuple[int, int], config: TransformConfig):
        self.graph, self.layer, self.size, self.config = graph, layer, size, config
        self.dft = Dft(graph, *size)
        self._window = graph.constant(hann_window(size[1]).numpy()) if config.window else None

    def learn(self, source: str, target: str, regularizer: float) -> str:
        """Spectrum of the filter from source to target, both (1, C, H, W)."""
        elements = self.size[0] * self.size[1] if self.config.per_element else 1
        spectra = [self.dft.forward(self._windowed(features)) for features in (source, target)]
        return self.dft.solve(*spectra, regularizer * elements)

    def mix(self, spectrum: str, features: str, rate: float | str) -> str:
        """``(1 - rate) x + rate R * (h x)`` for features x, (S, C, H, W) (eq. 2)."""
        op = self.graph.op
        transformed = self.dft.product(spectrum, self.dft.forward(self._windowed(features)))
        moved = self.dft.inverse(transformed)
        if self.config.keep_norm:
            norm = op("Max", op("ReduceL2", moved, keepdims=0), SMALLEST_NORM)
            moved = op("Mul", moved, op("Div", op("ReduceL2", features, keepdims=0), norm))
        return lerp(self.graph, features, moved, rate)

    def learn_variation(self, exemplar: str, target: str) -> str:
        """The exemplar moved towards the target's present look (eq. 6)."""
        if self.config.replace_template:
            return target
        spectrum = self.learn(exemplar, target, of_layer(self.config.lambda_v, self.layer))
        return self.mix(spectrum, exemplar, of_layer(self.config.rate_v, self.layer))

    def learn_suppression(self, region: str, highlighted: str) -> str:
        """Spectrum of W from features of G and of G x saliency, (1, C, H, W) each (eq. 8)."""
        return self.learn(region, highlighted, of_layer(self.config.lambda_w, self.layer))

    def suppress(self, spectrum: str, features: str, active: str) -> str:
        """Features with W applied where ``active`` is 1, as they are where it is 0."""
        rate = self.graph.op("Mul", active, of_layer(self.config.rate_w, self.layer))
        return self.mix(spectrum, features, rate)

    def highlight(self, features: str, offset: tuple[str, str], stride: int, sigma: float) -> str:
        """Features times the Gaussian map around the target.

        Args:
            features: (1, C, H, W).
            offset: Target's displacement ``(dx, dy)`` from the middle, in px of the search crop.
            stride: Px of the search crop between neighbouring cells.
            sigma: Deviation of the map, in the same px.
        """
        dx, dy = offset
        height, width = self.size
        rows = self._bell(height, (height, 1), dy, stride, sigma)
        columns = self._bell(width, (1, width), dx, stride, sigma)
        return self.graph.op("Mul", features, self.graph.op("Mul", rows, columns))

    def _bell(
        self, size: int, shape: tuple[int, int], offset: str, stride: int, sigma: float
    ) -> str:
        op = self.graph.op
        cells = (np.arange(size) - (size - 1) / 2).reshape(shape)
        distance = op("Sub", cells, op("Div", offset, float(stride)))
        return op("Exp", op("Mul", op("Mul", distance, distance), -0.5 * (stride / sigma) ** 2))

    def _windowed(self, features: str) -> str:
        return features if self._window is None else self.graph.op("Mul", features, self._window)


def lerp(graph: Graph, start: str, end: str, weight: float | str) -> str:
    """``start + weight (end - start)``."""
    return graph.op("Add", start, graph.op("Mul", graph.op("Sub", end, start), weight))
