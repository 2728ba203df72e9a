"""TrackingNet."""

from toolkit.datasets.dataset import BoxDataset
from toolkit.datasets.video import Video


class TrackingNetVideo(Video):
    """A sequence of TrackingNet."""


class TrackingNetDataset(BoxDataset):
    """TrackingNet."""

    video_class = TrackingNetVideo
