"""Frames of a sequence with the boxes of several trackers (Fig. 10).

A tracker's box is dashed where it misses the target altogether, so failures show in the picture.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dsiam_plugin.evaluation.visualization.curves import shorten
from dsiam_plugin.evaluation.visualization.figures import Axes, Figure, drawing, new_figure, save
from dsiam_plugin.evaluation.visualization.styles import COLORS, TRUTH

TRACKERS = len(COLORS)  # more boxes than colours cannot be told apart
COLUMNS = 4
WIDTH_INCHES = 12.0
IMAGE_WIDTH_PX = 640  # frames are shown about 3 inches wide; more only swells the PDF

Region = Sequence[float]
ReadFrame = Callable[[int], np.ndarray]


@dataclass(frozen=True)
class SequenceResults:
    """One sequence and what several trackers did on it; frames count from 0."""

    name: str  # the sequence's
    read: ReadFrame  # frame number -> image, (H, W, 3) uint8 RGB
    truth: Sequence[Region]  # one region a frame: x, y, w, h or a polygon; other lengths mean none
    # Tracker -> one region a frame, in the order of the legend
    regions: Mapping[str, Sequence[Region]]
    # Tracker -> overlap with the truth in each frame, (N,); NaN where not defined
    overlaps: Mapping[str, np.ndarray]

    @property
    def trackers(self) -> list[str]:
        """The trackers that are drawn: the first seven."""
        return list(self.regions)[:TRACKERS]


def choose_frames(overlaps: Mapping[str, np.ndarray], count: int) -> list[int]:
    """Frames worth showing: from each of ``count`` equal parts, where the trackers differ most.

    With one tracker, where it is worst. Frames are at least half a part from each other; the
    first frame, which is given, is chosen only where there is no other.
    """
    table = np.stack([np.nan_to_num(values) for values in overlaps.values()])
    interest = table.std(axis=0) if len(table) > 1 else 1.0 - table[0]
    parts = np.array_split(np.arange(1, table.shape[1]), count)
    chosen: list[int] = []
    for part in parts:
        far = part if not chosen else part[part >= chosen[-1] + len(part) // 2]
        if len(far):
            chosen.append(int(far[np.argmax(interest[far])]))
    return chosen or [0]


def draw_strip(
    sequence: SequenceResults,
    frames: Sequence[int] | None = None,
    path: str | os.PathLike[str] | None = None,
) -> Figure:
    """Draws frames of one sequence with every tracker's box and the annotation.

    ``frames`` count from 0; None takes eight in which the trackers differ most. Files are called
    ``strip_<sequence>``.
    """
    chosen = list(frames) if frames is not None else choose_frames(sequence.overlaps, 2 * COLUMNS)
    height, width = sequence.read(chosen[0]).shape[:2]
    rows = -(-len(chosen) // COLUMNS)
    with drawing():
        figure = new_figure(WIDTH_INCHES, rows * WIDTH_INCHES / COLUMNS * height / width + 0.9)
        panels = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
        for axes in panels:
            axes.set_axis_off()
        for axes, frame in zip(panels, chosen, strict=False):
            draw_frame(axes, sequence, frame)
        figure.suptitle(f"{sequence.name} (dashed: target missed)", fontweight="bold")
        _legend(figure, sequence)
    save(figure, path, f"strip_{sequence.name}")
    return figure


def draw_frame(axes: Axes, sequence: SequenceResults, frame: int) -> None:
    """Draws one frame into ``axes`` with all boxes and its number, counted from 1."""
    image = sequence.read(frame)
    height, width = image.shape[:2]
    axes.imshow(_reduced(image), extent=(0, width, height, 0), interpolation="antialiased")
    axes.set_axis_off()
    _outline(axes, sequence.truth[frame], TRUTH, "-", 1.4)
    for tracker, color in zip(sequence.trackers, COLORS, strict=False):
        missed = sequence.overlaps[tracker][frame] <= 0
        line = (0, (3, 1.5)) if missed else "-"
        _outline(axes, sequence.regions[tracker][frame], color, line, 1.6)
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.text(
        0.02,
        0.97,
        f"#{frame + 1}",
        transform=axes.transAxes,
        va="top",
        color="white",
        fontweight="bold",
        bbox={"facecolor": "black", "alpha": 0.6, "edgecolor": "none", "pad": 1.5},
    )


def legend_entries(sequence: SequenceResults) -> dict[str, str]:
    """Tracker -> legend entry with the number of frames in which it misses the target."""
    entries = {}
    for tracker in sequence.trackers:
        overlap = np.asarray(sequence.overlaps[tracker])
        defined = overlap[~np.isnan(overlap)]
        missed = int((defined <= 0).sum())
        share = f"missed {missed} of {len(defined)} frames" if missed else "never missed"
        entries[tracker] = f"{shorten(tracker)}: {share}"
    return entries


def _legend(figure: Figure, sequence: SequenceResults) -> None:
    """One line a tracker below the frames, and the annotation's."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=color, linewidth=2.5, label=label)
        for label, color in zip(legend_entries(sequence).values(), COLORS, strict=False)
    ]
    truth = Line2D([], [], color="white", linewidth=1.4, label="annotation (white)")
    truth.set_path_effects(_shadow())
    figure.legend(handles=[*handles, truth], loc="outside lower center", ncols=3)


def _outline(axes: Axes, region: Region, color: str, line: object, width: float) -> None:
    """Draws a box or polygon; codes and boxes that are not finite draw nothing."""
    from matplotlib.patches import Polygon

    numbers = np.asarray(region, dtype=float).ravel()
    if len(numbers) < 4 or not np.isfinite(numbers).all():
        return
    if len(numbers) == 4:
        x, y, w, h = numbers
        numbers = np.array([x, y, x + w, y, x + w, y + h, x, y + h])
    patch = Polygon(
        numbers.reshape(-1, 2), fill=False, edgecolor=color, linestyle=line, linewidth=width
    )
    if color == TRUTH:
        patch.set_path_effects(_shadow())
    axes.add_patch(patch)


def _shadow() -> list:
    """A thin dark rim, without which white lines vanish on bright images."""
    from matplotlib import patheffects

    return [patheffects.withStroke(linewidth=2.8, foreground="black")]


def _reduced(image: np.ndarray) -> np.ndarray:
    """The image at most :data:`IMAGE_WIDTH_PX` wide."""
    import cv2

    height, width = image.shape[:2]
    if width <= IMAGE_WIDTH_PX:
        return image
    size = (IMAGE_WIDTH_PX, round(height * IMAGE_WIDTH_PX / width))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
