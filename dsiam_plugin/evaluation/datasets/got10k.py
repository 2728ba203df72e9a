"""GOT-10k."""

from dsiam_plugin.evaluation.datasets.dataset import BoxDataset
from dsiam_plugin.evaluation.datasets.video import Video


class GOT10kVideo(Video):
    """A sequence of GOT-10k; its results lie in a folder a sequence."""

    result_patterns = ("{video}/{video}_001.txt", "{video}.txt")


class GOT10kDataset(BoxDataset):
    """GOT-10k."""

    video_class = GOT10kVideo
