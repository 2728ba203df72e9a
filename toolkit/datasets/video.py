"""pysot's `toolkit.datasets.video`: see :mod:`dsiam_plugin.evaluation.datasets.video`."""

from dsiam_plugin.evaluation.datasets.video import Video

__all__ = ["Video"]
