"""Writing frames to a video file or a folder of images, complete or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from dsiam_plugin.errors import SourceError
from dsiam_plugin.io.files import atomic_folder, atomic_path
from dsiam_plugin.io.images import as_bgr

# Codecs that OpenCV's wheels bring for each container.
CODECS = {".mp4": "mp4v", ".m4v": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}
WriteFrame = Callable[[np.ndarray], None]


def check_output(path: str | Path) -> None:
    """Raises SourceError unless the suffix is a video's, or absent for a folder of images."""
    suffix = Path(path).suffix.lower()
    if suffix and suffix not in CODECS:
        raise SourceError(
            f"{path}: suffix {suffix!r}; expected {', '.join(CODECS)} for a video"
            " or no suffix for a folder of images"
        )


@contextmanager
def frame_writer(path: str | Path, fps: float) -> Iterator[WriteFrame]:
    """Lends a function that appends (H, W, 3) uint8 RGB frames to a video or folder.

    The result appears under ``path`` when the block ends without an exception; before that, and
    after a failure, there is nothing or the older file.

    Args:
        path: A suffix of ``CODECS`` makes a video, none a folder of JPEG images.
        fps: Frames a second of the video.

    Raises:
        SourceError: Unknown suffix, a codec that is missing, a video of no frames or of frames of
            different sizes.
        OSError: The place cannot be written.
    """
    check_output(path)
    if Path(path).suffix:
        with atomic_path(path) as temporary:
            video = _Video(temporary, fps, str(path))
            try:
                yield video.write
            finally:
                video.close()
            if video.writer is None:
                raise SourceError(f"{path}: no frame was written; expected at least one")
    else:
        with atomic_folder(path) as folder:
            yield _Images(folder).write


class _Images:
    """Numbered JPEG files, 00000001.jpg first as in OTB and VOT."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    def write(self, image: np.ndarray) -> None:
        self.count += 1
        path = self.folder / f"{self.count:08d}.jpg"
        _, encoded = cv2.imencode(".jpg", as_bgr(image))
        encoded.tofile(path)


class _Video:
    """A video whose size is that of its first frame."""

    def __init__(self, temporary: Path, fps: float, name: str) -> None:
        self.temporary = temporary
        self.fps = fps
        self.name = name
        self.size = (0, 0)
        self.writer: cv2.VideoWriter | None = None

    def write(self, image: np.ndarray) -> None:
        size = (image.shape[1], image.shape[0])
        if self.writer is None:
            self.writer, self.size = self._open(size), size
        if size != self.size:  # OpenCV would drop the frame without a word
            raise SourceError(
                f"{self.name}: frame of {_shown(size)}; expected {_shown(self.size)} as before"
                " (name a folder to keep frames of any size)"
            )
        self.writer.write(as_bgr(image))

    def close(self) -> None:
        if self.writer is not None:
            self.writer.release()

    def _open(self, size: tuple[int, int]) -> cv2.VideoWriter:
        codec = CODECS[self.temporary.suffix.lower()]
        code = cv2.VideoWriter.fourcc(*codec)
        writer = cv2.VideoWriter(str(self.temporary), code, self.fps, size)
        if not writer.isOpened():
            raise SourceError(f"{self.name}: this OpenCV cannot encode {codec}; name a folder")
        return writer


def _shown(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
