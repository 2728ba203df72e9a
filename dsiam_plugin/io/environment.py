"""Settings of numerical libraries that they read once, when they are loaded."""

import os

_SETTINGS = {
    # Threads that wait for work sleep. By default they spin, and where another process needs the
    # processor a frame then takes ten times as long.
    "OMP_WAIT_POLICY": "passive",
    # Warnings of OpenCV and FFmpeg stay off stderr; ours say the same in one line.
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
}


def prepare_libraries() -> None:
    """Set what the user has not; to be called before torch and OpenCV are imported."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
