"""pysot's `toolkit.datasets.uav`: see :mod:`dsiam_plugin.evaluation.datasets.families`."""

from dsiam_plugin.evaluation.datasets.families import UAVDataset, UAVVideo

__all__ = ["UAVDataset", "UAVVideo"]
