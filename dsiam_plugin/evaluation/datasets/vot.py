"""The VOT challenges: restarts (short-term) and long-term."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.datasets.metadata import Metadata
from dsiam_plugin.evaluation.datasets.video import NO_FILE, Video
from dsiam_plugin.evaluation.results.files import BOX_NUMBERS, read_trajectory, read_values

TAGS = ("camera_motion", "illum_change", "motion_change", "size_change", "occlusion")


class VOTVideo(Video):
    """A sequence of a short-term challenge.

    Attributes:
        tags: Tag to one 0/1 a frame; "all" is 1 everywhere, "empty" where no other tag is.
        pred_trajs: By tracker: a list of repetitions, each a list of regions; a code is a
            list of one number.
    """

    def __init__(
        self,
        name: str,
        root: str,
        video_dir: str,
        init_rect: Sequence[float],
        img_names: Sequence[str],
        gt_rect: Sequence[Sequence[float]],
        camera_motion: Sequence[int],
        illum_change: Sequence[int],
        motion_change: Sequence[int],
        size_change: Sequence[int],
        occlusion: Sequence[int],
        load_img: bool = False,
    ) -> None:
        super().__init__(name, root, video_dir, init_rect, img_names, gt_rect, None, load_img)
        flags = (camera_motion, illum_change, motion_change, size_change, occlusion)
        self.tags = {"all": [1] * len(gt_rect)}
        self.tags.update((tag, list(flag)) for tag, flag in zip(TAGS, flags, strict=True))
        self.tags["empty"] = _untagged(flags, len(gt_rect))
        self.tag_names = list(self.tags)

    def select_tag(self, tag: str, start: int = 0, end: int = 0) -> list[int]:
        """The flags of `tag` for frames `start` to `end - 1`."""
        return self.tags[tag][start:end]

    def result_files(self, path: str | os.PathLike, tracker: str) -> list[Path]:
        """The tracker's repetitions in order, text before binary form where both are there."""
        folder = Path(path) / tracker / "baseline" / self.name
        return sorted(folder.glob("*_[0-9][0-9][0-9].txt")) or sorted(
            folder.glob("*_[0-9][0-9][0-9].bin")
        )

    def _load_one(self, path: Path, tracker: str) -> list | None:
        files = self.result_files(path, tracker)
        if not files:
            expected = path / tracker / "baseline" / self.name / f"{self.name}_001.txt"
            self._record_gap(tracker, f"{NO_FILE}; expected {expected}")
            return None
        self.gaps.pop(tracker, None)
        return [self._read(file) for file in files]

    def _read(self, file: Path) -> list:
        regions = read_trajectory(file)
        self._check_rows(file, len(regions))
        return regions


class VOTDataset(Dataset):
    """A short-term challenge, VOT2013 to VOT2019.

    Attributes:
        tags: Names of the tags, "all" first.
    """

    protocol = "restart"
    tags = ["all", *TAGS, "empty"]

    def _make_video(self, name: str, entry: Mapping, metadata: Metadata, load_img: bool) -> Video:
        return VOTVideo(
            name,
            str(metadata.root),
            entry["video_dir"],
            entry["init_rect"],
            entry["img_names"],
            entry["gt_rect"],
            load_img=load_img,
            **{tag: entry.get(tag, []) for tag in TAGS},
        )


class VOTLTVideo(Video):
    """A sequence of a long-term challenge.

    Attributes:
        gt_traj: Boxes; `[0]` in frames without the target.
        confidence: By tracker: one confidence a frame, NaN in the first.
    """

    def __init__(
        self,
        name: str,
        root: str,
        video_dir: str,
        init_rect: Sequence[float],
        img_names: Sequence[str],
        gt_rect: Sequence[Sequence[float]],
        load_img: bool = False,
    ) -> None:
        super().__init__(name, root, video_dir, init_rect, img_names, gt_rect, None, load_img)
        self.gt_traj = [[0] if np.isnan(box[0]) else box for box in gt_rect]
        self.confidence: dict[str, list[float]] = {}

    def load_tracker(
        self,
        path: str | os.PathLike,
        tracker_names: str | Sequence[str] | None = None,
        store: bool = True,
    ) -> tuple | None:
        """Load boxes and confidences of trackers.

        Args:
            path: Folder with one folder a tracker.
            tracker_names: Which trackers; None for every folder in `path`.
            store: Put the results into `pred_trajs` and `confidence`.

        Returns:
            (trajectory, confidences) of the last tracker, or None where it has no file.

        Raises:
            ResultsError: A file is damaged or has too few or too many rows.
        """
        result = None
        for tracker in self._tracker_names(path, tracker_names):
            result = self._load_one(Path(path), tracker)
            if store and result is not None:
                self.pred_trajs[tracker], self.confidence[tracker] = result
        self.tracker_names = list(self.pred_trajs)
        return result

    def _load_one(self, path: Path, tracker: str) -> tuple | None:
        file = path / tracker / "longterm" / self.name / f"{self.name}_001.txt"
        if not file.is_file():
            self._record_gap(tracker, f"{NO_FILE}; expected {file}")
            return None
        self.gaps.pop(tracker, None)
        return self._read(file), self._read_confidence(file)

    def _read(self, file: Path) -> list:
        regions = read_trajectory(file)
        self._check_rows(file, len(regions))
        return regions

    def _read_confidence(self, file: Path) -> list[float]:
        """Confidences; the first frame's is NaN, for there the tracker is told the box."""
        values_file = file.with_name(f"{self.name}_001_confidence.value")
        values = read_values(values_file)
        if len(values) != len(self.gt_traj):
            raise ResultsError(
                f"{values_file}: {len(values)} rows, expected {len(self.gt_traj)}, "
                f"one a frame of {self.name}"
            )
        return [float("nan"), *values[1:].tolist()]


class VOTLTDataset(Dataset):
    """A long-term challenge, VOT2018-LT."""

    protocol = "longterm"

    def _make_video(self, name: str, entry: Mapping, metadata: Metadata, load_img: bool) -> Video:
        return VOTLTVideo(
            name,
            str(metadata.root),
            entry["video_dir"],
            entry["init_rect"],
            entry["img_names"],
            [box[:BOX_NUMBERS] for box in entry["gt_rect"]],
            load_img,
        )


def _untagged(flags: Sequence[Sequence[int]], frames: int) -> list[int]:
    """1 in frames that carry none of the tags."""
    known = [np.asarray(flag, dtype=bool) for flag in flags if len(flag) == frames]
    return (~np.any(known, axis=0)).astype(int).tolist() if known else [1] * frames
