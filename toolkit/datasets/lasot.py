"""pysot's `toolkit.datasets.lasot`: see :mod:`dsiam_plugin.evaluation.datasets.lasot`."""

from dsiam_plugin.evaluation.datasets.lasot import LaSOTDataset, LaSOTVideo

__all__ = ["LaSOTDataset", "LaSOTVideo"]
