"""The VOT challenges: restarts (short-term) and long-term."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.datasets.pysot_layout import TAGS
from dsiam_plugin.evaluation.datasets.video import PYSOT_ARGUMENTS, Video
from dsiam_plugin.evaluation.results import layout
from dsiam_plugin.evaluation.results.files import BOX_NUMBERS, read_values


class VOTVideo(Video):
    """A sequence of a short-term challenge.

    Attributes:
        tags: Tag to one 0/1 a frame; "all" is 1 everywhere, "empty" where no other tag is.
        pred_trajs: By tracker: a list of repetitions, each a list of regions; a code is a
            list of one number.
    """

    layouts = (layout.RESTARTS, layout.VOT_BINARY)
    pysot_arguments = (*PYSOT_ARGUMENTS[:-1], *TAGS)

    def _fill(self, name: str, root: str, entry: Mapping[str, Any]) -> None:
        super()._fill(name, root, entry)
        flags = [entry.get(tag, []) for tag in TAGS]
        self.tags = {"all": [1] * len(self.gt_traj)}
        self.tags.update((tag, list(flag)) for tag, flag in zip(TAGS, flags, strict=True))
        self.tags["empty"] = _untagged(flags, len(self.gt_traj))
        self.tag_names = list(self.tags)

    def select_tag(self, tag: str, start: int = 0, end: int = 0) -> list[int]:
        """The flags of `tag` for frames `start` to `end - 1`."""
        return self.tags[tag][start:end]

    def result_files(self, path: str | os.PathLike, tracker: str) -> list[Path]:
        """The tracker's repetitions in order, text before binary form where both are there."""
        runs = (form.runs(Path(path) / tracker, self.name) for form in self.layouts)
        return next((files for files in runs if files), [])

    def _load_one(self, path: Path, tracker: str) -> list | None:
        files = self.result_files(path, tracker)
        if not files:
            self._note_missing(path, tracker)
            return None
        self.gaps.pop(tracker, None)
        return [self._read_regions(file) for file in files]


class VOTDataset(Dataset):
    """A short-term challenge, VOT2013 to VOT2019.

    Attributes:
        tags: Names of the tags, "all" first.
    """

    protocol = "restart"
    video_class = VOTVideo
    tags = ["all", *TAGS, "empty"]


class VOTLTVideo(Video):
    """A sequence of a long-term challenge.

    Attributes:
        gt_traj: Boxes; `[0]` in frames without the target.
        confidence: By tracker: one confidence a frame, NaN in the first.
    """

    layouts = (layout.LONG_TERM,)
    pysot_arguments = PYSOT_ARGUMENTS[:-1]

    def _fill(self, name: str, root: str, entry: Mapping[str, Any]) -> None:
        super()._fill(name, root, entry)
        boxes = [box[:BOX_NUMBERS] for box in entry["gt_rect"]]
        self.gt_traj = [[0] if np.isnan(box[0]) else box for box in boxes]
        self.confidence: dict[str, list[float]] = {}

    def load_tracker(
        self,
        path: str | os.PathLike,
        tracker_names: str | Sequence[str] | None = None,
        store: bool = True,
    ) -> tuple | None:
        """Load boxes and confidences of trackers.

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
        folder, form = path / tracker, self.layouts[0]
        file = form.result_path(folder, self.name)
        if not file.is_file():
            self._note_missing(path, tracker)
            return None
        self.gaps.pop(tracker, None)
        confidence = form.confidence_path(folder, self.name)
        assert confidence is not None  # long-term results have one
        return self._read_regions(file), self._read_confidence(confidence)

    def _read_confidence(self, file: Path) -> list[float]:
        """Confidences; the first frame's is NaN, for there the tracker is told the box."""
        values = read_values(file)
        self._check_rows(file, len(values))
        return [float("nan"), *values[1:].tolist()]


class VOTLTDataset(Dataset):
    """A long-term challenge, VOT2018-LT."""

    protocol = "longterm"
    video_class = VOTLTVideo


def _untagged(flags: Sequence[Sequence[int]], frames: int) -> list[int]:
    """1 in frames that carry none of the tags."""
    known = [np.asarray(flag, dtype=bool) for flag in flags if len(flag) == frames]
    return (~np.any(known, axis=0)).astype(int).tolist() if known else [1] * frames
