"""pysot's `toolkit.utils.region`: see :mod:`dsiam_plugin.evaluation.measures.pysot_regions`."""

from dsiam_plugin.evaluation.measures.pysot_regions import (
    vot_float2str,
    vot_overlap,
    vot_overlap_traj,
)

__all__ = ["vot_float2str", "vot_overlap", "vot_overlap_traj"]
