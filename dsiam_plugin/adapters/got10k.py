"""got10k's interface (0.1.3): a subclass of its ``Tracker`` for its experiments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dsiam_plugin.errors import ImageError, MissingDependencyError
from dsiam_plugin.io.boxes import as_box
from dsiam_plugin.io.images import as_rgb
from dsiam_plugin.trackers.follow import Follower
from dsiam_plugin.trackers.follow import Tracker as FollowedTracker

try:
    from got10k.trackers import Tracker
except ImportError as error:
    raise MissingDependencyError(
        f"got10k cannot be imported ({error}); expected: pip install 'dsiam-plugin[got10k]'"
    ) from error

if TYPE_CHECKING:
    from PIL.Image import Image


class Got10kTracker(Tracker):
    """A tracker that got10k's experiments, such as ``ExperimentOTB``, can run.

    Args:
        tracker: Takes RGB images and 0-based boxes.
        name: Folder of its results; the tracker's own name by default.
        first_pixel: Index of the leftmost and topmost pixel in the experiment's boxes. got10k
            hands annotations over and compares results as the data set's files have them, and
            OTB, like most sets made with MATLAB, counts from 1. Use 0 for sets that count from 0.
    """

    def __init__(
        self, tracker: FollowedTracker, name: str | None = None, first_pixel: float = 1
    ) -> None:
        super().__init__(
            name=name or str(getattr(tracker, "name", type(tracker).__name__)),
            is_deterministic=True,
        )
        self.tracker = tracker
        self._follower = Follower(tracker)
        self.first_pixel = first_pixel

    def init(self, image: Image, box: Sequence[float]) -> None:
        """Starts on a target.

        Args:
            image: PIL image of any mode.
            box: x, y, w, h in the experiment's pixel count.
        """
        x, y, w, h = as_box(box)
        box = (x - self.first_pixel, y - self.first_pixel, w, h)
        self._follower.start(_to_array(image), box)

    def update(self, image: Image) -> np.ndarray:
        """Finds the target again: (4,) float64 x, y, w, h in the experiment's pixel count."""
        x, y, w, h = self._follower.follow(_to_array(image)).box
        return np.array([x + self.first_pixel, y + self.first_pixel, w, h], dtype=np.float64)


def build_got10k_tracker(name: str, first_pixel: float = 1, **options: Any) -> Got10kTracker:
    """The named tracker with got10k's interface; options as for ``build_tracker``."""
    from dsiam_plugin import build_tracker

    return Got10kTracker(build_tracker(name, **options), first_pixel=first_pixel)


def _to_array(image: Image) -> np.ndarray:
    """(H, W, 3) uint8 RGB of a PIL image."""
    if not hasattr(image, "convert"):
        raise ImageError(f"image: {type(image).__name__}; expected a PIL image")
    return as_rgb(np.asarray(image if image.mode == "RGB" else image.convert("RGB")))
