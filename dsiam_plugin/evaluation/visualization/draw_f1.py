"""Precision over recall of long-term tracking, with the contours of equal F1."""

import os
from collections.abc import Mapping

import numpy as np

from dsiam_plugin.evaluation.measures.summary import LongTerm, best_f1, f1_scores, mean_curve
from dsiam_plugin.evaluation.visualization.curves import legend_entry, legend_inches, place_legend
from dsiam_plugin.evaluation.visualization.figures import Axes, Figure, drawing, new_figure, save
from dsiam_plugin.evaluation.visualization.styles import styles
from dsiam_plugin.io.tables import ranked


def draw_f1(
    result: Mapping[str, LongTerm],
    bold_name: str | None = None,
    path: str | os.PathLike[str] | None = None,
    name: str = "VOT2018-LT",
) -> Figure:
    """Draws precision over recall; the arguments are pysot's, and two more.

    A dot marks where a tracker's F1 is largest; that F1 ranks the legend. Trackers without any
    video are left out.

    Args:
        result: Tracker -> ``precision`` and ``recall`` -> video -> values at falling confidence
            thresholds, (T,), as ``F1Benchmark.eval`` returns them.
        bold_name: The tracker whose legend entry is bold.
        path: Folder for ``<name>_f1.png`` and ``.pdf``; None writes nothing.
        name: The data set's name, for the title and the file names.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        OSError: The folder cannot be written.
    """
    best = {tracker: f1_scores(row)[2] for tracker, row in result.items() if row["precision"]}
    order = ranked(best)
    looks = styles(order)
    entries = {tracker: legend_entry(tracker, best[tracker]) for tracker in order}
    with drawing():
        figure = new_figure(5.6 + legend_inches(list(entries.values())), 5.2)
        axes = figure.add_subplot()
        _contours(axes)
        for tracker in order:
            precision, recall = (mean_curve(result[tracker][m]) for m in ("precision", "recall"))
            look = looks[tracker]
            axes.plot(
                recall, precision, color=look.color, linestyle=look.line, label=entries[tracker]
            )
            peak = best_f1(precision, recall)
            axes.plot(recall[peak], precision[peak], color=look.color, marker="o", markersize=6)
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect=1, xlabel="Recall", ylabel="Precision")
        axes.set_title(f"Precision over recall on {name}", loc="left")
        place_legend(axes, bold=[tracker == bold_name for tracker in order], x=1.08)
    save(figure, path, f"{name}_f1")
    return figure


def _contours(axes: Axes) -> None:
    """Lines of equal F1 from 0.1 to 0.9, named at their right ends."""
    for score in np.arange(1, 10) / 10:
        recall = np.linspace(score / (2 - score), 1.0, 100)
        precision = score * recall / (2 * recall - score)
        axes.plot(recall, precision, color="#bbbbbb", linewidth=0.8, zorder=1)
        axes.annotate(
            f"{score:.1f}",
            (1.0, precision[-1]),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color="#777777",
        )
