"""A set of videos: what every benchmark has in common."""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence

from dsiam_plugin.errors import BenchmarkError, DatasetError, ResultsError
from dsiam_plugin.evaluation.datasets.metadata import Metadata, load_metadata
from dsiam_plugin.evaluation.datasets.registry import find_benchmark
from dsiam_plugin.evaluation.datasets.video import Video

logger = logging.getLogger(__name__)

CARRIED = "Invalid rows of results count as the last valid box, OTB's own rule."


class Dataset:
    """Videos of one benchmark; pysot's `Dataset`.

    Attributes:
        name: As asked for, such as "OTB2013"; of a folder its own name.
        benchmark: The benchmark's entry in the table, or None.
        protocol: How it is run and scored: "ope", "restart" or "longterm".
        dataset_root: Folder it was found in.
        videos: By name.
        attr: Attribute code to names of the videos that have it; "ALL" holds every video.
        missing_videos: Sequences of the benchmark that the folder lacks.
        tracker_path, tracker_names: Set by `set_tracker`.
        result_rule: What tables say of results that are not taken as they stand.
    """

    protocol = "ope"
    video_class: type[Video] = Video

    def __init__(
        self, name: str, dataset_root: str | os.PathLike | None = None, load_img: bool = False
    ) -> None:
        self._fill(name, load_metadata(name, dataset_root), load_img)

    @classmethod
    def from_metadata(cls, name: str, metadata: Metadata, load_img: bool = False) -> "Dataset":
        """The data set of metadata that has been read already."""
        dataset = cls.__new__(cls)
        dataset._fill(name, metadata, load_img)
        return dataset

    def _fill(self, name: str, metadata: Metadata, load_img: bool) -> None:
        self.name = name
        self.benchmark = find_benchmark(name)
        self.dataset_root = str(metadata.root)
        self.missing_videos = list(metadata.missing)
        self.tracker_path: str | None = None
        self.tracker_names: list[str] = []
        self.videos: dict[str, Video] = {}
        for video_name, entry in metadata.videos.items():
            root = str(metadata.root)
            video = self.video_class.from_metadata(video_name, root, entry, load_img)
            self.videos[video_name] = video
        self.attr = _by_attribute(self.videos)
        self.result_rule = ""

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, idx: int | str) -> Video:
        """A video by name, or by its place in the sorted names as pysot counts them."""
        if isinstance(idx, str):
            if idx not in self.videos:
                raise DatasetError(f"{self.name} has no video {idx!r}")
            return self.videos[idx]
        return self.videos[sorted(self.videos)[idx]]

    def __iter__(self) -> Iterator[Video]:
        for name in sorted(self.videos):
            yield self.videos[name]

    def set_tracker(self, path: str | os.PathLike, tracker_names: str | Sequence[str]) -> None:
        """Say where results are and whose are to be evaluated."""
        self.tracker_path = os.fspath(path)
        self.tracker_names = (
            [tracker_names] if isinstance(tracker_names, str) else list(tracker_names)
        )

    def load_results(
        self, path: str | os.PathLike, tracker_names: str | Sequence[str]
    ) -> dict[str, dict[str, str]]:
        """Load all results, listing what is missing or damaged instead of raising.

        Returns:
            Tracker to {video: one line that says why it has no result}; empty where complete.
        """
        self.set_tracker(path, tracker_names)
        return {tracker: self._load_tracker(path, tracker) for tracker in self.tracker_names}

    def carry_last_boxes(self) -> None:
        """Take invalid rows of results, loaded from now on, for the last valid box.

        That is the rule of OTB's own toolkit; see `results.rows.carry_last`.

        Raises:
            BenchmarkError: The data set is not run in one pass.
        """
        if self.protocol != "ope":
            raise BenchmarkError(f"{self.name}: boxes are carried over in one-pass results alone")
        self.result_rule = CARRIED
        for video in self.videos.values():
            video.carries_last_box = True

    def _load_tracker(self, path: str | os.PathLike, tracker: str) -> dict[str, str]:
        gaps = {}
        for video in self:
            try:
                video.load_tracker(path, tracker)
            except ResultsError as error:
                video.gaps[tracker] = str(error)
            if tracker in video.gaps:
                gaps[video.name] = video.gaps[tracker]
        self._warn_about_corners(tracker)
        return gaps

    def _warn_about_corners(self, tracker: str) -> None:
        """Say so where most results begin as x1,y1,x2,y2 and not as the start box."""
        loaded = [video for video in self if tracker in video.pred_trajs]
        odd = [video.name for video in loaded if video.begins_with_corners(tracker)]
        if loaded and 2 * len(odd) > len(loaded):
            logger.warning(
                "%s: the first row of %d of %d results, such as that of %s, holds the start box's"
                " corners x1,y1,x2,y2; expected x,y,w,h ('dsiam convert --corners' makes them)",
                tracker, len(odd), len(loaded), odd[0],
            )  # fmt: skip


def _by_attribute(videos: Mapping[str, Video]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {"ALL": list(videos)}
    for name, video in videos.items():
        for attribute in video.attr or ():
            groups.setdefault(attribute, []).append(name)
    return groups
