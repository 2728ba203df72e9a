"""Overlap in every frame of a sequence, with frames above it (Fig. 1)."""

import os
from collections.abc import Sequence

import numpy as np

from dsiam_plugin.evaluation.visualization.curves import legend_entry
from dsiam_plugin.evaluation.visualization.figures import Axes, Figure, drawing, new_figure, save
from dsiam_plugin.evaluation.visualization.strips import (
    COLORS,
    WIDTH_INCHES,
    SequenceResults,
    choose_frames,
    draw_frame,
)

FRAMES = 5
PLOT_INCHES = 2.8


def draw_overlaps(
    sequence: SequenceResults,
    frames: Sequence[int] | None = None,
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """Draws the overlap of every tracker over the frames, below the ``frames`` it marks.

    Those count from 0; None takes five in which the trackers differ most. Files are called
    ``overlap_<sequence>``.
    """
    chosen = list(frames) if frames is not None else choose_frames(sequence.overlaps, FRAMES)
    height, width = sequence.read(chosen[0]).shape[:2]
    strip = WIDTH_INCHES / len(chosen) * height / width
    with drawing():
        figure = new_figure(WIDTH_INCHES, strip + PLOT_INCHES + 0.9)
        grid = figure.add_gridspec(2, len(chosen), height_ratios=[strip, PLOT_INCHES])
        for column, frame in enumerate(chosen):
            draw_frame(figure.add_subplot(grid[0, column]), sequence, frame)
        axes = figure.add_subplot(grid[1, :])
        _curves(axes, sequence)
        for frame in chosen:
            axes.axvline(frame + 1, color="#777777", linewidth=0.8, linestyle=(0, (4, 3)))
            axes.annotate(
                f"#{frame + 1}",
                (frame + 1, 1.0),
                xytext=(3, -10),
                textcoords="offset points",
                fontsize=8,
                color="#555555",
            )
        figure.suptitle(f"Overlap with the annotation on {sequence.name}", fontweight="bold")
        figure.legend(loc="outside lower center", ncols=4)
    save(figure, path, f"overlap_{sequence.name}")
    return figure


def _curves(axes: Axes, sequence: SequenceResults) -> None:
    """One line a tracker, with its mean in the legend."""
    for tracker, color in zip(sequence.trackers, COLORS, strict=False):
        overlap = np.asarray(sequence.overlaps[tracker], dtype=float)
        axes.plot(
            np.arange(1, len(overlap) + 1),
            overlap,
            color=color,
            linewidth=1.3,
            label=legend_entry(tracker, float(np.nanmean(overlap))),
        )
    axes.set(xlim=(1, len(sequence.truth)), ylim=(0, 1), xlabel="Frame", ylabel="Overlap")
