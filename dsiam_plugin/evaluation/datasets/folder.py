"""Any folder of annotated frames, of no known benchmark."""

from dsiam_plugin.evaluation.datasets.dataset import BoxDataset
from dsiam_plugin.evaluation.datasets.video import Video


class FolderVideo(Video):
    """A sequence of no known benchmark."""


class FolderDataset(BoxDataset):
    """A single sequence folder, a folder of them, or metadata in pysot's schema."""

    video_class = FolderVideo
