"""pysot's compiled `toolkit.utils.region` without the compiler: the functions its tools import."""

from collections.abc import Sequence

from dsiam_plugin.evaluation.measures.regions import Regions, region_overlaps

# Wider than any image: a count without bounds that still fits whole pixels.
_UNBOUNDED = (2.0**20, 2.0**20)


def vot_overlap(
    polygon1: Sequence[float],
    polygon2: Sequence[float],
    bounds: tuple[float, float] | None = None,
) -> float:
    """Overlap of two regions, in pixels as the region library counts them.

    Args:
        polygon1: x, y, w, h, or x1, y1, x2, y2, ... of a polygon, or one number, a code.
        polygon2: The other region.
        bounds: Largest x and y counted; None counts all from 0 on.

    Returns:
        In [0, 1]; NaN where a region is a code.
    """
    return vot_overlap_traj([polygon1], [polygon2], bounds)[0]


def vot_overlap_traj(
    polygons1: Sequence[Sequence[float]],
    polygons2: Sequence[Sequence[float]],
    bounds: tuple[float, float] | None = None,
) -> list[float]:
    """`vot_overlap` of two trajectories, frame by frame.

    Returns:
        One overlap a frame.

    Raises:
        BenchmarkError: The trajectories differ in length.
    """
    first, second = Regions.pack(polygons1), Regions.pack(polygons2)
    return region_overlaps(first, second, bounds or _UNBOUNDED).tolist()


def vot_float2str(template: str, value: float) -> str:
    """`value` in a C format, such as "%.4f"."""
    return template % value
