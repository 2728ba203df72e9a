"""Differences between trackers on every sequence, as bars."""

import os
from collections.abc import Mapping

import numpy as np

from dsiam_plugin.evaluation.visualization.figures import Figure, drawing, new_figure, save
from dsiam_plugin.evaluation.visualization.styles import style

WIDTH_INCHES = 12.0


def draw_gains(
    gains: Mapping[str, Mapping[str, float]],
    name: str,
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """Draws bars in the order of the first comparison, the largest first.

    Args:
        gains: What is compared -> sequence -> difference; sequences that the first lacks follow.
        name: The data set's name, for the title and the file's name.
        path: Folder for ``<name>_gains.png`` and ``.pdf``; None writes nothing.
    """
    first = next(iter(gains.values()))
    order = sorted(first, key=lambda video: (-first[video], video))
    order += sorted({video for of in gains.values() for video in of} - set(order))
    places, width = np.arange(len(order)), 0.84 / len(gains)
    with drawing():
        figure = new_figure(WIDTH_INCHES, 4.2)
        axes = figure.add_subplot()
        for index, (what, values) in enumerate(gains.items()):
            mean = np.mean(list(values.values()))
            axes.bar(
                places + (index - (len(gains) - 1) / 2) * width,
                [values.get(video, np.nan) for video in order],
                width,
                color=style(index).color,
                label=f"{what} (mean {mean:+.3f})",
            )
        axes.axhline(0.0, color="#555555", linewidth=0.8)
        axes.grid(axis="x", visible=False)
        axes.set_xlim(-0.6, len(order) - 0.4)
        axes.set_xticks(places, order, rotation=90, fontsize=8)
        axes.set_ylabel("Difference in success")
        axes.set_title(f"Gains by sequence on {name}", loc="left")
        axes.legend(loc="upper right")
    save(figure, path, f"{name}_gains")
    return figure
