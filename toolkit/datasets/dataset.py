"""pysot's `toolkit.datasets.dataset`: see :mod:`dsiam_plugin.evaluation.datasets.dataset`."""

from dsiam_plugin.evaluation.datasets.dataset import BoxDataset, Dataset

__all__ = ["BoxDataset", "Dataset"]
