"""Accuracy and robustness of VOT's restart experiment."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from dsiam_plugin.evaluation.measures.base import TrackerBenchmark, check_rows
from dsiam_plugin.evaluation.measures.restart_metrics import burn_in_frames, failure_frames
from dsiam_plugin.evaluation.measures.result_tables import (
    AccuracyRobustness,
    EAOByTag,
    accuracy_robustness_table,
    accuracy_robustness_video_table,
)
from dsiam_plugin.evaluation.measures.run_overlaps import run_overlaps


class RestartBenchmark(TrackerBenchmark):
    """A benchmark whose results are repetitions of a restart run."""

    def _check(self, video: Any, result: Any) -> None:
        for repetition in result:
            check_rows(video, len(repetition))


class AccuracyRobustnessBenchmark(RestartBenchmark):
    """Overlaps and losses by tracker and sequence; pysot's class.

    Attributes:
        burnin: Frames from each start on that do not count for the accuracy.
    """

    def __init__(self, dataset: Any, burnin: int = 10) -> None:
        super().__init__(dataset)
        self.burnin = burnin

    def eval(
        self, eval_trackers: str | Sequence[str] | None = None
    ) -> dict[str, AccuracyRobustness]:
        """Overlaps of frames that count, and how often the tracker was lost.

        Args:
            eval_trackers: One tracker or several; None for those of the data set.

        Returns:
            Tracker to {"overlaps": {sequence: one a frame, the mean over the repetitions, NaN
            where no repetition counts}, "failures": {sequence: losses of each repetition}}.
        """
        return {tracker: self._eval(tracker) for tracker in self.chosen(eval_trackers)}

    def show_result(
        self,
        result: dict[str, AccuracyRobustness],
        eao_result: dict[str, EAOByTag] | None = None,
        show_video_level: bool = False,
        helight_threshold: float = 0.5,
        eao_note: str = "EAO: pysot's definition",
    ) -> None:
        """Print a table of the trackers, and on request one of the sequences.

        Args:
            result: From `eval`.
            eao_result: From `EAOBenchmark.eval`, or None; trackers are then sorted by it.
            show_video_level: Print the table of sequences too, for fewer than ten trackers.
            helight_threshold: Accuracies of sequences below it are red on a terminal.
            eao_note: Printed below a table with EAO; `EAOBenchmark.describe()` gives it.
        """
        tables = [accuracy_robustness_table(self.dataset, result, eao_result, eao_note)]
        if show_video_level and len(result) < 10:
            tables.append(accuracy_robustness_video_table(result, helight_threshold))
        for table in tables:
            # Printing is the documented purpose of this method in pysot's interface.
            print(table.text(color=sys.stdout.isatty()))  # noqa: T201

    def _eval(self, tracker: str) -> AccuracyRobustness:
        overlaps, failures = {}, {}
        for video, repetitions in self.results(tracker):
            counted = run_overlaps(video, repetitions)
            overlaps[video.name] = _mean_overlaps(
                [
                    np.where(burn_in_frames(run, self.burnin), np.nan, values)
                    for run, values in zip(counted.repetitions, counted.for_accuracy, strict=True)
                ]
            )
            failures[video.name] = [len(failure_frames(run)) for run in counted.repetitions]
        return {"overlaps": overlaps, "failures": failures}


def _mean_overlaps(repetitions: list[np.ndarray]) -> list[float]:
    """Mean a frame over the repetitions in which it counts; NaN where it counts in none."""
    overlaps = np.stack(repetitions)
    counts = np.sum(~np.isnan(overlaps), axis=0)
    sums = np.nansum(overlaps, axis=0)
    return np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0).tolist()
