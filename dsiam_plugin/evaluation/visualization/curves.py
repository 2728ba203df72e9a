"""Ranked curves: one line a tracker, the score of each in the legend."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dsiam_plugin.evaluation.visualization.figures import Axes, Figure, drawing, new_figure
from dsiam_plugin.evaluation.visualization.styles import TrackerStyle, styles
from dsiam_plugin.io.tables import ranked

LEGEND_NAME_LENGTH = 34
PLOT_INCHES = (6.0, 4.6)  # the axes with their labels; the legend's width comes on top


@dataclass(frozen=True)
class Curve:
    """One tracker's line."""

    label: str  # the name as the legend shows it (with its gaps)
    values: np.ndarray  # the ordinates, (T,); NaN where there is nothing to draw
    score: float  # the number the trackers are ranked by; NaN where there is none
    bold: bool = False  # print the legend's entry in bold


@dataclass(frozen=True)
class CurvePlot:
    """Titles, abscissae and ranges of a plot of curves."""

    title: str  # title, x_label, y_label: printed as they are
    x_label: str
    y_label: str
    x: np.ndarray  # the abscissae, (T,)
    y_range: tuple[float, float] | None = (0.0, 1.0)  # ends of the ordinate; None fits the curves
    # Abscissae of thin vertical lines: where a score is read, or an interval's ends
    marks: Sequence[float] = ()


def draw_curves(
    plot: CurvePlot,
    curves: Mapping[str, Curve],
    looks: Mapping[str, TrackerStyle] | None = None,
) -> Figure:
    """One figure with every curve, best score first in the legend beside the axes.

    Args:
        plot: Titles, abscissae and ranges.
        curves: Tracker -> its curve.
        looks: Tracker -> style, to keep a tracker's look over several plots; by default styles
            follow the ranking.
    """
    order = ranked({name: curve.score for name, curve in curves.items()})
    looks = looks or styles(order)
    entries = [legend_entry(curves[name].label, curves[name].score) for name in order]
    with drawing():
        figure = new_figure(PLOT_INCHES[0] + legend_inches(entries), PLOT_INCHES[1])
        axes = figure.add_subplot()
        for mark in plot.marks:
            axes.axvline(mark, color="#777777", linewidth=0.8, linestyle=(0, (4, 3)))
        for rank, (name, entry) in enumerate(zip(order, entries, strict=True)):
            look = looks[name]
            axes.plot(
                plot.x,
                curves[name].values,
                color=look.color,
                linestyle=look.line,
                label=entry,
                zorder=3 + (len(order) - rank) / len(order),  # the best on top
            )
        _finish(axes, plot)
        place_legend(axes, bold=[curves[name].bold for name in order])
    return figure


def legend_entry(name: str, score: float) -> str:
    """``[0.607] SiamFC-3s``; very long names cut in the middle, a dash where there is no score."""
    number = "  -  " if math.isnan(score) else f"{score:.3f}"
    return f"[{number}] {shorten(name)}"


def legend_inches(entries: Sequence[str]) -> float:
    """Width to leave for a legend, so that long names do not shrink the axes."""
    return 0.7 + 0.075 * max(map(len, entries))


def shorten(name: str, length: int = LEGEND_NAME_LENGTH) -> str:
    """Cuts a long name in the middle: variants of one tracker differ at their ends."""
    if len(name) <= length:
        return name
    head = length // 2
    return f"{name[:head]}…{name[-(length - head - 1) :]}"


def place_legend(axes: Axes, bold: Sequence[bool] = (), x: float = 1.02) -> None:
    """Puts the legend right of the axes, where it hides no curve; more than 24 in two columns.

    Args:
        axes: Has the labelled lines.
        bold: Which entries are bold; the others stay normal.
        x: The legend's left edge, the axes' width being 1.
    """
    count = len(axes.get_legend_handles_labels()[1])
    legend = axes.legend(
        loc="upper left",
        bbox_to_anchor=(x, 1.0),
        borderaxespad=0.0,
        handlelength=2.8,
        ncols=1 if count <= 24 else 2,
    )
    for text, heavy in zip(legend.get_texts(), bold, strict=False):
        text.set_fontweight("bold" if heavy else "normal")


def _finish(axes: Axes, plot: CurvePlot) -> None:
    """Titles, ranges and ticks."""
    axes.set_title(plot.title, loc="left")
    axes.set_xlabel(plot.x_label)
    axes.set_ylabel(plot.y_label)
    axes.set_xlim(plot.x[0], plot.x[-1])
    if plot.y_range is not None:
        axes.set_ylim(*plot.y_range)
