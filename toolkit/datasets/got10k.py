"""pysot's `toolkit.datasets.got10k`: see :mod:`dsiam_plugin.evaluation.datasets.got10k`."""

from dsiam_plugin.evaluation.datasets.got10k import GOT10kDataset, GOT10kVideo

__all__ = ["GOT10kDataset", "GOT10kVideo"]
