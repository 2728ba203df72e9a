"""pysot's `toolkit.datasets.lasot`: see :mod:`dsiam_plugin.evaluation.datasets.families`."""

from dsiam_plugin.evaluation.datasets.families import LaSOTDataset, LaSOTVideo

__all__ = ["LaSOTDataset", "LaSOTVideo"]
