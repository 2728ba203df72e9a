"""Running a tracker over the frames of a source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from dsiam_plugin.errors import DSiamError
from dsiam_plugin.io.boxes import Box
from dsiam_plugin.io.sources import Frame


class Tracked(NamedTuple):
    """What a tracker said about one frame.

    Attributes:
        frame: The frame.
        box: Pixels, 0-based; the given box on the first frame.
        score: The tracker's confidence; None on the first frame, which has none.
        lost: Whether the tracker reports its target as lost.
    """

    frame: Frame
    box: Box
    score: float | None
    lost: bool


class Result(Protocol):
    """A tracker's answer; ``dsiam_plugin.TrackResult`` is one."""

    @property
    def box(self) -> Box:
        """The target, pixels, 0-based."""
        ...

    @property
    def score(self) -> float:
        """The confidence."""
        ...

    @property
    def lost(self) -> bool:
        """Whether the target was not found."""
        ...


class Tracker(Protocol):
    """What :func:`follow` needs of a tracker; images are (H, W, 3) uint8 RGB."""

    def init(self, image: np.ndarray, box: Sequence[float]) -> None:
        """Starts on a target."""
        ...

    def track(self, image: np.ndarray) -> Result:
        """Finds it again."""
        ...


def follow(
    tracker: Tracker, frames: Iterable[Frame], choose_box: Callable[[np.ndarray], Sequence[float]]
) -> Iterator[Tracked]:
    """Tracks one target through all frames.

    Args:
        tracker: Takes RGB images.
        frames: In order; nothing is yielded for none.
        choose_box: Gives the target's x, y, w, h on the first image.

    Yields:
        One entry a frame, the first with the chosen box.

    Raises:
        DSiamError: The tracker refuses a box or a frame; the message names the frame.
    """
    for position, frame in enumerate(frames):
        try:
            if position == 0:
                box = Box(*choose_box(frame.image))
                tracker.init(frame.image, box)
                tracked = Tracked(frame, box, None, False)
            else:
                result = tracker.track(frame.image)
                tracked = Tracked(frame, result.box, result.score, result.lost)
        except DSiamError as error:
            raise type(error)(f"{frame.name}: {error}") from error
        yield tracked
