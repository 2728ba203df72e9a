"""Windows on a screen: choosing the target with the mouse and watching the tracker."""

import os
import re
import subprocess
import sys

import cv2
import numpy as np

from dsiam_plugin.errors import BoxError, DeviceError
from dsiam_plugin.io.boxes import Box
from dsiam_plugin.io.images import as_bgr

STOP_KEYS = (27, ord("q"))
PROBE_TIMEOUT_S = 20.0
NO_DISPLAY = (
    "no window can be opened here (no display, or opencv-python-headless is installed);"
    " expected --no-gui with --init-box X,Y,W,H"
)


def has_display() -> bool:
    """True where this OpenCV has windows and there is a screen to show them on."""
    framework = re.search(r"^\s*GUI:\s*(\S+)", cv2.getBuildInformation(), re.MULTILINE)
    if framework is None or framework.group(1) == "NONE":
        return False
    if not sys.platform.startswith("linux"):
        return True
    named = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(named) and _window_opens()


def check_display() -> None:
    """Raises DeviceError where :func:`has_display` says no; OpenCV would end the process."""
    if not has_display():
        raise DeviceError(NO_DISPLAY)


def select_box(image: np.ndarray, title: str = "dsiam") -> Box:
    """Lets the user draw the target's box.

    Returns:
        The box in pixels, 0-based.

    Raises:
        BoxError: The selection was cancelled or is empty.
    """
    x, y, w, h = cv2.selectROI(title, as_bgr(image), showCrosshair=False)
    if w <= 0 or h <= 0:
        raise BoxError("no target was selected; expected a box drawn with the mouse, or --init-box")
    return Box(float(x), float(y), float(w), float(h))


def show(image: np.ndarray, title: str = "dsiam") -> bool:
    """Shows an RGB image for a moment; False once Esc or q was pressed in the window."""
    cv2.imshow(title, as_bgr(image))
    return cv2.waitKey(1) & 0xFF not in STOP_KEYS


def _window_opens() -> bool:
    """Tries it in a process of its own: Qt aborts the one that meets an unreachable display."""
    program = "import cv2; cv2.namedWindow('dsiam'); cv2.destroyAllWindows()"
    try:
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, timeout=PROBE_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
