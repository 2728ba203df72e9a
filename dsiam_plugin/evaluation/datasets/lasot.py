"""LaSOT."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.datasets.metadata import Metadata
from dsiam_plugin.evaluation.datasets.video import Trajectory, Video
from dsiam_plugin.evaluation.results.files import read_boxes

# Published results run on past the last annotated frame of this one; pysot cuts them too.
_CUT_VIDEO = "monkey-17"


class LaSOTVideo(Video):
    """A sequence of LaSOT.

    Attributes:
        absent: (frames,) int8, pysot's flag of frames in which the target can be seen.
    """

    def __init__(
        self,
        name: str,
        root: str,
        video_dir: str,
        init_rect: Sequence[float],
        img_names: Sequence[str],
        gt_rect: Sequence[Sequence[float]],
        attr: Sequence[str] | None,
        absent: Sequence[int],
        load_img: bool = False,
    ) -> None:
        super().__init__(name, root, video_dir, init_rect, img_names, gt_rect, attr, load_img)
        self.absent = np.array(absent, np.int8)

    def _read(self, file: Path) -> Trajectory:
        if self.name == _CUT_VIDEO:
            boxes = read_boxes(file)[: len(self.gt_traj)]
            self._check_rows(file, len(boxes))
            return boxes
        return super()._read(file)


class LaSOTDataset(Dataset):
    """LaSOT."""

    def _make_video(self, name: str, entry: Mapping, metadata: Metadata, load_img: bool) -> Video:
        return LaSOTVideo(
            name,
            str(metadata.root),
            entry["video_dir"],
            entry["init_rect"],
            entry["img_names"],
            entry["gt_rect"],
            entry.get("attr"),
            entry.get("absent", [1] * len(entry["gt_rect"])),
            load_img,
        )
