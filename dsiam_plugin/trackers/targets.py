"""The stateful face of a tracker: one target, or several that may come and go."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.errors import BoxError, ImageError, TrackerStateError
from dsiam_plugin.io.images import as_rgb
from dsiam_plugin.io.messages import excerpt
from dsiam_plugin.models.network import SiameseNet
from dsiam_plugin.trackers.state import TrackResult

Boxes = Sequence[Sequence[float]]
Images = np.ndarray | Sequence[np.ndarray]


class TargetTracker(ABC):
    """Keeps what was found last; how a frame is searched is its subclasses' business.

    States are theirs too. Those of several targets can be measured by ``len``, sliced and joined
    by ``+``, as lists can.

    Args:
        network: Embeds and correlates; shared freely between trackers.
        config: Everything else.
        name: What it is called in results and messages.
    """

    image_mode = "RGB"
    box_mode = "plain"  # the first box of a run comes as annotated, not as pysot's loop shifts it

    def __init__(self, network: SiameseNet, config: TrackerConfig, name: str = "DSiam"):
        self.network = network
        self.config = config
        self.name = name
        self.state: Any = None
        self._several = False
        # Without it a thread's init would fall between the two halves of another one's track.
        self._lock = threading.Lock()

    @abstractmethod
    def start(self, image: np.ndarray, box: Sequence[float]) -> Any:
        """State of a new target; see :meth:`init`."""

    @abstractmethod
    def step(self, image: np.ndarray, state: Any) -> tuple[Any, TrackResult]:
        """State and result of the next frame; see :meth:`track`. ``state`` is not changed."""

    @abstractmethod
    def start_many(self, images: Images, boxes: Boxes) -> Any:
        """States of new targets: all on one image, or each on its own."""

    @abstractmethod
    def step_many(self, images: Images, states: Any) -> tuple[Any, list[TrackResult]]:
        """States and results of the next frame: one image for all, or one a state.

        Every target's result is the one that :meth:`step` gives for it alone. ``states`` are not
        changed.
        """

    def init(self, image: np.ndarray, box: Any) -> None:
        """Start on a target, or on several.

        Args:
            image: (H, W, 3) uint8 RGB; grey, RGBA and 16-bit images are converted.
            box: ``(x, y, w, h)``, 0-based float pixels; or a sequence of such boxes, which makes
                :meth:`track` return a list.

        Raises:
            ImageError: If the array is no image.
            BoxError: If a box is empty, not finite or misses the image.
        """
        several = _is_nested(box)
        with self._lock:
            self.state = self.start_many(image, box) if several else self.start(image, box)
            self._several = several

    def track(self, image: np.ndarray) -> Any:
        """Find the target in the next frame.

        Returns:
            A :class:`TrackResult`; after ``init`` on several boxes a list of them, in that order.

        Raises:
            TrackerStateError: Before :meth:`init`.
            ImageError: If the array is no image or has another size than the first.
        """
        with self._lock:
            if self.state is None:
                raise TrackerStateError(f"{self.name}: track() before init(image, box)")
            step = self.step_many if self._several else self.step
            self.state, result = step(image, self.state)
        return result

    def add(self, image: np.ndarray, box: Sequence[float]) -> None:
        """Follow one target more, from this image on; it comes last in the results.

        Raises:
            TrackerStateError: If :meth:`init` was not given a list of boxes, which may be empty.
            ImageError: If the array is no image.
            BoxError: As :meth:`init`.
        """
        with self._lock:
            self._check_several("add")
            self.state = self.state + self.start_many(image, [box])

    def remove(self, index: int) -> None:
        """Stop following the target at this place of the results; later ones move up.

        Raises:
            TrackerStateError: If there is none, or :meth:`init` was not given a list of boxes.
        """
        with self._lock:
            self._check_several("remove")
            count = len(self.state)
            if not isinstance(index, int | np.integer) or not 0 <= index < count:
                raise TrackerStateError(
                    f"{self.name}: remove({excerpt(index)}): there are {count} targets, counted"
                    " from 0"
                )
            self.state = self.state[:index] + self.state[index + 1 :]

    def _check_several(self, method: str) -> None:
        if self.state is None or not self._several:
            raise TrackerStateError(f"{self.name}: {method}() needs init(image, boxes) before it")


def one_each(images: Images, count: int) -> list[np.ndarray]:
    """The RGB image of each of ``count`` targets; a shared one is converted once.

    Raises:
        ImageError: If an array is no image, or several images are not one a target.
    """
    if not isinstance(images, Sequence):
        return [as_rgb(images)] * count
    if len(images) != count:
        raise ImageError(f"{len(images)} images for {count} targets; expected one or one each")
    return [as_rgb(image) for image in images]


def count_of(boxes: Boxes) -> int:
    """How many boxes these are.

    Raises:
        BoxError: If they are no sequence.
    """
    if not isinstance(boxes, (Sequence, np.ndarray)) or getattr(boxes, "ndim", 1) == 0:
        raise BoxError(f"boxes: expected a list of x,y,w,h, got {excerpt(boxes)}")
    return len(boxes)


def check_size(image: np.ndarray, size: tuple[int, int], name: str) -> None:
    """Raise ImageError unless the image (H, W, 3) has this ``(height, width)``."""
    if image.shape[:2] != size:
        raise ImageError(
            f"{name}: frame is {image.shape[1]}x{image.shape[0]}, expected {size[1]}x{size[0]} as "
            "the first"
        )


def _is_nested(box: Any) -> bool:
    """True if these are boxes rather than the numbers of one."""
    if isinstance(box, np.ndarray):
        return box.ndim > 1
    if isinstance(box, str) or not isinstance(box, Sequence):
        return False
    return len(box) == 0 or isinstance(box[0], Sequence | np.ndarray)
