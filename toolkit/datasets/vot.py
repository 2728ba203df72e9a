"""pysot's `toolkit.datasets.vot`: see :mod:`dsiam_plugin.evaluation.datasets.vot`."""

from dsiam_plugin.evaluation.datasets.vot import VOTDataset, VOTLTDataset, VOTLTVideo, VOTVideo

__all__ = ["VOTDataset", "VOTLTDataset", "VOTLTVideo", "VOTVideo"]
