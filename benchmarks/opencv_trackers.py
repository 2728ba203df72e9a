"""OpenCV's own trackers behind this package's protocol, for comparison."""

from __future__ import annotations

import cv2
import numpy as np

NAMES = ("CSRT", "KCF", "MIL")


class OpenCVTracker:
    """One of OpenCV's trackers on RGB images.

    Args:
        name: One of ``NAMES``, as :func:`available` found it.
    """

    image_mode = "RGB"

    def __init__(self, name: str):
        self.name = f"OpenCV {cv2.__version__} {name}"
        self._create = _factory(name)

    def init(self, image: np.ndarray, box: tuple[float, float, float, float]) -> None:
        """Start on a target."""
        self._tracker = self._create()
        self._tracker.init(np.ascontiguousarray(image[..., ::-1]), tuple(map(round, box)))

    def track(self, image: np.ndarray) -> tuple[float, float, float, float]:
        """Box in the next image."""
        return self._tracker.update(np.ascontiguousarray(image[..., ::-1]))[1]


class NanoTracker(OpenCVTracker):
    """OpenCV's TrackerNano, a Siamese network with a box head, from its two ONNX files."""

    def __init__(self, backbone: str, head: str):
        self.name = f"OpenCV {cv2.__version__} TrackerNano"
        settings = cv2.TrackerNano_Params()
        settings.backbone, settings.neckhead = backbone, head
        self._create = lambda: cv2.TrackerNano_create(settings)


def available() -> tuple[str, ...]:
    """Those that this OpenCV has; CSRT and KCF are in opencv-contrib-python alone."""
    return tuple(name for name in NAMES if _factory(name) is not None)


def _factory(name: str) -> object | None:
    for module in (cv2, getattr(cv2, "legacy", None)):
        found = getattr(module, f"Tracker{name}_create", None)
        if found is not None:
            return found
    return None
