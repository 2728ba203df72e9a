"""Pixel counts of two polygons filled by scan lines, many pairs at once.

The official region libraries fill a polygon row by row: every edge that touches the row gives a
crossing, whole pixels towards zero; the sorted crossings are taken in pairs and filled, both ends
included. Counting needs no mask: two sorted lists of runs a row are enough. Convex quadrilaterals
(nearly all annotations and results) have one run a row and go a shorter way than the rest.

Legend: n pairs, K corners, R rows of all pairs' windows one after the other. Coordinates are whole
pixels relative to the pair's window, held as float64, so no size overflows.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

QUAD = 4
# Rows handled at once: the dozen working arrays of a block stay in the processor's cache.
_BLOCK_ROWS = 16384


@dataclass(frozen=True)
class FillRule:
    """Where the two region libraries fill differently.

    Attributes:
        horizontal_edges: A horizontal edge adds a crossing of its own.
        lone_pixels: A row whose last two crossings coincide is filled there with one pixel.
    """

    horizontal_edges: bool
    lone_pixels: bool


@dataclass(frozen=True)
class _Rows:
    """The rows of all windows, flattened."""

    starts: np.ndarray  # (n,) first flat row of each pair
    pair: np.ndarray  # (R,) index of the row's pair
    y: np.ndarray  # (R,) row in its window
    last: np.ndarray  # (R,) last column of the window


def count_pixels(
    first: np.ndarray, second: np.ndarray, width: np.ndarray, height: np.ndarray, rule: FillRule
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels in both polygons and in either, within each pair's window.

    Args:
        first: Corners of n polygons, (n, K1, 2), whole numbers relative to the window.
        second: Their partners, (n, K2, 2).
        width: Columns of each window, (n,), at least 1.
        height: Rows of each window, (n,), at least 1.
        rule: How the library in question fills.

    Returns:
        Intersection and union, (n,) each, in pixels.
    """
    counts = np.zeros((2, len(first)))
    convex = are_convex(first) & are_convex(second)
    for chosen, spans in ((convex, _convex_spans), (~convex, _general_spans)):
        index = np.flatnonzero(chosen)
        for block in _blocks(index, height):
            rows = _flatten(width[block], height[block])
            runs = [spans(corners[block], rows, rule) for corners in (first, second)]
            counts[:, block] = _count(*runs, rows)
    return counts[0], counts[1]


def are_convex(corners: np.ndarray) -> np.ndarray:
    """Which polygons are quadrilaterals that turn the same way at every corner, (n,) bool."""
    if corners.shape[1] != QUAD:
        return np.zeros(len(corners), dtype=bool)
    edges = np.roll(corners, -1, axis=1) - corners
    following = np.roll(edges, -1, axis=1)
    turns = edges[..., 0] * following[..., 1] - edges[..., 1] * following[..., 0]
    return (turns > 0).all(axis=1) | (turns < 0).all(axis=1)


def _blocks(index: np.ndarray, height: np.ndarray) -> Iterator[np.ndarray]:
    """Split pairs so that a block has about `_BLOCK_ROWS` rows."""
    total = np.cumsum(height[index])
    cuts = np.flatnonzero(np.diff(total // _BLOCK_ROWS)) + 1
    return (block for block in np.split(index, cuts) if len(block))


def _flatten(width: np.ndarray, height: np.ndarray) -> _Rows:
    heights = height.astype(np.intp)
    ends = np.cumsum(heights)
    pair = np.repeat(np.arange(len(heights)), heights)
    y = np.arange(ends[-1]) - np.repeat(ends - heights, heights)
    return _Rows(ends - heights, pair, y.astype(np.float64), np.repeat(width - 1, heights))


def _convex_spans(
    corners: np.ndarray, rows: _Rows, rule: FillRule
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The one run a row of convex quadrilaterals: from the falling to the rising side.

    Each side crosses a row once, so every edge writes the rows it touches straight into its side.
    """
    start = corners.reshape(-1, 2)
    step = np.roll(corners, 1, axis=1).reshape(-1, 2) - start  # to the corner before
    heights = np.diff(np.append(rows.starts, len(rows.y)))
    bottom = np.repeat(heights - 1, QUAD)
    top = np.maximum(np.minimum(start[:, 1], start[:, 1] + step[:, 1]), 0)
    end = np.minimum(np.maximum(start[:, 1], start[:, 1] + step[:, 1]), bottom)
    count = np.where(step[:, 1] != 0, np.maximum(end - top + 1, 0), 0).astype(np.intp)
    edge = np.flatnonzero(count)
    count = count[edge]
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    start, step, top = start[edge], step[edge], top[edge]
    offset = np.repeat(top - start[:, 1], count) + within
    crossing = offset / np.repeat(step[:, 1], count) * np.repeat(step[:, 0], count)
    crossing += np.repeat(start[:, 0], count)
    side = (step[:, 1] > 0) * len(rows.y)
    position = np.repeat(rows.starts[edge // QUAD] + top.astype(np.intp) + side, count) + within
    sides = np.full(2 * len(rows.y), np.inf)
    sides[position] = np.trunc(crossing)
    left, right = _sorted_pair(sides.reshape(2, -1))
    if not rule.lone_pixels:
        right[left == right] = -1
    return [_clip(left, right, rows)]


def _general_spans(
    corners: np.ndarray, rows: _Rows, rule: FillRule
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Up to K - 1 runs a row of any polygon; runs of a row never share a pixel."""
    crossings = np.sort(_crossings(corners, rows, rule), axis=0)
    beyond = np.full(len(rows.y), np.inf)
    filled_to = np.full(len(rows.y), -1.0)
    taken = np.zeros(len(rows.y), dtype=bool)  # the crossing already ended a run
    spans = []
    for number in range(len(crossings) - 1):
        left, right = crossings[number], crossings[number + 1]
        after = crossings[number + 2] if number + 2 < len(crossings) else beyond
        lone = (after == np.inf) if rule.lone_pixels else False
        taken = (right < np.inf) & ~taken & ((left != right) | lone)
        run = _clip(np.maximum(left, filled_to + 1), np.where(taken, right, -1), rows)
        filled_to = np.maximum(filled_to, run[1])
        spans.append(run)
    return spans


def _crossings(corners: np.ndarray, rows: _Rows, rule: FillRule) -> np.ndarray:
    """Where each edge crosses each row, (K, R), whole pixels; infinite where it does not."""
    crossings = np.full((corners.shape[1], len(rows.y)), np.inf)
    steps = np.roll(corners, 1, axis=1) - corners
    for edge, crossing in enumerate(crossings):
        x, y = corners[rows.pair, edge].T
        dx, dy = steps[rows.pair, edge].T
        touched = (np.minimum(y, y + dy) <= rows.y) & (rows.y <= np.maximum(y, y + dy))
        level = touched & (dy == 0)
        touched &= dy != 0
        offset = rows.y[touched] - y[touched]
        crossing[touched] = np.trunc(x[touched] + offset / dy[touched] * dx[touched])
        if rule.horizontal_edges:
            crossing[level] = x[level]
    return crossings


def _sorted_pair(pair: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.minimum(pair[0], pair[1]), np.maximum(pair[0], pair[1])


def _clip(left: np.ndarray, right: np.ndarray, rows: _Rows) -> tuple[np.ndarray, np.ndarray]:
    """Runs within the window; what lies outside ends before it begins."""
    return np.maximum(left, 0), np.minimum(right, rows.last)


def _count(
    first: list[tuple[np.ndarray, np.ndarray]],
    second: list[tuple[np.ndarray, np.ndarray]],
    rows: _Rows,
) -> np.ndarray:
    """Intersection and union of two lists of runs, (2, n)."""
    areas = sum(_length(left, right) for left, right in (*first, *second))
    shared = sum(
        _length(np.maximum(left1, left2), np.minimum(right1, right2))
        for left1, right1 in first
        for left2, right2 in second
    )
    intersection = np.add.reduceat(shared, rows.starts)
    return np.stack((intersection, np.add.reduceat(areas, rows.starts) - intersection))


def _length(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.maximum(right - left + 1, 0)
