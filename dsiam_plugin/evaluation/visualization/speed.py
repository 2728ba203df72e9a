"""Accuracy and expected average overlap over speed (Table 1 as a picture)."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

from dsiam_plugin.evaluation.visualization.curves import legend_inches, place_legend, shorten
from dsiam_plugin.evaluation.visualization.figures import Axes, Figure, drawing, new_figure, save
from dsiam_plugin.evaluation.visualization.published import PublishedScore
from dsiam_plugin.evaluation.visualization.styles import MUTED, style

AXES = {"accuracy": "Accuracy (mean overlap)", "eao": "Expected average overlap"}
MARGIN = 1.6  # factor left free beside the slowest and the fastest


@dataclass(frozen=True)
class SpeedScore:
    """One tracker's quality and speed."""

    label: str  # the name as the legend shows it
    accuracy: float  # mean overlap while tracking
    eao: float  # expected average overlap
    speed: float  # in the plot's unit, > 0; NaN where it was not measured, then it is not drawn


def draw_speed(
    scores: Sequence[SpeedScore],
    name: str,
    unit: str = "frames/s",
    published: Sequence[PublishedScore] = (),
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """Draws accuracy and EAO over speed, two panels with one legend; one where no EAO is known.

    Args:
        scores: The evaluated trackers, at least one with a speed.
        name: The data set's name, for the title and the file names.
        unit: What the speeds are in. Published ones are in EFO: give ``published`` only with it.
        published: Drawn as grey dots.
        path: Folder for ``<name>_speed.png`` and ``.pdf``; None writes nothing.
    """
    known_eao = not all(math.isnan(score.eao) for score in scores)
    measures = tuple(AXES)[: 2 if known_eao else 1]
    ordered = sorted(scores, key=lambda score: (-getattr(score, measures[-1]), score.label))
    with drawing():
        figure = new_figure(8.4 + legend_inches([shorten(score.label) for score in scores]), 4.4)
        panels = figure.subplots(1, len(measures), sharex=True, squeeze=False)[0]
        for axes, measure in zip(panels, measures, strict=True):
            _panel(axes, measure, ordered, published, unit)
            axes.set_ylabel(AXES[measure])
        figure.suptitle(f"Quality and speed on {name}", fontweight="bold", fontsize=12)
        place_legend(panels[-1])
    save(figure, path, f"{name}_speed")
    return figure


def _panel(
    axes: Axes,
    measure: str,
    scores: Sequence[SpeedScore],
    published: Sequence[PublishedScore],
    unit: str,
) -> None:
    """One measure over speed, which spans orders of magnitude, hence the logarithm."""
    axes.set_xscale("log")
    speeds = [score.speed for score in scores if not math.isnan(score.speed)]
    speeds += [row.speed_efo for row in published]
    axes.set_xlim(min(speeds) / MARGIN, max(speeds) * MARGIN)  # a single one has no range
    for index, score in enumerate(scores):
        if not math.isnan(score.speed):
            axes.plot(
                score.speed,
                getattr(score, measure),
                marker=style(index).marker,
                color=style(index).color,
                markersize=8,
                linestyle="none",
                label=shorten(score.label),
                zorder=3,
            )
    axes.plot(
        [row.speed_efo for row in published],
        [getattr(row, measure) for row in published],
        marker=".",
        color=MUTED,
        linestyle="none",
        label=f"published ({len(published)})" if published else None,
        zorder=2,
    )
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel(f"Speed ({unit})")
