"""TrackingNet."""

from dsiam_plugin.evaluation.datasets.dataset import BoxDataset
from dsiam_plugin.evaluation.datasets.video import Video


class TrackingNetVideo(Video):
    """A sequence of TrackingNet."""


class TrackingNetDataset(BoxDataset):
    """TrackingNet."""

    video_class = TrackingNetVideo
