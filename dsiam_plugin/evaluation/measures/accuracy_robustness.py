"""Accuracy and robustness of VOT's restart experiment, in the two definitions in use."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dsiam_plugin.evaluation.measures.base import TrackerBenchmark, check_rows
from dsiam_plugin.evaluation.measures.regions import CODE, Convention
from dsiam_plugin.evaluation.measures.restart_metrics import burn_in_frames, failure_frames
from dsiam_plugin.evaluation.measures.result_tables import RESTARTS
from dsiam_plugin.evaluation.measures.run_overlaps import OverlapCounter, RunOverlaps
from dsiam_plugin.evaluation.measures.summary import AccuracyRobustness, EAOByTag, restart_entry


class RestartBenchmark(TrackerBenchmark):
    """A benchmark whose results are repetitions of a restart run."""

    def __init__(self, dataset: Any, counter: OverlapCounter | None = None) -> None:
        super().__init__(dataset)
        self.counter = counter or OverlapCounter()

    def _check(self, video: Any, result: Any) -> None:
        for repetition in result:
            check_rows(video, len(repetition))


class AccuracyRobustnessBenchmark(RestartBenchmark):
    """Overlaps and losses by tracker and sequence; pysot's class.

    Attributes:
        burnin: Frames from each start on that do not count for the accuracy.
        definition: "pysot", or "vot" for the VOT toolkit's `supervised_average_ar`.
    """

    def __init__(
        self,
        dataset: Any,
        burnin: int = 10,
        *,
        definition: Convention = "pysot",
        counter: OverlapCounter | None = None,
    ) -> None:
        super().__init__(dataset, counter or OverlapCounter(definition))
        self.burnin = burnin
        self.definition = definition

    def eval(
        self, eval_trackers: str | Sequence[str] | None = None
    ) -> dict[str, AccuracyRobustness]:
        """Overlaps of frames that count, and how often the tracker was lost.

        Returns:
            Tracker to {"overlaps": {sequence: one a frame, the mean over the repetitions, NaN
            where no repetition counts}, "failures": {sequence: losses of each repetition}}; with
            the VOT toolkit's definition also "accuracy": {sequence: mean overlap of each
            repetition, 0 where no frame counts}.
        """
        return {tracker: self._eval(tracker) for tracker in self.asked(eval_trackers)}

    def show_result(
        self,
        result: dict[str, AccuracyRobustness],
        eao_result: dict[str, EAOByTag] | None = None,
        show_video_level: bool = False,
        helight_threshold: float = 0.5,
        eao_note: str = "EAO: pysot's definition",
    ) -> None:
        """Print a table of the trackers, and on request of the sequences.

        Args:
            result: From `eval`.
            eao_result: From `EAOBenchmark.eval`, or None; trackers are then sorted by it.
            show_video_level: Print the sequences too, for fewer than ten trackers.
            helight_threshold: Accuracies of sequences below it are red on a terminal.
            eao_note: Printed below a table with EAO; `EAOBenchmark.describe()` gives it.
        """
        by_eao = eao_result is not None
        entries = {
            name: restart_entry(scores, (eao_result or {}).get(name))
            for name, scores in result.items()
        }
        columns = {**RESTARTS, "eao": "EAO"} if by_eao else RESTARTS
        low = {"accuracy": helight_threshold, "lost": None} if show_video_level else {}
        self.show(entries, columns, "eao" if by_eao else "", low, eao_note if by_eao else "")

    def _eval(self, tracker: str) -> AccuracyRobustness:
        result: AccuracyRobustness = {"overlaps": {}, "failures": {}}
        if self.definition == "vot":
            result["accuracy"] = {}
        for video, repetitions in self.results(tracker):
            counted = self.counter.count(video, repetitions)
            overlaps = self._counting(counted)
            result["overlaps"][video.name] = _means(overlaps, axis=0, empty=np.nan)
            result["failures"][video.name] = [
                len(failure_frames(run)) for run in counted.repetitions
            ]
            if self.definition == "vot":
                result["accuracy"][video.name] = _means(overlaps, axis=1, empty=0.0)
        return result

    def _counting(self, counted: RunOverlaps) -> np.ndarray:
        """Overlaps that count, (repetitions, frames); NaN in the other frames."""
        ignored = [
            burn_in_frames(run, self.burnin) | (run.sizes == CODE) for run in counted.repetitions
        ]
        return np.where(np.stack(ignored), np.nan, counted.for_accuracy)


def _means(overlaps: np.ndarray, axis: int, empty: float) -> list[float]:
    """Means of what is not NaN along an axis; `empty` where all is."""
    counts = np.sum(~np.isnan(overlaps), axis=axis)
    sums = np.nansum(overlaps, axis=axis)
    return np.divide(sums, counts, out=np.full(len(sums), empty), where=counts > 0).tolist()
