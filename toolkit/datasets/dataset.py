"""pysot's `toolkit.datasets.dataset`: see :mod:`dsiam_plugin.evaluation.datasets.dataset`."""

from dsiam_plugin.evaluation.datasets.dataset import Dataset

__all__ = ["Dataset"]
