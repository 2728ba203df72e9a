import sys

import cv2
import numpy as np
import pytest

from dsiam_plugin.errors import BoxError, DeviceError
from dsiam_plugin.io import display

RED = np.full((20, 30, 3), (255, 0, 0), np.uint8)


@pytest.fixture
def windows(monkeypatch):
    """An OpenCV that says it has windows."""
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: "  Media:\n  GUI:      QT5\n")


@pytest.mark.parametrize("information", ["  GUI:      NONE\n", "  nothing about it\n"])
def test_headless_opencv_has_no_windows(monkeypatch, information):
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: information)
    assert not display.has_display()
    with pytest.raises(DeviceError, match="expected --no-gui with --init-box"):
        display.check_display()


def test_linux_without_display(windows, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not display.has_display()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X displays")
def test_unreachable_display_is_noticed_without_a_crash(windows, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not display.has_display()


def test_windows_and_mac_need_no_variable(windows, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delenv("DISPLAY", raising=False)
    assert display.has_display()


def test_selection_is_made_on_a_bgr_image(monkeypatch):
    shown = []
    monkeypatch.setattr(
        cv2, "selectROI", lambda title, image, **_: shown.append(image) or (1, 2, 3, 4)
    )
    assert display.select_box(RED) == (1, 2, 3, 4)
    assert (shown[0] == [0, 0, 255]).all()


@pytest.mark.parametrize("selection", [(0, 0, 0, 0), (5, 5, 0, 9), (5, 5, 9, 0)])
def test_empty_selection(monkeypatch, selection):
    monkeypatch.setattr(cv2, "selectROI", lambda *_, **__: selection)
    with pytest.raises(BoxError, match="no target was selected; expected"):
        display.select_box(RED)


@pytest.mark.parametrize(("key", "goes_on"), [(-1, True), (27, False), (ord("q"), False)])
def test_show(monkeypatch, key, goes_on):
    monkeypatch.setattr(cv2, "imshow", lambda *_: None)
    monkeypatch.setattr(cv2, "waitKey", lambda delay: key)
    assert display.show(RED) is goes_on
