"""UAV123 and UAV20L."""

from dsiam_plugin.evaluation.datasets.dataset import BoxDataset
from dsiam_plugin.evaluation.datasets.video import Video


class UAVVideo(Video):
    """A sequence of UAV123 and UAV20L."""


class UAVDataset(BoxDataset):
    """UAV123 and UAV20L."""

    video_class = UAVVideo
