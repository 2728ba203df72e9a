"""DSiam and DSiamM: online-adapting Siamese trackers for the VOT and pysot toolkits.

>>> from dsiam_plugin import build_tracker  # doctest: +SKIP
>>> tracker = build_tracker("DSiamM")
>>> tracker.init(image, (x, y, w, h))
>>> result = tracker.track(next_image)  # result.box, result.score, result.lost
"""

from __future__ import annotations

import importlib
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


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
