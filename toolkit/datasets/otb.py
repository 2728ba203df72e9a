"""pysot's `toolkit.datasets.otb`: see :mod:`dsiam_plugin.evaluation.datasets.otb`."""

from dsiam_plugin.evaluation.datasets.otb import OTBDataset, OTBVideo

__all__ = ["OTBDataset", "OTBVideo"]
