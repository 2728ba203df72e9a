"""Starts of a tracker: boxes of annotations, OTB's 20 frames (TRE) and 12 boxes (SRE).

The two robustness protocols are those of Wu, Lim and Yang, "Online Object Tracking: A
Benchmark" (CVPR 2013), with the rounding of its published MATLAB routines. Those count pixels
from 1; so do the helpers here that round, and nothing else in the toolkit.
"""

import math
from collections.abc import Sequence

import numpy as np

TRE_STARTS = 20
_TRE_LAST_FRAMES = 20  # the last start leaves at least so many frames

_SHIFT = 0.1  # share of the target's width or height
# Which sides of the box move out by the shift: -1 left or top, 1 right or bottom, 0 neither.
_CORNERS = {
    "top_left": (-1, -1),
    "top_right": (1, -1),
    "bottom_left": (-1, 1),
    "bottom_right": (1, 1),
}
# Where the whole box moves.
_SIDES = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
_SCALES = {"scale_0.8": 0.8, "scale_0.9": 0.9, "scale_1.1": 1.1, "scale_1.2": 1.2}

#: The twelve variations in the benchmark's order.
SRE_VARIATIONS = (*_SIDES, *_CORNERS, *_SCALES)

Box = tuple[float, float, float, float]


def is_target(region: Sequence[float]) -> bool:
    """True if an annotation shows a target: finite, and for a box of positive size."""
    if len(region) < 4 or not all(math.isfinite(number) for number in region):
        return False
    return len(region) != 4 or (region[2] > 0 and region[3] > 0)


def enclosing_box(region: Sequence[float]) -> Box:
    """The box a tracker is started with: a box as it is, a polygon as pysot converts it.

    pysot takes the polygon's upright bounds and shrinks them about the mean corner until their
    area is that of the polygon (of its first two sides, exactly so for a rotated rectangle);
    width and height count pixels, hence one more than the distance.

    Returns:
        x, y, w, h.
    """
    if len(region) == 4:
        x, y, w, h = (float(number) for number in region)
        return x, y, w, h
    corners = np.asarray(region, dtype=np.float64).reshape(-1, 2)
    low, high = corners.min(axis=0), corners.max(axis=0)
    sides = np.linalg.norm(np.diff(corners[:3], axis=0), axis=1)
    bounds_area = float(np.prod(high - low))
    shrink = math.sqrt(float(np.prod(sides)) / bounds_area) if bounds_area > 0 else 0.0
    w, h = (shrink * (high - low) + 1).tolist()
    center_x, center_y = corners.mean(axis=0).tolist()
    return center_x - (w - 1) / 2, center_y - (h - 1) / 2, w, h


def tre_starts(regions: Sequence[Sequence[float]]) -> list[int]:
    """First frames of the segments of temporal robustness evaluation.

    Frames without a target, or with one that sticks out at the left or top, start no segment.
    Of the others, the last one that leaves 20 frames to track is the last start, and 19 are
    spread evenly in front of it. Every segment runs to the end of the sequence. The benchmark
    also leaves out hand-picked occluded frames of some sequences (its folder "initOmit"); such
    a list is not part of the annotations and not used here.

    Args:
        regions: Annotation of each frame, 0-based boxes or polygons.

    Returns:
        Ascending 0-based frame numbers, 20 of them; fewer where the sequence is too short for
        20 different ones, and none where it never shows the target.
    """
    usable = [frame for frame, region in enumerate(regions) if _inside_corner(region)]
    early = [frame for frame in usable if len(regions) - frame >= _TRE_LAST_FRAMES]
    candidates = early or usable[:1]
    gaps = TRE_STARTS - 1
    chosen = {candidates[k * len(candidates) // gaps] for k in range(gaps) if candidates}
    return sorted(chosen | set(candidates[-1:]))


def sre_box(box: Sequence[float], variation: str, width: int, height: int) -> Box:
    """A start box of spatial robustness evaluation.

    Args:
        box: The annotated x, y, w, h, 0-based pixels.
        variation: One of `SRE_VARIATIONS`. Sides move the box by 10 % of its size. A corner
            moves that corner out by 10 % while the opposite one stays, as the benchmark's
            routine does. Scales keep the centre.
        width: Width of the image; the box is cut at its borders as the benchmark cuts it.
        height: Height of the image.

    Returns:
        x, y, w, h, 0-based pixels.
    """
    x, y, w, h = box[0] + 1, box[1] + 1, box[2], box[3]  # counted from 1, see above
    if variation in _SIDES:
        x, y = (
            start + sign * math.ceil(_SHIFT * size)
            for start, size, sign in zip((x, y), (w, h), _SIDES[variation], strict=True)
        )
    elif variation in _CORNERS:
        (x, w), (y, h) = (
            _stretch(start, size, sign)
            for start, size, sign in zip((x, y), (w, h), _CORNERS[variation], strict=True)
        )
    else:
        ratio = _SCALES[variation]
        x, w = _round(x + w / 2 - ratio * w / 2), _round(ratio * w)
        y, h = _round(y + h / 2 - ratio * h / 2), _round(ratio * h)
    x, y = max(x, 1), max(y, 1)
    w, h = min(w, width - x + 1), min(h, height - y + 1)
    return float(x - 1), float(y - 1), float(w), float(h)


def _inside_corner(region: Sequence[float]) -> bool:
    """True if the region is a target that starts inside the image's left and top borders."""
    if not is_target(region):
        return False
    x, y, _, _ = enclosing_box(region)
    return x + 1 > 0 and y + 1 > 0


def _stretch(start: float, size: float, sign: int) -> tuple[float, float]:
    """Move the first (-1) or last (1) pixel of a span out by 10 %: new start and size."""
    last = start + size - 1
    if sign < 0:
        start = _round(start - _SHIFT * size)
    else:
        last = _round(last + _SHIFT * size)
    return start, last - start + 1


def _round(number: float) -> float:
    """Round halves away from zero, as MATLAB does and Python does not."""
    return math.copysign(math.floor(abs(number) + 0.5), number)
