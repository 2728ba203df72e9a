"""pysot's interface: BGR images, a dictionary a frame. pysot itself is not needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dsiam_plugin.io.images import as_rgb
from dsiam_plugin.trackers.follow import Tracker


class PysotTracker:
    """A tracker as pysot's ``tools/test.py`` and ``tools/demo.py`` call theirs.

    Args:
        tracker: Takes RGB images; it is used for this adapter's target alone.
    """

    image_mode = "BGR"

    def __init__(self, tracker: Tracker) -> None:
        self.tracker = tracker
        self.name = str(getattr(tracker, "name", type(tracker).__name__))

    def init(self, img: np.ndarray, bbox: Sequence[float]) -> None:
        """Starts on a target.

        Args:
            img: (H, W, 3) uint8 BGR, as ``cv2.imread`` gives it.
            bbox: x, y, w, h in pixels, 0-based.
        """
        self.tracker.init(as_rgb(img, mode="BGR"), tuple(bbox))

    def track(self, img: np.ndarray) -> dict[str, Any]:
        """Finds the target again.

        Args:
            img: (H, W, 3) uint8 BGR.

        Returns:
            ``bbox``: [x, y, w, h] in pixels, 0-based; ``best_score``: the confidence.
        """
        result = self.tracker.track(as_rgb(img, mode="BGR"))
        return {"bbox": [float(value) for value in result.box], "best_score": float(result.score)}


def build_pysot_tracker(name: str, **options: Any) -> PysotTracker:
    """The named tracker with pysot's interface; options as for ``build_tracker``."""
    from dsiam_plugin import build_tracker

    return PysotTracker(build_tracker(name, **options))
