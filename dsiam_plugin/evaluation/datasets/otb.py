"""OTB-2013, OTB-50 and OTB-100 (OTB-2015)."""

from dsiam_plugin.evaluation.datasets.dataset import BoxDataset
from dsiam_plugin.evaluation.datasets.video import Video


class OTBVideo(Video):
    """A sequence of OTB-2013, OTB-50 and OTB-100 (OTB-2015)."""


class OTBDataset(BoxDataset):
    """OTB-2013, OTB-50 and OTB-100 (OTB-2015)."""

    video_class = OTBVideo
