"""pysot's `toolkit.datasets.got10k`: see :mod:`dsiam_plugin.evaluation.datasets.families`."""

from dsiam_plugin.evaluation.datasets.families import GOT10kDataset, GOT10kVideo

__all__ = ["GOT10kDataset", "GOT10kVideo"]
