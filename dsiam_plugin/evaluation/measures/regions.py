"""Overlap of VOT regions: rectangles, polygons and codes, counted in pixels.

Two libraries are in use and count differently, most of all for rectangles:

- `"pysot"`: the region library of TraX as pysot calls it. A rectangle x, y, w, h covers the pixels
  from x to x + w, both included; any code makes the overlap unknown (NaN).
- `"vot"`: the VOT toolkit's `vot.region`. The same rectangle covers w x h pixels; a code is an
  empty region, and two empty regions overlap by 1.

Both round corners to whole pixels and count within the image.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import Literal

import numpy as np

from dsiam_plugin.errors import BenchmarkError
from dsiam_plugin.evaluation.measures.raster import FillRule, count_pixels

Convention = Literal["pysot", "vot"]

CODE = 1  # numbers of a region that is only a code
RECTANGLE = 4
# Below this ratio of bounding boxes the region library calls the overlap 0 without counting.
_SMALLEST_RATIO = 1e-10
# Coordinates from here on count as not finite; single precision would overflow on them.
_TOO_LARGE = 1e30
_RULES = {"pysot": FillRule(False, False), "vot": FillRule(True, True)}


@dataclass(frozen=True)
class Regions:
    """A trajectory as arrays."""

    # How many numbers each region has, (n,): 1 a code, 4 a rectangle, else a polygon
    sizes: np.ndarray
    values: np.ndarray  # the numbers, (n, largest size) float64, NaN beyond a region's own

    @classmethod
    def pack(cls, trajectory: Sequence[Sequence[float]]) -> "Regions":
        """Regions of any mixture of sizes, one sequence of numbers each."""
        sizes = np.fromiter(map(len, trajectory), dtype=np.intp, count=len(trajectory))
        values = np.full((len(sizes), sizes.max(initial=CODE)), np.nan)
        numbers = np.fromiter(chain.from_iterable(trajectory), dtype=np.float64)
        values[np.arange(values.shape[1]) < sizes[:, None]] = numbers
        return cls(sizes, values)

    def __len__(self) -> int:
        return len(self.sizes)

    def has_code(self, code: int) -> np.ndarray:
        """Which regions are this code, (n,) bool."""
        return (self.sizes == CODE) & (self.values[:, 0] == code)

    def take(self, which: np.ndarray | slice) -> "Regions":
        """Some of the regions: a slice, indices (m,) or a mask (n,) of bool."""
        return Regions(self.sizes[which], self.values[which])

    def equal(self, other: "Regions") -> bool:
        """True where both hold the same numbers."""
        return np.array_equal(self.sizes, other.sizes) and np.array_equal(
            self.values, other.values, equal_nan=True
        )

    def reach_beyond(self, bounds: tuple[float, float]) -> np.ndarray:
        """Which regions have a point right of or below the bounds, (n,) bool; codes have none."""
        x, y = self.values[:, 0::2].copy(), self.values[:, 1::2].copy()
        rectangle = self.sizes == RECTANGLE
        x[rectangle, 1:2] += x[rectangle, 0:1]
        y[rectangle, 1:2] += y[rectangle, 0:1]
        # Single precision, as corners are counted in: a point must not round across the bound.
        beyond_x, beyond_y = x.astype(np.float32) > bounds[0], y.astype(np.float32) > bounds[1]
        return np.asarray(np.concatenate((beyond_x, beyond_y), axis=1).any(axis=1))


def region_overlaps(
    predictions: Regions,
    truths: Regions,
    bounds: tuple[float, float],
    convention: Convention = "pysot",
) -> np.ndarray:
    """Overlap of each prediction with its truth.

    A prediction that is not finite misses its target: overlap 0. A truth that is not finite counts
    as a code.

    Args:
        predictions: n regions.
        truths: n regions.
        bounds: Pixels beyond are not counted; `"pysot"`: largest x and y, `"vot"`: image width
            and height.
        convention: Whose way of counting.

    Returns:
        (n,) float64 in [0, 1]; with `"pysot"` NaN where a region is a code.

    Raises:
        BenchmarkError: The lists differ in length, or a region is not a code, x, y, w, h or a
            polygon of three corners and more.
    """
    if len(predictions) != len(truths):
        raise BenchmarkError(f"{len(predictions)} predictions for {len(truths)} annotated regions")
    for regions in (predictions, truths):
        _check_sizes(regions.sizes)
    overlaps = np.full(len(truths), np.nan)
    found_sizes, wanted_sizes = _finite_sizes(predictions), _finite_sizes(truths)
    kinds = [np.unique(sizes) for sizes in (found_sizes, wanted_sizes)]
    for found_size, wanted_size in product(*kinds):
        chosen = np.flatnonzero((found_sizes == found_size) & (wanted_sizes == wanted_size))
        if len(chosen) == 0:
            continue
        found = predictions.values[chosen, :found_size]
        wanted = truths.values[chosen, :wanted_size]
        overlaps[chosen] = _OVERLAPS[convention](found, wanted, bounds)
    missed = (predictions.sizes != CODE) & (found_sizes == CODE) & (wanted_sizes != CODE)
    overlaps[missed] = 0
    return overlaps


def _check_sizes(sizes: np.ndarray) -> None:
    known = (sizes == CODE) | (sizes == RECTANGLE) | ((sizes > RECTANGLE) & (sizes % 2 == 0))
    if not known.all():
        frame = int(np.argmin(known))
        raise BenchmarkError(
            f"region {frame} has {sizes[frame]} numbers, expected a code, x,y,w,h or a polygon"
        )


def _finite_sizes(regions: Regions) -> np.ndarray:
    """Numbers of each region, those with NaN or infinity counted as codes."""
    beyond = np.arange(regions.values.shape[1]) >= regions.sizes[:, None]
    finite = ((np.abs(regions.values) < _TOO_LARGE) | beyond).all(axis=1)
    return np.where(finite, regions.sizes, CODE)


def _pysot_overlaps(
    predictions: np.ndarray, truths: np.ndarray, bounds: tuple[float, float]
) -> np.ndarray:
    """Overlap of regions of equal sizes, (n, size1) and (n, size2), as the region library has it.

    The library computes in single precision; so does this, where rounding could show.
    """
    overlaps = np.full(len(truths), np.nan)
    if CODE in (predictions.shape[1], truths.shape[1]):
        return overlaps
    first, second = _pysot_corners(predictions), _pysot_corners(truths)
    low1, high1 = _pysot_box(first, bounds)
    low2, high2 = _pysot_box(second, bounds)
    origin = np.minimum(low1, low2)
    size = np.trunc(np.maximum(high1, high2) - origin).astype(np.float64) + 1
    apart = _pysot_apart(low1, high1, low2, high2) | (size < 1).any(axis=0)
    overlaps[apart] = 0
    counted = np.flatnonzero(~apart)
    if len(counted):
        shift = origin[:, None, counted]
        one, other = (_round_away(both[..., counted] - shift) for both in (first, second))
        width, height = size[:, counted]
        both, either = count_pixels(one, other, width, height, _RULES["pysot"])
        overlaps[counted] = np.divide(
            both, either, out=np.full(len(both), np.nan), where=either > 0
        )
    return overlaps


def _pysot_corners(values: np.ndarray) -> np.ndarray:
    """Corners, (2, K, n) float32; a rectangle's far corner is x + w, y + h."""
    if values.shape[1] == RECTANGLE:
        x, y, w, h = values.T
        return _rectangle(x, y, x + w, y + h).astype(np.float32)
    return _polygon(values).astype(np.float32)


def _pysot_box(corners: np.ndarray, bounds: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Whole-pixel bounding boxes within the image: lower and upper corner, (2, n) float32."""
    low = np.maximum(np.floor(corners.min(axis=1)), 0)
    return low, np.minimum(
        np.ceil(corners.max(axis=1)), np.array(bounds, dtype=np.float32)[:, None]
    )


def _pysot_apart(
    low1: np.ndarray, high1: np.ndarray, low2: np.ndarray, high2: np.ndarray
) -> np.ndarray:
    """Pairs that the library gives overlap 0 from their bounding boxes alone, (n,) bool."""
    area1 = np.prod(high1 - low1, axis=0, dtype=np.float64)
    area2 = np.prod(high2 - low2, axis=0, dtype=np.float64)
    shared = np.minimum(high1, high2) - np.maximum(low1, low2)
    common = np.prod(shared, axis=0, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        uneven = (area1 / area2 < _SMALLEST_RATIO) | (area2 / area1 < _SMALLEST_RATIO)
        return uneven | (common / (area1 + area2 - common) <= 0)


def _round_away(values: np.ndarray) -> np.ndarray:
    """Nearest whole number, halves away from zero as C's `round` does; float64."""
    values = values.astype(np.float64)
    return np.trunc(values + np.copysign(0.5, values))


def _vot_overlaps(
    predictions: np.ndarray, truths: np.ndarray, bounds: tuple[float, float]
) -> np.ndarray:
    """Overlap of regions of equal sizes, (n, size1) and (n, size2), as `vot.region` has it."""
    first, second = _vot_corners(predictions), _vot_corners(truths)
    low1, high1, filled1 = _vot_box(first, predictions.shape[1])
    low2, high2, filled2 = _vot_box(second, truths.shape[1])
    low, high = np.minimum(low1, low2), np.maximum(high1, high2)
    overlaps = np.where((low >= high).any(axis=0), 1.0, 0.0)
    low, high = np.maximum(low, 0), np.minimum(high, np.subtract(bounds, 1)[:, None])
    counted = np.flatnonzero((overlaps == 0) & filled1 & filled2 & (low < high).all(axis=0))
    if len(counted):
        width, height = (high - low + 1)[:, counted]
        one, other = (both[..., counted] - low[:, None, counted] for both in (first, second))
        both, either = count_pixels(one, other, width, height, _RULES["vot"])
        overlaps[counted] = both / np.maximum(either, 1)
    return overlaps


def _vot_corners(values: np.ndarray) -> np.ndarray:
    """Whole-pixel corners, (2, K, n) float64; a rectangle's far corner is x + w - 1, y + h - 1."""
    if values.shape[1] == CODE:
        return np.zeros((2, 1, len(values)))
    rounded = np.round(values.astype(np.float32)).astype(np.float64)
    if values.shape[1] == RECTANGLE:
        x, y, w, h = rounded.T
        return _rectangle(x, y, x + w - 1, y + h - 1)
    return _polygon(rounded)


def _vot_box(corners: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower and upper corner, (2, n), and which regions hold any pixel, (n,) bool.

    An empty rectangle's upper corner lies before its lower one, which the toolkit leaves so.
    """
    if size == RECTANGLE:
        low, high = corners[:, 0], corners[:, 2]
        return low, high, np.asarray((high >= low).all(axis=0))
    filled = np.full(corners.shape[2], size != CODE)
    return corners.min(axis=1), corners.max(axis=1), filled


def _rectangle(
    left: np.ndarray, top: np.ndarray, right: np.ndarray, bottom: np.ndarray
) -> np.ndarray:
    """Corners clockwise from the upper left, (2, 4, n)."""
    return np.stack((np.stack((left, right, right, left)), np.stack((top, top, bottom, bottom))))


def _polygon(values: np.ndarray) -> np.ndarray:
    """x1, y1, ..., xK, yK in rows, (n, 2K), as (2, K, n)."""
    return np.ascontiguousarray(values.T.reshape(-1, 2, len(values)).swapaxes(0, 1))


_OVERLAPS = {"pysot": _pysot_overlaps, "vot": _vot_overlaps}
