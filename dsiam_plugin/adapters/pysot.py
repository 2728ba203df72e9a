"""pysot's interface: BGR images, a dictionary a frame. pysot itself is not needed."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dsiam_plugin.io.boxes import as_box
from dsiam_plugin.io.images import as_rgb
from dsiam_plugin.trackers.follow import Follower, Tracker

PYSOT_SHIFT_PX = 0.5  # from a pixel's edge to its middle


class PysotTracker:
    """A tracker as pysot's ``tools/test.py`` and ``tools/demo.py`` call theirs.

    pysot's loop measures the first box from the middle of a pixel, so an annotation x, y, w, h
    comes as x + 0.5, y + 0.5, w, h; results are measured from the edge again. pysot's trackers do
    the same.

    Args:
        tracker: Takes RGB images; it is used for this adapter's target alone.
    """

    image_mode = "BGR"

    def __init__(self, tracker: Tracker) -> None:
        self.tracker = tracker
        self._follower = Follower(tracker)
        self._score = 0.0
        self.name = str(getattr(tracker, "name", type(tracker).__name__))

    def init(self, img: np.ndarray, bbox: Sequence[float]) -> None:
        """Starts on a target.

        Args:
            img: (H, W, 3) uint8 BGR, as ``cv2.imread`` gives it.
            bbox: x + 0.5, y + 0.5, w, h in pixels, 0-based.
        """
        x, y, w, h = as_box(bbox)
        box = (x - PYSOT_SHIFT_PX, y - PYSOT_SHIFT_PX, w, h)
        self._follower.start(as_rgb(img, mode="BGR"), box)

    def track(self, img: np.ndarray) -> dict[str, Any]:
        """Finds the target again.

        Args:
            img: (H, W, 3) uint8 BGR.

        Returns:
            ``bbox``: [x, y, w, h] in pixels, 0-based, without the half pixel; ``best_score``: the
            confidence.
        """
        step = self._follower.follow(as_rgb(img, mode="BGR"))
        if step.answer is not None:  # else it was started again, on a frame of another size
            self._score = float(step.answer.score)
        return {"bbox": [float(value) for value in step.box], "best_score": self._score}


def build_pysot_tracker(name: str, **options: Any) -> PysotTracker:
    """The named tracker with pysot's interface; options as for ``build_tracker``."""
    from dsiam_plugin import build_tracker

    return PysotTracker(build_tracker(name, **options))
