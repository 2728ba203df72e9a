"""pysot's `toolkit.datasets.nfs`: see :mod:`dsiam_plugin.evaluation.datasets.nfs`."""

from dsiam_plugin.evaluation.datasets.nfs import NFSDataset, NFSVideo

__all__ = ["NFSDataset", "NFSVideo"]
