"""pysot's `toolkit.datasets.trackingnet`: TrackingNet."""

from dsiam_plugin.evaluation.datasets.trackingnet import TrackingNetDataset, TrackingNetVideo

__all__ = ["TrackingNetDataset", "TrackingNetVideo"]
