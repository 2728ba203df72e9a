"""UAV123 and UAV20L."""

from toolkit.datasets.dataset import BoxDataset
from toolkit.datasets.video import Video


class UAVVideo(Video):
    """A sequence of UAV123 and UAV20L."""


class UAVDataset(BoxDataset):
    """UAV123 and UAV20L."""

    video_class = UAVVideo
