"""pysot's `toolkit.datasets.uav`: see :mod:`dsiam_plugin.evaluation.datasets.uav`."""

from dsiam_plugin.evaluation.datasets.uav import UAVDataset, UAVVideo

__all__ = ["UAVDataset", "UAVVideo"]
