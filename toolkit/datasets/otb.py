"""pysot's `toolkit.datasets.otb`: see :mod:`dsiam_plugin.evaluation.datasets.families`."""

from dsiam_plugin.evaluation.datasets.families import OTBDataset, OTBVideo

__all__ = ["OTBDataset", "OTBVideo"]
