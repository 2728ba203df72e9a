"""Pixel counts of two polygons filled by scan lines, many pairs at once.

The official region libraries fill a polygon row by row: every edge that touches the row gives a
crossing, whole pixels towards zero; the sorted crossings are taken in pairs and filled, both ends
included. Counting needs no mask: two sorted lists of runs a row are enough. Convex quadrilaterals
(nearly all annotations and results) have one run a row and go a shorter way than the rest.

Legend: n pairs, K corners, R rows of all pairs' windows one after the other. Corners are (2, K, n)
float64, x before y: whole pixels relative to the pair's window, so that no size overflows.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

QUAD = 4
# Rows handled at once: the dozen working arrays of a block stay in the processor's cache.
_BLOCK_ROWS = 16384

Run = tuple[np.ndarray, np.ndarray]  # first and last column filled, (R,) each


@dataclass(frozen=True)
class FillRule:
    """The differences between the region libraries in filling."""

    horizontal_edges: bool  # a horizontal edge adds a crossing of its own
    lone_pixels: bool  # a row whose last two crossings coincide is filled there with one pixel


@dataclass(frozen=True)
class _WindowRows:
    """The windows of a block of pairs, their rows flattened."""

    starts: np.ndarray  # first flat row of each pair, (n,) int
    heights: np.ndarray  # rows of each pair, (n,) int
    last: np.ndarray  # last column of each row's window, (R,)

    @classmethod
    def of(cls, width: np.ndarray, height: np.ndarray) -> "_WindowRows":
        heights = height.astype(np.intp)
        return cls(np.cumsum(heights) - heights, heights, np.repeat(width - 1, heights))


def count_pixels(
    first: np.ndarray, second: np.ndarray, width: np.ndarray, height: np.ndarray, rule: FillRule
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels in both polygons and in either, within each pair's window.

    Args:
        first: Corners of n polygons, (2, K1, n), whole numbers relative to the window.
        second: Their partners, (2, K2, n).
        width: Columns of each window, (n,), at least 1.
        height: Rows of each window, (n,), at least 1.
        rule: How the library in question fills.

    Returns:
        Intersection and union, (n,) each, in pixels.
    """
    counts = np.zeros((2, len(width)))
    convex = are_convex(first) & are_convex(second)
    for chosen, runs_of in ((convex, _convex_runs), (~convex, _general_runs)):
        for block in _blocks(np.flatnonzero(chosen), height):
            windows = _WindowRows.of(width[block], height[block])
            one = runs_of(first[..., block], windows, rule)
            other = runs_of(second[..., block], windows, rule)
            counts[:, block] = _count(one, other, windows)
    return counts[0], counts[1]


def are_convex(corners: np.ndarray) -> np.ndarray:
    """Which polygons, (2, K, n), are quadrilaterals turning one way at every corner; (n,) bool."""
    if corners.shape[1] != QUAD:
        return np.zeros(corners.shape[2], dtype=bool)
    dx, dy = _steps(corners)
    turns = dx * np.roll(dy, 1, axis=0) - dy * np.roll(dx, 1, axis=0)
    return (turns > 0).all(axis=0) | (turns < 0).all(axis=0)


def _steps(corners: np.ndarray) -> np.ndarray:
    """From each corner to the one before it, (2, K, n)."""
    return np.roll(corners, 1, axis=1) - corners


def _blocks(index: np.ndarray, height: np.ndarray) -> Iterator[np.ndarray]:
    """Split pairs so that a block has about `_BLOCK_ROWS` rows."""
    total = np.cumsum(height[index])
    cuts = np.flatnonzero(np.diff(total // _BLOCK_ROWS)) + 1
    return (block for block in np.split(index, cuts) if len(block))


def _convex_runs(corners: np.ndarray, windows: _WindowRows, rule: FillRule) -> list[Run]:
    """The one run a row of convex quadrilaterals, from the falling to the rising side.

    Each side crosses a row once, so every edge writes the rows it touches straight into its side.
    """
    rows = len(windows.last)
    x, y = corners.reshape(2, -1)
    dx, dy = _steps(corners).reshape(2, -1)
    heights = np.tile(windows.heights, QUAD)
    top = np.clip(np.minimum(y, y + dy), 0, heights)
    bottom = np.clip(np.maximum(y, y + dy), -1, heights - 1)
    count = np.where(dy != 0, np.maximum(bottom - top + 1, 0), 0).astype(np.intp)
    number = np.arange(count.sum())  # of the crossing, edge after edge
    first = np.cumsum(count) - count
    crossing = np.repeat(top - y - first, count)
    crossing += number
    crossing /= np.repeat(dy, count)
    crossing *= np.repeat(dx, count)
    crossing += np.repeat(x, count)
    side_start = np.tile(windows.starts, QUAD) + rows * (dy > 0)
    position = np.repeat(side_start + top.astype(np.intp) - first, count)
    position += number
    sides = np.full(2 * rows, np.inf)
    sides[position] = np.trunc(crossing, out=crossing)
    left = np.minimum(sides[:rows], sides[rows:])
    right = np.maximum(sides[:rows], sides[rows:])
    if not rule.lone_pixels:
        np.putmask(right, left == right, -1)
    return [_clip(left, right, windows)]


def _general_runs(corners: np.ndarray, windows: _WindowRows, rule: FillRule) -> list[Run]:
    """Up to K - 1 runs a row of any polygon; the runs of a row never share a pixel."""
    crossings = np.sort(_crossings(corners, windows, rule), axis=0)
    beyond = np.full(len(windows.last), np.inf)
    filled_to = np.full(len(windows.last), -1.0)
    taken = np.zeros(len(windows.last), dtype=bool)  # the left crossing already ended a run
    runs = []
    for number in range(len(crossings) - 1):
        left, right = crossings[number], crossings[number + 1]
        after = crossings[number + 2] if number + 2 < len(crossings) else beyond
        lone = (after == np.inf) if rule.lone_pixels else False
        taken = (right < np.inf) & ~taken & ((left != right) | lone)
        run = _clip(np.maximum(left, filled_to + 1), np.where(taken, right, -1), windows)
        filled_to = np.maximum(filled_to, run[1])
        runs.append(run)
    return runs


def _crossings(corners: np.ndarray, windows: _WindowRows, rule: FillRule) -> np.ndarray:
    """Column in which each edge crosses each row, (K, R), whole; infinite where it does not."""
    pair = np.repeat(np.arange(len(windows.heights)), windows.heights)
    row = np.arange(len(pair)) - windows.starts[pair]
    crossings = np.full((corners.shape[1], len(row)), np.inf)
    steps = _steps(corners)
    for edge, crossing in enumerate(crossings):
        x, y = corners[:, edge, pair]
        dx, dy = steps[:, edge, pair]
        touched = (np.minimum(y, y + dy) <= row) & (row <= np.maximum(y, y + dy))
        level = touched & (dy == 0)
        touched &= dy != 0
        offset = row[touched] - y[touched]
        crossing[touched] = np.trunc(x[touched] + offset / dy[touched] * dx[touched])
        if rule.horizontal_edges:
            crossing[level] = x[level]
    return crossings


def _clip(left: np.ndarray, right: np.ndarray, windows: _WindowRows) -> Run:
    """Runs within the window; those outside end before they begin. Overwrites its arguments."""
    return np.maximum(left, 0, out=left), np.minimum(right, windows.last, out=right)


def _count(first: list[Run], second: list[Run], windows: _WindowRows) -> np.ndarray:
    """Intersection and union of two lists of runs, (2, n)."""
    areas = sum(_length(*run) for run in (*first, *second))
    shared = sum(
        _length(np.maximum(left1, left2), np.minimum(right1, right2))
        for left1, right1 in first
        for left2, right2 in second
    )
    intersection = np.add.reduceat(shared, windows.starts)
    return np.stack((intersection, np.add.reduceat(areas, windows.starts) - intersection))


def _length(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    length = right - left
    length += 1
    return np.maximum(length, 0, out=length)
