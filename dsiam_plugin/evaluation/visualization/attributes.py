"""All attributes at a glance: a radar and bars of one measure, usually success (Fig. 7)."""

import math
import os
from collections.abc import Mapping, Sequence

import numpy as np

from dsiam_plugin.evaluation.visualization.attribute_names import attribute_title
from dsiam_plugin.evaluation.visualization.curves import legend_entry, legend_inches, place_legend
from dsiam_plugin.evaluation.visualization.figures import Axes, Figure, drawing, new_figure, save
from dsiam_plugin.evaluation.visualization.radar import draw_radar
from dsiam_plugin.evaluation.visualization.styles import TrackerStyle, styles
from dsiam_plugin.io.tables import ranked

OVERALL = "ALL"
HATCHES = {"-": "", "--": "////", ":": "....", "-.": "xxxx"}  # bars have no line style
BARS_PER_ROW = 66  # more and a bar is thinner than its hatch
GROUPS_PER_ROW = 8  # more and the attributes' names touch

Scores = Mapping[str, Mapping[str, float]]  # tracker -> "ALL" and attributes -> score


def draw_attributes(
    scores: Scores,
    name: str,
    sizes: Mapping[str, int],
    measure: str = "Success AUC",
    labels: Mapping[str, str] | None = None,
    path: str | os.PathLike[str] | None = None,
) -> dict[str, Figure]:
    """Draws the radar and the bars of every attribute.

    Args:
        scores: Tracker -> attribute -> score in [0, 1], NaN where it has no result; the entry
            ``"ALL"`` ranks the trackers.
        name: The data set's name, for the titles and the file names.
        sizes: Attribute -> number of its videos, in the order to be drawn.
        measure: What the scores are, for the titles.
        labels: Tracker -> its name in the legend (with gaps); by default the name.
        path: Folder for ``<name>_attributes_radar`` and ``_bars``, PNG and PDF; None writes
            nothing.

    Returns:
        ``radar`` and ``bars`` -> matplotlib figure; no radar below three attributes.
    """
    order = ranked({tracker: row[OVERALL] for tracker, row in scores.items()})
    looks = styles(order)
    legend = {
        tracker: legend_entry((labels or {}).get(tracker, tracker), scores[tracker][OVERALL])
        for tracker in order
    }
    title = f"{measure} by attribute on {name}"
    figures = {"bars": _bars(title, scores, sizes, legend, looks)}
    attributes = [attribute for attribute in sizes if attribute != OVERALL]
    if len(attributes) >= 3:
        table = np.array([[scores[tracker][a] for a in attributes] for tracker in order])
        spokes = [f"{attribute_title(a)} ({sizes[a]})" for a in attributes]
        figures["radar"] = draw_radar(
            title, spokes, list(legend.values()), table, list(looks.values()), ring_labels=True
        )
    for kind, figure in figures.items():
        save(figure, path, f"{name}_attributes_{kind}")
    return figures


def _bars(
    title: str,
    scores: Scores,
    sizes: Mapping[str, int],
    legend: Mapping[str, str],
    looks: Mapping[str, TrackerStyle],
) -> Figure:
    """Groups of bars, broken into as many rows as keep them wide enough to read."""
    attributes = list(sizes)
    rows = max(
        round(len(attributes) * len(legend) / BARS_PER_ROW),
        math.ceil(len(attributes) / GROUPS_PER_ROW),
    )
    chunks = [list(chunk) for chunk in np.array_split(np.array(attributes, dtype=object), rows)]
    with drawing():
        figure = new_figure(9.6 + legend_inches(list(legend.values())), 0.6 + 3.2 * rows)
        panels = figure.subplots(rows, squeeze=False)[:, 0]
        top = np.nanmax([[row[a] for a in attributes] for row in scores.values()])
        for axes, chunk in zip(panels, chunks, strict=True):
            _bar_row(axes, chunk, scores, sizes, legend, looks)
            axes.set_ylim(0.0, min(1.0, 1.08 * top) or 1.0)
        panels[0].set_title(title, loc="left")
        place_legend(panels[0])
    return figure


def _bar_row(
    axes: Axes,
    attributes: Sequence[str],
    scores: Scores,
    sizes: Mapping[str, int],
    legend: Mapping[str, str],
    looks: Mapping[str, TrackerStyle],
) -> None:
    """One row of groups, the trackers of each group in the legend's order."""
    width = 0.84 / len(legend)
    places = np.arange(len(attributes))
    for index, (tracker, label) in enumerate(legend.items()):
        look = looks[tracker]
        axes.bar(
            places + (index - (len(legend) - 1) / 2) * width,
            [scores[tracker][attribute] for attribute in attributes],
            width,
            color=look.color,
            edgecolor="white",
            linewidth=0.4,
            hatch=HATCHES[look.line],
            label=label,
        )
    axes.grid(axis="x", visible=False)
    axes.set_xlim(-0.55, len(attributes) - 0.45)
    axes.set_xticks(places, [_group_name(attribute, sizes) for attribute in attributes])


def _group_name(attribute: str, sizes: Mapping[str, int]) -> str:
    words = "all videos" if attribute == OVERALL else attribute_title(attribute)
    return f"{words.replace(' ', chr(10), 1)}\n({sizes[attribute]})"
