"""Base of the benchmarks: finds the results, notes the gaps and prints the tables."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.measures.result_tables import (
    Entries,
    gap_note,
    joined,
    ranked_names,
    score_table,
    video_tables,
)
from dsiam_plugin.io.tables import Table

SHOWN_TRACKERS = 20


@dataclass(frozen=True)
class Coverage:
    """Share of a data set that a tracker's scores stand on."""

    found: int  # sequences evaluated
    total: int  # sequences of the data set
    # Sequence to one line that says why it could not be evaluated
    gaps: Mapping[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """True where every sequence was evaluated."""
        return self.found == self.total

    @property
    def label(self) -> str:
        """The share as tables show it, such as 49/51."""
        return f"{self.found}/{self.total}"


class TrackerBenchmark:
    """Evaluates trackers on a data set, leaving out sequences without a usable result."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset
        self._gaps: dict[str, dict[str, str]] = {}

    def coverage(self, tracker: str) -> Coverage:
        """Share that a tracker's scores stand on, after it was evaluated by this object."""
        gaps = self._gaps.get(tracker, {})
        return Coverage(len(self.dataset) - len(gaps), len(self.dataset), gaps)

    def asked(self, eval_trackers: str | Sequence[str] | None) -> list[str]:
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

    def add_gap(self, tracker: str, video: Any, reason: ResultsError) -> None:
        """Note that a tracker's result on a video turned out not to be usable."""
        self._gaps[tracker][video.name] = f"{video.name}: {reason}"

    def show(
        self,
        entries: Entries,
        columns: Mapping[str, str],
        by: str,
        low: Mapping[str, float | None],
        note: str = "",
    ) -> None:
        """Print the best trackers' scores and, for fewer than ten trackers, those of sequences."""
        names = ranked_names(self.dataset, entries, by)
        shown = dict(list(names.items())[:SHOWN_TRACKERS])
        note = joined(note, gap_note(self.dataset, entries))
        tables = [score_table(self.dataset.name, entries, columns, shown, note)]
        if len(entries) < 10:
            videos = [video.name for video in self.dataset]
            for measure, threshold in low.items():
                tables += video_tables(measure, entries, measure, names, videos, threshold)
        show_tables(tables)

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


def show_tables(tables: Sequence[Table]) -> None:
    """Print tables; low scores are red on a terminal."""
    for table in tables:
        # Printing is the documented purpose of `show_result` in pysot's interface.
        print(table.text(color=sys.stdout.isatty()))  # noqa: T201


def check_rows(video: Any, rows: int) -> None:
    """Demand one row a frame.

    Raises:
        ResultsError: There are more or fewer; names the sequence and both numbers.
    """
    if rows != len(video.gt_traj):
        raise ResultsError(f"{video.name}: {rows} rows, expected {len(video.gt_traj)}, one a frame")
