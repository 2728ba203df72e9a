"""Colours, line styles and markers that tell trackers apart, for the colour-blind too."""

from collections.abc import Sequence
from dataclasses import dataclass

# Okabe and Ito's palette without its yellow (too faint for lines on white), black last.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

MUTED = "#9a9a9a"  # what is shown for context only
TRUTH = "#ffffff"  # annotations drawn into images


@dataclass(frozen=True)
class TrackerStyle:
    """Colour (hex), line style and marker of one tracker, as matplotlib names them."""

    color: str
    line: str
    marker: str


def style(index: int) -> TrackerStyle:
    """The style of the ``index``-th tracker: colours turn first, then lines, then markers.

    The first 28 differ in colour or line; markers, which plots of points use alone, turn with the
    colours but in eights, so that 56 pairs differ.
    """
    return TrackerStyle(
        COLORS[index % len(COLORS)],
        LINES[index // len(COLORS) % len(LINES)],
        MARKERS[index % len(MARKERS)],
    )


def styles(names: Sequence[str]) -> dict[str, TrackerStyle]:
    """One style a tracker, in the order given."""
    return {name: style(index) for index, name in enumerate(names)}
