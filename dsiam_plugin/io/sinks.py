"""Places where tracked frames go: a video or folder, result files, standard output, a window.

Each is a context manager that lends a function taking one :class:`Tracked` frame and saying
whether tracking shall go on. Files appear when the block ends without an exception.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dsiam_plugin.io import display
from dsiam_plugin.io.drawing import draw_result
from dsiam_plugin.io.files import atomic_write
from dsiam_plugin.io.video_output import frame_writer

if TYPE_CHECKING:
    from dsiam_plugin.io.boxes import Box
    from dsiam_plugin.io.sources import Frame


class Tracked(NamedTuple):
    """One frame and what is drawn or written of it."""

    frame: Frame  # the frame
    box: Box  # pixels, 0-based
    # The tracker's confidence; None where it was started, as on the first frame
    score: float | None
    lost: bool  # the tracker reports its target as lost


Sink = Callable[[Tracked], bool]


@contextmanager
def drawn_frames(path: str | Path, fps: float) -> Iterator[Sink]:
    """Draws box, score and the LOST mark into a video, or a folder of images.

    Raises:
        SourceError: As :func:`frame_writer`.
        OSError: The place cannot be written.
    """
    with frame_writer(path, fps) as write:

        def sink(tracked: Tracked) -> bool:
            write(_drawn(tracked))
            return True

        yield sink


@contextmanager
def text_rows(path: str | Path, row: Callable[[Tracked], str]) -> Iterator[Sink]:
    """Writes one line a frame. A place that cannot be written fails before the first frame.

    Raises:
        OSError: The place cannot be written.
    """
    with atomic_write(path) as stream:

        def sink(tracked: Tracked) -> bool:
            stream.write(row(tracked) + "\n")
            return True

        yield sink


@contextmanager
def printed_boxes() -> Iterator[Sink]:
    """Prints the box of every frame as soon as it is known."""

    def sink(tracked: Tracked) -> bool:
        sys.stdout.write(box_row(tracked) + "\n")
        sys.stdout.flush()
        return True

    yield sink


@contextmanager
def window() -> Iterator[Sink]:
    """Shows the frames on the screen until the user presses Esc or q."""
    yield lambda tracked: display.show(_drawn(tracked))


def box_row(tracked: Tracked) -> str:
    """``x,y,w,h`` in pixels, 0-based, as pysot's and this project's toolkit read it."""
    return ",".join(f"{value:.4f}" for value in tracked.box)


def score_row(tracked: Tracked) -> str:
    """The score; ``nan`` where there is none, as on the first frame."""
    return "nan" if tracked.score is None else f"{tracked.score:.6f}"


def _drawn(tracked: Tracked) -> np.ndarray:
    return draw_result(tracked.frame.image, tracked.box, tracked.score, tracked.lost)
