"""Trackers as the runner knows them: any object with ``init`` and ``track``.

pysot's protocol. ``init(image, box)`` starts on a target, ``track(image)`` follows it by one
frame. Images are (H, W, 3) uint8, in the colour order that the tracker's ``image_mode`` names
("BGR" where it has none). Boxes are x, y, w, h in 0-based float pixels. ``track`` returns a
mapping with "bbox" (and "best_score", "polygon") or an object with ``box`` (and ``score``).
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from dsiam_plugin.errors import TrackerError

IMAGE_MODES = ("BGR", "RGB")
DEFAULT_IMAGE_MODE = "BGR"  # what pysot hands its trackers

_BOX_NUMBERS = 4
_MIN_POLYGON_NUMBERS = 6


class Tracker(Protocol):
    """What the runner calls; `image_mode` is optional, see the module's text."""

    def init(self, image: np.ndarray, box: tuple[float, float, float, float]) -> Any:
        """Start on the target inside `box`."""

    def track(self, image: np.ndarray) -> Any:
        """Follow the target by one frame."""


@dataclass(frozen=True)
class TrackerSpec:
    """How to build a tracker, in this process or in another one.

    Attributes:
        name: Name of the folder its results go to.
        factory: A callable that returns the tracker, or "module:attribute" naming one. Other
            processes need the name, or a callable that can be pickled.
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
        if not self.name or self.name in (".", "..") or set(self.name) & set("/\\:\0"):
            raise TrackerError(f"tracker name {self.name!r}: expected the name of a folder")


class Estimate(NamedTuple):
    """One answer of a tracker.

    Attributes:
        box: x, y, w, h.
        polygon: Corners x1, y1, ..., where the tracker gave some.
        score: Its confidence; NaN where it gave none.
    """

    box: tuple[float, ...]
    polygon: tuple[float, ...] | None
    score: float


def build(spec: TrackerSpec) -> Tracker:
    """Call the factory of `spec`.

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
    return tracker


def load_factory(reference: str) -> Callable[..., Tracker]:
    """The callable behind "module:attribute"; the attribute may be dotted.

    Raises:
        TrackerError: There is no such module, attribute, or it cannot be called.
    """
    module_name, colon, path = reference.partition(":")
    if not (module_name and colon and path):
        raise TrackerError(f"{reference!r}: expected module:factory")
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise TrackerError(f"{reference}: there is no module {error.name!r}") from error
    for attribute in path.split("."):
        if not hasattr(found, attribute):
            raise TrackerError(f"{reference}: {module_name} has no {path!r}")
        found = getattr(found, attribute)
    if not callable(found):
        raise TrackerError(f"{reference}: {type(found).__name__} cannot be called")
    return found


def image_mode(tracker: Tracker) -> str:
    """The colour order `tracker` takes, "BGR" or "RGB".

    Raises:
        TrackerError: It names another one.
    """
    mode = getattr(tracker, "image_mode", DEFAULT_IMAGE_MODE)
    if mode not in IMAGE_MODES:
        raise TrackerError(
            f"{type(tracker).__name__}.image_mode is {mode!r}, expected {' or '.join(IMAGE_MODES)}"
        )
    return mode


def read_estimate(answer: Any) -> Estimate:
    """Box, polygon and score out of what ``track`` returned.

    Args:
        answer: A mapping with "bbox" (and "best_score", "polygon"), or an object with `box`
            (and `score`, `polygon`). Coordinates may be NaN.

    Raises:
        TrackerError: There is no box, or it is not four numbers.
    """
    if isinstance(answer, Mapping):
        box, score = answer.get("bbox"), answer.get("best_score")
        polygon = answer.get("polygon")
    else:
        box, score = getattr(answer, "box", None), getattr(answer, "score", None)
        polygon = getattr(answer, "polygon", None)
    if box is None:
        raise TrackerError(
            f"track returned {type(answer).__name__} without a box, "
            'expected a mapping with "bbox" or an object with box'
        )
    return Estimate(
        _numbers("box", box, lambda count: count == _BOX_NUMBERS),
        None if polygon is None else _numbers("polygon", polygon, _is_polygon),
        float("nan") if score is None else float(score),
    )


def _is_polygon(count: int) -> bool:
    return count >= _MIN_POLYGON_NUMBERS and count % 2 == 0


def _numbers(what: str, value: Any, fits: Callable[[int], bool]) -> tuple[float, ...]:
    try:
        numbers = tuple(float(number) for number in np.ravel(value))
    except (TypeError, ValueError):
        numbers = ()
    if not fits(len(numbers)):
        raise TrackerError(f"track returned the {what} {value!r:.80}, expected numbers x,y,w,h")
    return numbers
