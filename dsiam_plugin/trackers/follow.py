"""The one loop that runs a tracker over frames: start on the first, follow through the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from dsiam_plugin.errors import DSiamError, ImageError
from dsiam_plugin.io.boxes import Box
from dsiam_plugin.io.sources import Frame


class Result(Protocol):
    """A tracker's answer; ``dsiam_plugin.TrackResult`` is one."""

    @property
    def box(self) -> Sequence[float]:
        """The target, pixels, 0-based."""
        ...


class Tracker(Protocol):
    """A tracker as :func:`follow` needs it; images are (H, W, 3) uint8."""

    def init(self, image: np.ndarray, box: Sequence[float]) -> Any:
        """Starts on a target."""
        ...

    def track(self, image: np.ndarray) -> Any:
        """Finds it again."""
        ...


class Step(NamedTuple):
    """A tracker's frame.

    Attributes:
        box: Pixels, 0-based; the given one where the tracker was started.
        answer: The tracker's answer; None where it was started.
        seconds: Time inside the tracker.
    """

    box: Box
    answer: Any
    seconds: float


def unchanged(answer: Any) -> Any:
    """The answer itself, of trackers that give a :class:`Result`."""
    return answer


class Follower:
    """One target and the tracker that follows it, through frames that may change their size."""

    def __init__(self, tracker: Tracker, read: Callable[[Any], Result] = unchanged) -> None:
        """A follower without a target.

        Args:
            tracker: ``init`` must forget every earlier target.
            read: Turns what ``track`` returns into an answer with a ``box``; may raise.
        """
        self.tracker = tracker
        self.read = read
        self.box = Box(0, 0, 0, 0)
        self.size = (0, 0)

    def start(self, image: np.ndarray, box: Sequence[float]) -> Step:
        """The step that starts on a target."""
        self.box, self.size = Box(*box), image.shape[:2]
        begin = time.perf_counter()
        self.tracker.init(image, self.box)
        return Step(self.box, None, time.perf_counter() - begin)

    def follow(self, image: np.ndarray) -> Step:
        """The step to the next frame.

        A tracker that refuses a frame of a new size is started on it, on the last box scaled
        with the frame.
        """
        begin = time.perf_counter()
        try:
            found = self.tracker.track(image)
        except ImageError:
            if image.shape[:2] == self.size:
                raise
            return self.start(image, _scaled(self.box, self.size, image.shape[:2]))
        seconds = time.perf_counter() - begin
        answer = self.read(found)
        self.box, self.size = Box(*answer.box), image.shape[:2]
        return Step(self.box, answer, seconds)


def follow(
    tracker: Tracker,
    frames: Iterable[Frame],
    choose_box: Callable[[np.ndarray], Sequence[float]],
    read: Callable[[Any], Result] = unchanged,
) -> Iterator[tuple[Frame, Step]]:
    """Tracks one target through all frames.

    Args:
        tracker: Takes images in the frames' colour order.
        frames: In order; nothing is yielded for none.
        choose_box: Gives the target's x, y, w, h on the first image.
        read: As of :class:`Follower`.

    Yields:
        Every frame with its step, the first one with the chosen box.

    Raises:
        DSiamError: The tracker refuses a box or a frame; the message names the frame.
    """
    follower, started = Follower(tracker, read), False
    for frame in frames:
        try:
            step = (
                follower.follow(frame.image)
                if started
                else follower.start(frame.image, choose_box(frame.image))
            )
        except DSiamError as error:
            raise type(error)(f"{frame.name}: {error}") from error
        started = True
        yield frame, step


def _scaled(box: Box, old: Sequence[int], new: Sequence[int]) -> Box:
    """The box on a frame of another (height, width)."""
    down, across = new[0] / old[0], new[1] / old[1]
    return Box(box.x * across, box.y * down, box.w * across, box.h * down)
