"""The trackers behind the interfaces of other toolkits.

>>> from dsiam_plugin.adapters import build_pysot_tracker  # doctest: +SKIP
>>> tracker = build_pysot_tracker("DSiamM")
>>> tracker.init(bgr_image, (x, y, w, h))
>>> tracker.track(next_bgr_image)["bbox"]

got10k is imported when one of its two names is first used.
"""

from dsiam_plugin import lazy_names

_HOMES = {
    "PysotTracker": "pysot",
    "build_pysot_tracker": "pysot",
    "Got10kTracker": "got10k",
    "build_got10k_tracker": "got10k",
}

__all__ = sorted(_HOMES)
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
