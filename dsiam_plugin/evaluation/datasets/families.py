"""The families of benchmarks that are run in one pass; those of VOT are in `vot`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.datasets.video import PYSOT_ARGUMENTS, Trajectory, Video
from dsiam_plugin.evaluation.results import layout
from dsiam_plugin.evaluation.results.files import read_boxes

# Published results of LaSOT run on past the last annotated frame of this one; pysot cuts them too.
_CUT_VIDEO = "monkey-17"


# The names that pysot has for them, of families whose sequences differ in nothing.
OTBVideo = UAVVideo = NFSVideo = TrackingNetVideo = Video


class FolderDataset(Dataset):
    """A single sequence folder, a folder of them, or metadata in pysot's schema."""


class OTBDataset(Dataset):
    """OTB-2013, OTB-50 and OTB-100 (OTB-2015)."""


class UAVDataset(Dataset):
    """UAV123 and UAV20L."""


class NFSDataset(Dataset):
    """Need for Speed, NFS30 and NFS240."""


class TrackingNetDataset(Dataset):
    """TrackingNet."""


class GOT10kVideo(Video):
    """A sequence of GOT-10k; its results lie in a folder a sequence."""

    hidden_frames_fail = False  # its own toolkit leaves them out
    layouts = (layout.GOT10K, layout.ONE_PASS)


class GOT10kDataset(Dataset):
    """GOT-10k."""

    video_class = GOT10kVideo


class LaSOTVideo(Video):
    """A sequence of LaSOT, always with `absent`."""

    pysot_arguments = (*PYSOT_ARGUMENTS, "absent")

    def _fill(self, name: str, root: str, entry: Mapping[str, Any]) -> None:
        super()._fill(name, root, {"absent": [1] * len(entry["gt_rect"]), **entry})

    def _read(self, file: Path) -> Trajectory:
        if self.name == _CUT_VIDEO:
            boxes = read_boxes(file)[: len(self.gt_traj)]
            self._check_rows(file, len(boxes))
            return boxes
        return super()._read(file)


class LaSOTDataset(Dataset):
    """LaSOT."""

    video_class = LaSOTVideo
