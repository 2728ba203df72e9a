"""Need for Speed, NFS30 and NFS240."""

from dsiam_plugin.evaluation.datasets.dataset import BoxDataset
from dsiam_plugin.evaluation.datasets.video import Video


class NFSVideo(Video):
    """A sequence of Need for Speed, NFS30 and NFS240."""


class NFSDataset(BoxDataset):
    """Need for Speed, NFS30 and NFS240."""

    video_class = NFSVideo
