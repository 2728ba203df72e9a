"""The trackers behind the interfaces of other toolkits.

>>> from dsiam_plugin.adapters import build_pysot_tracker  # doctest: +SKIP
>>> tracker = build_pysot_tracker("DSiamM")
>>> tracker.init(bgr_image, (x, y, w, h))
>>> tracker.track(next_bgr_image)["bbox"]

got10k is imported when one of its two names is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "PysotTracker": "pysot",
    "build_pysot_tracker": "pysot",
    "Got10kTracker": "got10k",
    "build_got10k_tracker": "got10k",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
