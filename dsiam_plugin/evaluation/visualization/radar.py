"""Radar charts: one spoke an attribute, one closed line a tracker."""

from collections.abc import Sequence
from typing import Literal, cast

import numpy as np

from dsiam_plugin.evaluation.visualization.curves import legend_inches
from dsiam_plugin.evaluation.visualization.figures import Figure, PolarAxes, drawing, new_figure
from dsiam_plugin.evaluation.visualization.styles import TrackerStyle, style

# Inches: the figure's height, the circle's (left, bottom, diameter) with room for two lines of
# names around it, and the left edge of the legend.
HEIGHT = 6.0
CIRCLE = (1.7, 0.6, 4.4)
LEGEND_LEFT = 7.9
SMALLEST_RADIUS = 0.1  # of the circle, where all values are 0


def draw_radar(
    title: str,
    spokes: Sequence[str],
    labels: Sequence[str],
    values: np.ndarray,
    looks: Sequence[TrackerStyle] | None = None,
    ring_labels: bool = False,
) -> Figure:
    """Draws one radar.

    Args:
        title: Above the chart.
        spokes: Name of each spoke, clockwise from the top.
        labels: Legend entry of each line, in the order of the legend.
        values: Radii, (lines, spokes), >= 0; NaN leaves a gap.
        looks: Style of each line; by default they follow the order.
        ring_labels: Write the values beside the rings, for spokes that share one scale.
    """
    looks = looks or [style(index) for index in range(len(labels))]
    angles = np.linspace(0.0, 2 * np.pi, len(spokes), endpoint=False)
    closed = np.append(angles, angles[0])
    with drawing():
        width = LEGEND_LEFT + legend_inches(labels)
        figure = new_figure(width, HEIGHT, layout=None)  # it would not see the spokes' names
        left, bottom, side = CIRCLE
        frame = (left / width, bottom / HEIGHT, side / width, side / HEIGHT)
        axes = cast(PolarAxes, figure.add_axes(frame, projection="polar"))
        axes.set_theta_zero_location("N")
        axes.set_theta_direction(-1)
        for label, row, look in zip(labels, values, looks, strict=True):
            axes.plot(
                closed,
                np.append(row, row[0]),
                color=look.color,
                linestyle=look.line,
                marker=look.marker,
                markersize=4.5,
                linewidth=1.5,
                label=label,
            )
        _finish(axes, angles, spokes, values, ring_labels)
        figure.suptitle(title, x=(left + side / 2) / width, fontweight="bold")
        figure.legend(
            loc="upper left", bbox_to_anchor=(LEGEND_LEFT / width, 0.99), handlelength=2.8
        )
    return figure


def _finish(
    axes: PolarAxes,
    angles: np.ndarray,
    spokes: Sequence[str],
    values: np.ndarray,
    ring_labels: bool,
) -> None:
    """Rings from just inside the smallest value, so that differences fill the chart."""
    low, high = float(np.nanmin(values)), max(float(np.nanmax(values)), SMALLEST_RADIUS)
    inner = np.floor(max(low - 0.05, 0.0) * 10) / 10
    axes.set_ylim(inner, high + 0.02 * (high - inner))
    axes.set_xticks(angles, [_two_lines(name) for name in spokes])
    axes.tick_params(axis="x", pad=6)
    for name, angle in zip(axes.get_xticklabels(), angles, strict=True):
        name.set_horizontalalignment(_away_from_centre(angle))
    rings = np.arange(inner, high, 0.1)[1:]
    axes.set_yticks(rings, [f"{ring:.1f}" for ring in rings] if ring_labels else [""] * len(rings))
    axes.tick_params(axis="y", labelsize=8, labelcolor="#555555")
    axes.set_rlabel_position(np.degrees(angles[1]) / 2)  # between two spokes, where no name is


def _away_from_centre(angle: float) -> Literal["left", "center", "right"]:
    """Alignment that keeps a spoke's name outside the circle; clockwise from the top."""
    side = np.sin(angle)
    return "center" if abs(side) < 0.1 else ("left" if side > 0 else "right")


def _two_lines(name: str) -> str:
    """Breaks a name at the blank nearest its middle, unless it already has two lines."""
    blanks = [place for place, sign in enumerate(name) if sign == " "]
    if not blanks or "\n" in name:
        return name
    middle = min(blanks, key=lambda place: abs(place - len(name) / 2))
    return f"{name[:middle]}\n{name[middle + 1 :]}"
