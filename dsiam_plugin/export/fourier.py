"""Transforms in the Fourier domain without a Fourier operator: the DFT as matrix products.

A half spectrum of maps (..., H, W) is one real tensor (..., 2 H, K), K = W // 2 + 1: H rows of real
parts above H rows of imaginary parts. Runtimes need nothing but MatMul for it, and for maps of 24
cells it is as fast as an FFT.
"""

from __future__ import annotations

import numpy as np

from dsiam_plugin.models.onnx_graph import Graph

ROWS = -2  # axis


class Dft:
    """Discrete Fourier transforms of real maps (..., height, width) in a graph."""

    def __init__(self, graph: Graph, height: int, width: int):
        self.graph = graph
        self.height = height
        half = width // 2 + 1
        self.shape = (2 * height, half)  # of a half spectrum
        angles = 2 * np.pi * np.outer(np.arange(width), np.arange(half)) / width
        cosine, sine = np.cos(angles), np.sin(angles)
        # Every column of the half spectrum but the first, and the last of an even width, stands
        # for its mirror image too.
        twice = np.where(2 * np.arange(half) % width == 0, 1, 2)
        turns = 2 * np.pi * np.outer(np.arange(height), np.arange(height)) / height
        columns = np.block([[np.cos(turns), np.sin(turns)], [-np.sin(turns), np.cos(turns)]])
        self._cosine, self._sine = graph.constant(cosine), graph.constant(-sine)
        self._columns = graph.constant(columns)
        self._columns_back = graph.constant(columns.T / height)
        self._cosine_back = graph.constant((twice * cosine).T / width)
        self._sine_back = graph.constant((-twice * sine).T / width)

    def forward(self, maps: str) -> str:
        """Half spectrum (..., 2 H, K) of maps (..., H, W)."""
        op = self.graph.op
        rows = op(
            "Concat", op("MatMul", maps, self._cosine), op("MatMul", maps, self._sine), axis=ROWS
        )
        return op("MatMul", self._columns, rows)

    def inverse(self, spectrum: str) -> str:
        """Maps (..., H, W) of a half spectrum (..., 2 H, K)."""
        op = self.graph.op
        real, imaginary = self._parts(op("MatMul", self._columns_back, spectrum))
        return op(
            "Add", op("MatMul", real, self._cosine_back), op("MatMul", imaginary, self._sine_back)
        )

    def product(self, first: str, second: str) -> str:
        """Spectrum of the circular convolution of two maps, from their spectra."""
        op = self.graph.op
        (a, b), (c, d) = self._parts(first), self._parts(second)
        real = op("Sub", op("Mul", a, c), op("Mul", b, d))
        imaginary = op("Add", op("Mul", a, d), op("Mul", b, c))
        return op("Concat", real, imaginary, axis=ROWS)

    def solve(self, source: str, target: str, regularizer: float) -> str:
        """Spectrum of the filter that maps source to target (eq. 6, 8), from their spectra."""
        op = self.graph.op
        (a, b), (c, d) = self._parts(source), self._parts(target)
        power = op("Add", op("Mul", a, a), op("Mul", b, b))
        power = op("Add", power, regularizer)
        real = op("Add", op("Mul", a, c), op("Mul", b, d))
        imaginary = op("Sub", op("Mul", a, d), op("Mul", b, c))
        return op("Concat", op("Div", real, power), op("Div", imaginary, power), axis=ROWS)

    def _parts(self, spectrum: str) -> tuple[str, str]:
        """Real and imaginary parts, (..., H, K) each."""
        height = self.height
        return (
            self.graph.op("Slice", spectrum, [0], [height], [ROWS]),
            self.graph.op("Slice", spectrum, [height], [2 * height], [ROWS]),
        )
