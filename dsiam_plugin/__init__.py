"""DSiam and DSiamM: online-adapting Siamese trackers for the VOT and pysot toolkits.

>>> from dsiam_plugin import build_tracker  # doctest: +SKIP
>>> tracker = build_tracker("DSiamM")
>>> tracker.init(image, (x, y, w, h))
>>> result = tracker.track(next_image)  # result.box, result.score, result.lost
"""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

__version__ = "0.1.0"

# Resolved on first use: importing the package must not import PyTorch.
_HOMES = {
    "Box": "io.boxes",
    "DSiamError": "errors",
    "DSiamTracker": "trackers.host",
    "TrackResult": "trackers.state",
    "TrackerConfig": "config",
    "TrackerState": "trackers.state",
    "build_tracker": "trackers.builders",
    "tracker_names": "config.variants",
}

__all__ = sorted(_HOMES)


def lazy_names(package: str, homes: Mapping[str, str]) -> tuple[Callable, Callable]:
    """``__getattr__`` and ``__dir__`` of a package that imports its names on their first use."""

    def find(name: str) -> Any:
        if name in homes:
            return getattr(importlib.import_module(f"{package}.{homes[name]}"), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return find, lambda: sorted([*vars(sys.modules[package]), *homes])


__getattr__, __dir__ = lazy_names(__name__, _HOMES)
