"""One-pass evaluation: success, precision and normalised precision of every sequence."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dsiam_plugin.evaluation.measures.base import TrackerBenchmark
from dsiam_plugin.evaluation.measures.metrics import (
    box_centres,
    norm_precision_curve,
    normalised_centres,
    precision_curve,
    success_curve,
)
from dsiam_plugin.evaluation.measures.result_tables import ONE_PASS
from dsiam_plugin.evaluation.measures.summary import CurvesByTracker, one_pass_entry

Curve = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


class OPEBenchmark(TrackerBenchmark):
    """Curves by tracker and sequence; pysot's class.

    Sequences without a usable result are left out of a tracker's dictionary; `coverage` says
    which and why.
    """

    def convert_bb_to_center(self, bboxes: np.ndarray) -> np.ndarray:
        """Centres of boxes, (frames, 4) to (frames, 2), px."""
        return box_centres(bboxes)

    def convert_bb_to_norm_center(self, bboxes: np.ndarray, gt_wh: np.ndarray) -> np.ndarray:
        """Centres of boxes, (frames, 4), divided by annotated widths and heights, (frames, 2)."""
        return normalised_centres(bboxes, gt_wh)

    def eval_success(self, eval_trackers: str | Sequence[str] | None = None) -> CurvesByTracker:
        """Success curves.

        Returns:
            Tracker to sequence to (21,) shares at overlaps above 0, 0.05, ..., 1.
        """
        return self._eval(success_curve, eval_trackers)

    def eval_precision(self, eval_trackers: str | Sequence[str] | None = None) -> CurvesByTracker:
        """Precision curves.

        Returns:
            Tracker to sequence to (51,) shares at centre distances up to 0, 1, ..., 50 px.
        """
        return self._eval(precision_curve, eval_trackers)

    def eval_norm_precision(
        self, eval_trackers: str | Sequence[str] | None = None
    ) -> CurvesByTracker:
        """Normalised precision curves.

        Returns:
            Tracker to sequence to (51,) shares at distances up to 0, 0.01, ..., 0.5 of the target.
        """
        return self._eval(norm_precision_curve, eval_trackers)

    def show_result(
        self,
        success_ret: CurvesByTracker,
        precision_ret: CurvesByTracker | None = None,
        norm_precision_ret: CurvesByTracker | None = None,
        show_video_level: bool = False,
        helight_threshold: float = 0.6,
    ) -> None:
        """Print a table of the trackers, best first, and on request of the sequences.

        Args:
            success_ret: From `eval_success`.
            precision_ret: From `eval_precision`, or None.
            norm_precision_ret: From `eval_norm_precision`, or None.
            show_video_level: Print the sequences too, for fewer than ten trackers.
            helight_threshold: Scores of sequences below it are red on a terminal.
        """
        given = {
            "success": success_ret,
            "precision": precision_ret,
            "norm_precision": norm_precision_ret,
        }
        entries = {
            name: one_pass_entry(
                self.dataset, {measure: curves[name] for measure, curves in given.items() if curves}
            )
            for name in success_ret
        }
        videos = ("success", "precision") if show_video_level and precision_ret else ()
        self.show(entries, ONE_PASS, "success", dict.fromkeys(videos, helight_threshold))

    def _eval(self, curve: Curve, eval_trackers: str | Sequence[str] | None) -> CurvesByTracker:
        return {
            tracker: {
                video.name: curve(*_visible(video, result), _frame_count(video))
                for video, result in self.results(tracker)
            }
            for tracker in self.asked(eval_trackers)
        }


def _visible(video: Any, result: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """Annotation and result without the frames that the data set marks as without target."""
    truth, boxes = np.asarray(video.gt_traj, dtype=float), np.asarray(result, dtype=float)
    if hasattr(video, "absent"):
        visible = np.asarray(video.absent) == 1  # pysot's flag is 1 where the target is there
        truth, boxes = truth[visible], boxes[visible]
    return truth, boxes


def _frame_count(video: Any) -> int:
    """Frames that scores are shares of: all of them as in pysot, or as in got10k the visible."""
    if getattr(video, "hidden_frames_fail", True) or not hasattr(video, "absent"):
        return len(video.gt_traj)
    return int(np.sum(np.asarray(video.absent) == 1))
