"""What the benchmarks share: whose results are evaluated, and which of them are missing."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dsiam_plugin.errors import ResultsError


@dataclass(frozen=True)
class Coverage:
    """How much of a data set a tracker's scores stand on.

    Attributes:
        found: Sequences evaluated.
        total: Sequences of the data set.
        gaps: Sequence to one line that says why it could not be evaluated.
    """

    found: int
    total: int
    gaps: Mapping[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every sequence was evaluated."""
        return self.found == self.total

    @property
    def label(self) -> str:
        """As tables show it, such as 49/51."""
        return f"{self.found}/{self.total}"


def coverage_of(evaluated: Collection[str], dataset: Any) -> Coverage:
    """Coverage of a tracker from the names of the sequences its results hold.

    Works on results that came from another process, where no benchmark object noted the gaps.

    Args:
        evaluated: Names of sequences, such as the keys of `eval_success(...)[tracker]`.
        dataset: The data set they belong to.
    """
    missing = [video.name for video in dataset if video.name not in evaluated]
    return Coverage(
        len(dataset) - len(missing), len(dataset), dict.fromkeys(missing, "no usable result")
    )


class TrackerBenchmark:
    """Evaluates trackers on a data set, leaving out sequences without a usable result.

    Attributes:
        dataset: The data set, its results named by `set_tracker` or loaded into its videos.
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset
        self._gaps: dict[str, dict[str, str]] = {}

    def coverage(self, tracker: str) -> Coverage:
        """What the scores of a tracker stand on, after it was evaluated by this object."""
        gaps = self._gaps.get(tracker, {})
        return Coverage(len(self.dataset) - len(gaps), len(self.dataset), gaps)

    def chosen(self, eval_trackers: str | Sequence[str] | None) -> list[str]:
        """Names of the trackers asked for: one, several, or with None those of the data set."""
        if eval_trackers is None:
            return list(self.dataset.tracker_names)
        return [eval_trackers] if isinstance(eval_trackers, str) else list(eval_trackers)

    def results(self, tracker: str) -> Iterator[tuple[Any, Any]]:
        """(video, result) of every sequence the tracker has a usable result for.

        A wrong number of rows is not usable: scoring the rows that happen to be there would
        give a mean that no reader can tell from a complete one.
        """
        gaps: dict[str, str] = {}
        self._gaps[tracker] = gaps
        for video in self.dataset:
            try:
                result = self._load(video, tracker)
            except ResultsError as error:
                gaps[video.name] = str(error)
            else:
                yield video, result

    def _load(self, video: Any, tracker: str) -> Any:
        """The result stored in the video, else the one in the tracker's files."""
        if tracker in video.pred_trajs:
            result = self._stored(video, tracker)
        else:
            known_gap = getattr(video, "gaps", {}).get(tracker)
            if known_gap:
                raise ResultsError(known_gap)
            result = video.load_tracker(self.dataset.tracker_path, tracker, False)
        if result is None or len(result) == 0:
            raise ResultsError(f"{video.name}: no result of {tracker}")
        self._check(video, result)
        return result

    def _stored(self, video: Any, tracker: str) -> Any:
        return video.pred_trajs[tracker]

    def _check(self, video: Any, result: Any) -> None:
        """Raise ResultsError where the result does not fit the sequence."""
        check_rows(video, len(result))


def check_rows(video: Any, rows: int) -> None:
    """Demand one row a frame.

    Raises:
        ResultsError: There are more or fewer; names the sequence and both numbers.
    """
    if rows != len(video.gt_traj):
        raise ResultsError(f"{video.name}: {rows} rows, expected {len(video.gt_traj)}, one a frame")
