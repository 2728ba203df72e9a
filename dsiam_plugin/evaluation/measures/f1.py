"""Precision, recall and F-measure of VOT's long-term experiment."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.measures.base import TrackerBenchmark, check_rows
from dsiam_plugin.evaluation.measures.longterm_metrics import (
    confidence_thresholds,
    f_measure,
    precision_recall,
)
from dsiam_plugin.evaluation.measures.regions import CODE, Regions, region_overlaps
from dsiam_plugin.evaluation.measures.result_tables import LONG_TERM
from dsiam_plugin.evaluation.measures.summary import LongTerm, long_term_entry


class F1Benchmark(TrackerBenchmark):
    """Precision, recall and F-measure by tracker and sequence; pysot's class."""

    def eval(self, eval_trackers: str | Sequence[str] | None = None) -> dict[str, LongTerm]:
        """Curves over 100 thresholds on the confidence, the highest first.

        Returns:
            Tracker to {"precision", "recall", "f1"}, each sequence to (100,).

        Raises:
            BenchmarkError: A tracker left too few confidences.
        """
        return {tracker: self._eval(tracker) for tracker in self.asked(eval_trackers)}

    def show_result(
        self,
        result: dict[str, LongTerm],
        show_video_level: bool = False,
        helight_threshold: float = 0.5,
    ) -> None:
        """Print a table of the trackers, best first, and on request of the sequences."""
        entries = {name: long_term_entry(measures) for name, measures in result.items()}
        videos = tuple(LONG_TERM) if show_video_level else ()
        self.show(entries, LONG_TERM, "f1", dict.fromkeys(videos, helight_threshold))

    def _eval(self, tracker: str) -> LongTerm:
        results = list(self.results(tracker))
        measures: LongTerm = {"precision": {}, "recall": {}, "f1": {}}
        if not results:
            return measures
        scores = {video.name: np.asarray(confidence, float) for video, (_, confidence) in results}
        thresholds = confidence_thresholds(np.concatenate(list(scores.values())))[::-1]
        for video, (trajectory, _) in results:
            truth = Regions.pack(video.gt_traj)
            overlaps = region_overlaps(Regions.pack(trajectory), truth, (video.width, video.height))
            visible = int(np.sum(truth.sizes > CODE))
            precision, recall = precision_recall(overlaps, scores[video.name], thresholds, visible)
            measures["precision"][video.name] = precision
            measures["recall"][video.name] = recall
            measures["f1"][video.name] = f_measure(precision, recall)
        return measures

    def _stored(self, video: Any, tracker: str) -> Any:
        return video.pred_trajs[tracker], video.confidence[tracker]

    def _check(self, video: Any, result: Any) -> None:
        trajectory, confidence = result
        check_rows(video, len(trajectory))
        if len(confidence) != len(trajectory):
            raise ResultsError(
                f"{video.name}: {len(confidence)} confidences for {len(trajectory)} regions"
            )
