"""pysot's `toolkit.datasets.trackingnet`: see :mod:`dsiam_plugin.evaluation.datasets.families`."""

from dsiam_plugin.evaluation.datasets.families import TrackingNetDataset, TrackingNetVideo

__all__ = ["TrackingNetDataset", "TrackingNetVideo"]
