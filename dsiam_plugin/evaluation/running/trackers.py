"""Trackers as the runner knows them: any object with ``init`` and ``track``.

pysot's protocol. ``init(image, box)`` starts on a target, ``track(image)`` follows it by one
frame. Images are (H, W, 3) uint8, in the colour order that the tracker's ``image_mode`` names
("BGR" where it has none). Boxes are x, y, w, h in float pixels, 0-based.

pysot's loop measures the first box from the middle of the first pixel, x + 0.5 and y + 0.5, and
its trackers answer from the pixel's edge again. Trackers are started so, unless their ``box_mode``
is "plain", in which the first box is as the annotation has it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from dsiam_plugin.errors import TrackerError
from dsiam_plugin.evaluation.running.factories import load_factory
from dsiam_plugin.io.messages import excerpt
from dsiam_plugin.io.shapes import check_name
from dsiam_plugin.trackers.follow import Tracker

# What a tracker may say of itself; the first is what pysot's expect, where one says nothing.
IMAGE_MODES = ("BGR", "RGB")
BOX_MODES = ("pysot", "plain")

_BOX_NUMBERS = 4
_MIN_POLYGON_NUMBERS = 6
_NO_BOX = (math.nan,) * _BOX_NUMBERS


@dataclass(frozen=True)
class TrackerSpec:
    """A tracker that can be built in this process or in another one.

    Attributes:
        name: Name of the folder its results go to.
        factory: A callable that returns the tracker, or "module:attribute" or "file.py:attribute"
            naming one. Other processes need the name, or a callable that can be pickled.
        options: Keyword arguments of the factory.
        identity: Settings that decide its results, for the record beside them; None for the
            options.
    """

    name: str
    factory: str | Callable[..., Tracker]
    options: Mapping[str, Any] = field(default_factory=dict)
    identity: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse names that are no folder."""
        check_name(self.name, "tracker", TrackerError)


class Estimate(NamedTuple):
    """One answer of a tracker."""

    box: tuple[float, ...]  # x, y, w, h; NaN where the tracker says that it has none
    polygon: tuple[float, ...] | None = None  # corners x1, y1, ..., where the tracker gave some
    score: float = math.nan  # confidence; NaN where it gave none
    lost: bool = False  # true where it says that it has no box


def build(spec: TrackerSpec) -> Tracker:
    """The tracker that the factory of `spec` gives.

    Raises:
        TrackerError: The factory cannot be found or what it returns is not a tracker.
        Exception: Whatever the factory raises.
    """
    factory = load_factory(spec.factory) if isinstance(spec.factory, str) else spec.factory
    tracker = factory(**spec.options)
    missing = [name for name in ("init", "track") if not callable(getattr(tracker, name, None))]
    if missing:
        raise TrackerError(
            f"{spec.name}: {spec.factory} returned {type(tracker).__name__} without "
            f"{' and '.join(missing)}, expected an object with init and track"
        )
    image_mode(tracker)
    box_mode(tracker)
    return tracker


def image_mode(tracker: Tracker) -> str:
    """The colour order `tracker` takes, "BGR" or "RGB".

    Raises:
        TrackerError: It names another one.
    """
    return _mode(tracker, "image_mode", IMAGE_MODES)


def box_mode(tracker: Tracker) -> str:
    """The geometry of the first box that `tracker` takes, "pysot" or "plain".

    Raises:
        TrackerError: It names another one.
    """
    return _mode(tracker, "box_mode", BOX_MODES)


def _mode(tracker: Tracker, name: str, known: Sequence[str]) -> str:
    mode = getattr(tracker, name, known[0])
    if mode not in known:
        expected = " or ".join(known)
        raise TrackerError(
            f"{type(tracker).__name__}.{name} is {excerpt(mode)}, expected {expected}"
        )
    return mode


def read_estimate(answer: Any) -> Estimate:
    """Box, polygon and score out of what ``track`` returned.

    Args:
        answer: A mapping with "bbox" (and "best_score", "polygon"), an object with `box` (and
            `score`, `polygon`), four numbers, or a pair (found, box) as OpenCV's trackers give
            it. Coordinates may be NaN.

    Raises:
        TrackerError: There is no box, or it is not four numbers.
    """
    if isinstance(answer, Mapping):
        box, score = answer.get("bbox"), answer.get("best_score")
        polygon = answer.get("polygon")
    elif hasattr(answer, "box"):
        box, score = answer.box, getattr(answer, "score", None)
        polygon = getattr(answer, "polygon", None)
    else:
        return _plain_answer(answer)
    if box is None:
        raise _no_box(answer)
    return Estimate(
        _numbers("box", box, lambda count: count == _BOX_NUMBERS),
        None if polygon is None else _numbers("polygon", polygon, _is_polygon),
        math.nan if score is None else float(score),
    )


def _plain_answer(answer: Any) -> Estimate:
    """The estimate of four numbers, or of a flag and such numbers."""
    if not isinstance(answer, tuple | list | np.ndarray):
        raise _no_box(answer)
    if len(answer) == 2 and isinstance(answer[0], bool | np.bool_):
        if not answer[0]:
            return Estimate(_NO_BOX, lost=True)
        answer = answer[1]
    return Estimate(_numbers("box", answer, lambda count: count == _BOX_NUMBERS))


def _no_box(answer: Any) -> TrackerError:
    return TrackerError(
        f"track returned {type(answer).__name__} without a box, expected a mapping with "
        '"bbox", an object with box, x,y,w,h, or (found, box)'
    )


def _is_polygon(count: int) -> bool:
    return count >= _MIN_POLYGON_NUMBERS and count % 2 == 0


def _numbers(what: str, value: Any, fits: Callable[[int], bool]) -> tuple[float, ...]:
    try:
        numbers = tuple(float(number) for number in np.ravel(value))
    except (TypeError, ValueError, OverflowError):
        numbers = ()
    if not fits(len(numbers)):
        raise TrackerError(f"track returned the {what} {value!r:.80}, expected numbers x,y,w,h")
    return numbers
