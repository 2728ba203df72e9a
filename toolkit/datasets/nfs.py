"""pysot's `toolkit.datasets.nfs`: see :mod:`dsiam_plugin.evaluation.datasets.families`."""

from dsiam_plugin.evaluation.datasets.families import NFSDataset, NFSVideo

__all__ = ["NFSDataset", "NFSVideo"]
