"""Success and precision plots of one-pass evaluation, for a whole set or one attribute (Fig. 6)."""

import os
from collections.abc import Mapping, Sequence

import numpy as np

from dsiam_plugin.evaluation.measures.metrics import (
    NORM_PRECISION_THRESHOLDS,
    PRECISION_INDEX,
    PRECISION_THRESHOLDS_PX,
    SUCCESS_THRESHOLDS,
)
from dsiam_plugin.evaluation.measures.summary import ONE_PASS_SCORES, mean_curve, success_score
from dsiam_plugin.evaluation.visualization.attribute_names import attribute_title
from dsiam_plugin.evaluation.visualization.curves import Curve, CurvePlot, draw_curves
from dsiam_plugin.evaluation.visualization.figures import Figure, save
from dsiam_plugin.evaluation.visualization.styles import TrackerStyle, styles
from dsiam_plugin.io.tables import ranked, tracker_label

VideoCurves = Mapping[str, Mapping[str, np.ndarray]]  # tracker -> video -> curve (T,)

THRESHOLDS = {
    "success": SUCCESS_THRESHOLDS,
    "precision": PRECISION_THRESHOLDS_PX,
    "norm_precision": NORM_PRECISION_THRESHOLDS,
}


def draw_success_precision(
    success_ret: VideoCurves,
    name: str,
    videos: Sequence[str],
    attr: str,
    precision_ret: VideoCurves | None = None,
    norm_precision_ret: VideoCurves | None = None,
    bold_name: str | None = None,
    axis: Sequence[float] = (0, 1),
    path: str | os.PathLike[str] | None = None,
    protocol: str = "OPE",
) -> dict[str, Figure]:
    """Draws the plots of one set of videos; the arguments are pysot's, and the last two.

    A tracker keeps its colour and line over all plots made from the same results: they follow
    the success over all its videos, not over ``videos`` alone. One that lacks some of ``videos``
    carries its share in the legend and is averaged over those it has.

    Args:
        success_ret: Tracker -> video -> success at 21 overlaps 0:0.05:1.
        name: The data set's name, for the title and the file names.
        videos: The videos to average over.
        attr: ``"ALL"`` or the attribute the videos share, for the title.
        precision_ret: Tracker -> video -> precision at 0..50 px.
        norm_precision_ret: Tracker -> video -> normalised precision at 0:0.01:0.5.
        bold_name: The tracker whose legend entry is bold.
        axis: Lower and upper end of the ordinate.
        path: Folder for ``<name>_<measure>_<attr>.png`` and ``.pdf``; None writes nothing.
        protocol: OPE, TRE or SRE, for the title.

    Returns:
        Measure (``success``, ``precision``, ``norm_precision``) -> matplotlib figure.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        OSError: The folder cannot be written.
    """
    measures = {
        "success": success_ret,
        "precision": precision_ret,
        "norm_precision": norm_precision_ret,
    }
    looks = tracker_styles({**(norm_precision_ret or {}), **(precision_ret or {}), **success_ret})
    figures = {}
    for measure, curves in measures.items():
        if curves:
            plot = _plot(measure, f"{protocol} on {name}", attr, len(videos), (axis[0], axis[1]))
            lines = _average(curves, videos, measure, bold_name)
            figures[measure] = draw_curves(plot, lines, looks)
            save(figures[measure], path, f"{name}_{measure}_{attr}")
    return figures


def tracker_styles(success_ret: VideoCurves) -> dict[str, TrackerStyle]:
    """Styles by the success over everything a tracker has run, best first."""
    return styles(ranked({name: success_score(curves) for name, curves in success_ret.items()}))


def _average(
    curves: VideoCurves, videos: Sequence[str], measure: str, bold_name: str | None
) -> dict[str, Curve]:
    """Each tracker's mean curve over the videos it has, with its score and share."""
    lines = {}
    for tracker, by_video in curves.items():
        found = {video: by_video[video] for video in videos if video in by_video}
        mean = mean_curve(found) if found else np.full(len(THRESHOLDS[measure]), np.nan)
        score = ONE_PASS_SCORES[measure](found)
        label = tracker_label(tracker, len(found), len(videos))
        lines[tracker] = Curve(label, mean, score, bold=tracker == bold_name)
    return lines


def _plot(measure: str, of: str, attr: str, count: int, y_range: tuple[float, float]) -> CurvePlot:
    """Title, labels and the threshold whose value is the score."""
    heading, x_label, y_label = {
        "success": ("Success", "Overlap threshold", "Success rate"),
        "precision": ("Precision", "Location error threshold (px)", "Precision"),
        "norm_precision": (
            "Normalized precision",
            "Location error threshold (share of the target's size)",
            "Normalized precision",
        ),
    }[measure]
    x = THRESHOLDS[measure]
    marks = () if measure == "success" else (float(x[PRECISION_INDEX]),)
    subset = "" if attr == "ALL" else f", {attribute_title(attr)}"
    title = f"{heading} plots of {of}{subset} ({count})"
    return CurvePlot(title, x_label, y_label, x, y_range, marks)
