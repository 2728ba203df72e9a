"""The tracker's methods with odd arguments."""

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
from fuzz.engine import Reader
from fuzz.mutations import ODD_VALUES
from fuzz.weight_readers import BOXES, FRAMES, write_npz

from dsiam_plugin import build_tracker

ODD_ARRAYS = (
    np.array(3), np.zeros(0), np.zeros((0, 0, 3), np.uint8), np.zeros((5, 5, 2), np.uint8),
    np.zeros((5, 5, 3), object), np.full((60, 80, 3), np.nan), np.full((60, 80), 1e300),
    np.zeros((1, 1, 3), np.uint8), np.zeros((1, 3000), np.uint16),
    np.zeros((2, 60, 80, 3), np.uint8),
    np.zeros((60, 80), bool), np.zeros((60, 80, 3), complex), np.zeros((60, 80, 4), np.float16),
    np.array(["x"]), np.array([["a", None]], object), np.zeros((60, 80, 3), "datetime64[s]"),
    FRAMES[0], FRAMES[1], FRAMES[0][::2], FRAMES[0][..., 0], FRAMES[0].astype(np.float32),
)  # fmt: skip
ODD_BOXES = (
    (0, 0, 1, 1), (1e4, 0, 5, 5), (0, 0, 1e9, 1e9), (-5e8, -5e8, 1e9, 1e9), (5, 5, 1e-9, 1e-9),
    (5, 5, 0.5, 4000), (10, 10, 20, 20), (1, 2, 3), (1, 2, 3, 4, 5), (1, 2, -3, 4), ("1", 2, 3, 4),
    (None,) * 4, "1,2,3,4", b"1234", {1: 2}, (10**400, 1, 2, 3), (1j, 2, 3, 4), [[10, 10, 20, 20]],
    [[10, 10, 20, 20], [1, 2]], [[]], [], np.array([10, 10, 20, 20]), np.array([[10, 10, 20, 20]]),
    np.array(5), range(4), iter([1, 2, 3, 4]), {10, 11, 20, 21}, object(), float("nan"),
)  # fmt: skip
ODD_PLACES = ("a", None, 1.5, True, -1, 0, 99, 10**400, [0], np.int64(0), np.array(0), (), "0")
NAMES = ("SiamFC", "DSiam", "DSiamM")
_trackers: list = []


def build(folder: Path) -> None:
    """The trackers, once."""
    if not _trackers:
        path = folder / "net.npz"
        options = {"weights": path, "device": "cpu", "precision": "float32"}
        _trackers.extend(build_tracker(name, **options) for name in NAMES)


def calls(rng: random.Random) -> Callable[[], object]:
    """One to three method calls with an odd argument among them."""
    steps = [_step(rng) for _ in range(rng.randrange(1, 4))]
    tracker = rng.choice(_trackers)
    if rng.random() < 0.7:
        tracker.init(FRAMES[0], rng.choice((BOXES[0], [BOXES[0]], [])))

    def run() -> None:
        for method, arguments in steps:
            getattr(tracker, method)(*arguments)

    return run


def _step(rng: random.Random) -> tuple[str, tuple]:
    image = rng.choice((FRAMES[0], rng.choice(ODD_ARRAYS), rng.choice(ODD_VALUES)))
    box = rng.choice((BOXES[0], rng.choice(ODD_BOXES), rng.choice(ODD_VALUES)))
    method = rng.choice(("init", "init", "track", "track", "add", "remove", "start_many"))
    if method == "track":
        return method, (image,)
    if method == "remove":
        return method, (rng.choice(ODD_PLACES),)
    return method, (image, box)


def names(rng: random.Random) -> Callable[[], object]:
    """``build_tracker`` with odd names, settings and devices."""
    word = rng.choice(ODD_VALUES)
    options = {"weights": _trackers_file[0], "device": "cpu", "precision": "float32"}
    option = rng.choice(("name", "config", "weights", "device", "precision", "backend"))
    if option == "config" and rng.random() < 0.7:
        section = rng.choice(("model", "fusion", "crop", "tracking", "transform", "x"))
        key = rng.choice(("context", "scales", "search_size", "upsample", "regularizer", "preset"))
        word = rng.choice(({section: word}, {section: {key: word}}))
    options = {"name": "DSiam", **options, option: word}

    def run() -> None:
        tracker = build_tracker(**options)
        tracker.init(FRAMES[0], BOXES[0])
        tracker.track(FRAMES[1])

    return run


_trackers_file: list = []


def remember(folder: Path) -> None:
    """The weights that ``names`` builds with."""
    _trackers_file[:] = [folder / "net.npz"]


READERS = [
    Reader("init, track, add, remove", write_npz, build, inputs=calls),
    Reader("build_tracker", write_npz, remember, inputs=names),
]
