"""Expected average overlap: the curve over the run's length and the ranking (Fig. 8)."""

import os
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from dsiam_plugin.evaluation.visualization.curves import (
    Curve,
    CurvePlot,
    draw_curves,
    legend_entry,
    legend_inches,
    place_legend,
)
from dsiam_plugin.evaluation.visualization.figures import Axes, Figure, drawing, new_figure, save
from dsiam_plugin.evaluation.visualization.styles import MUTED, TrackerStyle, styles
from dsiam_plugin.io.tables import ranked

SHOWN_INTERVALS = 2  # how far beyond the interval's end, where few sequences are so long
NAMED = 15  # trackers in the ranking's legend; the paper shows as many "for clarity"


def draw_eao_curves(
    curves: Mapping[str, Curve],
    name: str,
    interval: tuple[int, int],
    path: str | os.PathLike[str] | None = None,
    definition: str = "pysot",
) -> Figure:
    """Draws the expected overlap over the length of a run.

    Args:
        curves: Tracker -> expected overlap of runs of 1, 2, ... frames after the start, (N,) all
            of one length, and its EAO as score.
        name: The data set's name, for the title and the file names.
        interval: Shortest and longest run over which EAO is the mean; drawn as two lines.
        path: Folder for ``<name>_eao_curve.png`` and ``.pdf``; None writes nothing.
        definition: Whose expected average overlap it is, for the title.
    """
    length = max(len(curve.values) for curve in curves.values())
    highest = max(float(np.nan_to_num(curve.values).max()) for curve in curves.values())
    shown = min(length, SHOWN_INTERVALS * interval[1])
    plot = CurvePlot(
        f"Expected overlap ({definition}) on {name}, EAO of {interval[0]} to {interval[1]} frames",
        "Sequence length (frames)",
        "Expected overlap",
        np.arange(1, shown + 1),
        y_range=(0.0, min(1.0, 1.05 * highest) or 1.0),
        marks=interval,
    )
    cut = {name: replace(curve, values=curve.values[:shown]) for name, curve in curves.items()}
    figure = draw_curves(plot, cut)
    save(figure, path, f"{name}_eao_curve")
    return figure


def draw_eao_ranking(
    scores: Mapping[str, float],
    name: str,
    published: Mapping[str, float] | None = None,
    path: str | os.PathLike[str] | None = None,
    definition: str = "pysot",
) -> Figure:
    """Draws EAO over rank, the best at the right as in the VOT reports.

    The evaluated trackers are filled and always named; the best of the published ones are named
    too, up to 15 in all, and the rest are grey dots that give the field.

    Args:
        scores: Evaluated tracker (as the legend shows it) -> EAO.
        name: The data set's name, for the title and the file names.
        published: Other tracker -> published EAO.
        path: Folder for ``<name>_eao_ranking.png`` and ``.pdf``; None writes nothing.
        definition: Whose expected average overlap it is, for the title.
    """
    others = {f"{tracker} (published)": eao for tracker, eao in (published or {}).items()}
    order = ranked({**others, **scores})
    free = max(0, NAMED - len(scores))
    named = set(scores) | set(ranked(others)[:free])
    looks = styles([*ranked(scores), *ranked(others)[:free]])  # first the same as elsewhere
    with drawing():
        from matplotlib.ticker import MaxNLocator

        figure = new_figure(6.6 + legend_inches([legend_entry(name, 0.0) for name in named]), 4.8)
        axes = figure.add_subplot()
        for rank, tracker in enumerate(order, start=1):
            eao = {**others, **scores}[tracker]
            if tracker not in named:
                axes.plot(rank, eao, marker=".", color=MUTED, linestyle="none", zorder=2)
                continue
            label = f"{rank}. {legend_entry(tracker, eao)}"
            _draw_named(axes, (rank, eao), label, looks[tracker], filled=tracker in scores)
        axes.set_xlim(len(order) + 0.5, 0.5)
        axes.set_ylim(bottom=0.0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.set(xlabel="Rank", ylabel="Expected average overlap")
        axes.set_title(f"Expected average overlap ({definition}) on {name}", loc="left")
        place_legend(axes, bold=[tracker in scores for tracker in order if tracker in named])
    save(figure, path, f"{name}_eao_ranking")
    return figure


def _draw_named(
    axes: Axes, point: tuple[int, float], label: str, style: TrackerStyle, filled: bool
) -> None:
    axes.plot(
        *point,
        marker=style.marker,
        color=style.color,
        markerfacecolor=style.color if filled else "white",
        markersize=8,
        linestyle="none",
        label=label,
        zorder=3,
    )
