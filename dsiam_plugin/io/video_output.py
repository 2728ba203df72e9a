"""Writing frames to a video file or a folder of images, complete or not at all."""

import errno
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from dsiam_plugin.errors import SourceError
from dsiam_plugin.io.files import atomic_folder, atomic_path
from dsiam_plugin.io.images import as_bgr

logger = logging.getLogger(__name__)

H264, MPEG4 = "avc1", "mp4v"
# Codecs for each container, the best first. OpenCV's wheels have no H.264.
CODECS = {
    ".mp4": (H264, MPEG4),
    ".m4v": (H264, MPEG4),
    ".mov": (H264, MPEG4),
    ".mkv": (H264, MPEG4),
    ".webm": ("VP80",),
    ".avi": ("MJPG",),
}
LEAST_FREE_BYTES = 2**20  # below, the disk counts as full: encoders hold back about as much
WriteFrame = Callable[[np.ndarray], None]


def check_output(path: str | Path) -> None:
    """Raises SourceError unless the suffix is a video's, or absent for a folder of images."""
    suffix = Path(path).suffix.lower()
    if suffix == ".gif":
        raise SourceError(f"{path}: GIF has 256 colours; expected .webm or .mp4 in its place")
    if suffix and suffix not in CODECS:
        raise SourceError(
            f"{path}: suffix {suffix!r}; expected {', '.join(CODECS)} for a video"
            " or no suffix for a folder of images"
        )


@contextmanager
def frame_writer(path: str | Path, fps: float) -> Iterator[WriteFrame]:
    """Lends a function that appends (H, W, 3) uint8 RGB frames to a video or folder.

    The result appears under ``path`` when the block ends without an exception; before that, and
    after a failure, there is nothing or the older file. A video has the size of its first frame,
    made even by repeating the last row or column; later frames are scaled to it.

    Args:
        path: A suffix of ``CODECS`` makes a video, none a folder of JPEG images.
        fps: Frames a second of the video.

    Raises:
        SourceError: Unknown suffix, a codec that is missing, a video of no frames, or one that
            cannot be read back.
        OSError: The place cannot be written, or is full.
    """
    check_output(path)
    if Path(path).suffix:
        with atomic_path(path) as temporary:
            video = _Video(temporary, fps, str(path))
            try:
                yield video.write
            finally:
                video.close()
            video.check()
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
        path.write_bytes(encoded.tobytes())


class _Video:
    """A video whose size is that of its first frame."""

    def __init__(self, temporary: Path, fps: float, name: str) -> None:
        self.temporary = temporary
        self.fps = fps
        self.name = name
        self.size = (0, 0)
        self.count = 0
        self.writer: cv2.VideoWriter | None = None

    def write(self, image: np.ndarray) -> None:
        if self.writer is None:
            self.size = (image.shape[1], image.shape[0])
            self.writer = self._open((_even(self.size[0]), _even(self.size[1])))
        self._check_space()
        if self.size != (image.shape[1], image.shape[0]):  # OpenCV would drop it without a word
            image = cv2.resize(image, self.size, interpolation=cv2.INTER_AREA)
        beyond = [_even(side) - side for side in self.size]  # encoders would cut odd ones
        if any(beyond):
            image = cv2.copyMakeBorder(image, 0, beyond[1], 0, beyond[0], cv2.BORDER_REPLICATE)
        self.writer.write(as_bgr(image))
        self.count += 1

    def close(self) -> None:
        if self.writer is not None:
            self.writer.release()

    def check(self) -> None:
        """Raises unless every frame can be read back: OpenCV reports no failed write."""
        if self.writer is None:
            raise SourceError(f"{self.name}: no frame was written; expected at least one")
        self._check_space()
        written = cv2.VideoCapture(str(self.temporary))
        count = 0
        while count < self.count and written.grab():
            count += 1
        written.release()
        if count < self.count:
            raise SourceError(
                f"{self.name}: only {count} of {self.count} frames could be written;"
                " expected room for them on the disk"
            )

    def _check_space(self) -> None:
        if shutil.disk_usage(self.temporary.parent).free < LEAST_FREE_BYTES:
            raise OSError(errno.ENOSPC, "no space left on the disk", self.name)

    def _open(self, size: tuple[int, int]) -> cv2.VideoWriter:
        codecs = CODECS[self.temporary.suffix.lower()]
        for codec in codecs:
            code = cv2.VideoWriter.fourcc(*codec)
            with _silent_stderr():
                writer = cv2.VideoWriter(str(self.temporary), code, self.fps, size)
            if writer.isOpened():
                if codec == MPEG4:
                    logger.warning(
                        "%s: this OpenCV has no H.264 encoder; it will be MPEG-4 part 2, which"
                        " browsers do not play (name it .webm for them)",
                        self.name,
                    )
                return writer
        raise SourceError(f"{self.name}: this OpenCV cannot encode {codecs[-1]}; name a folder")


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Drops what the process writes to stderr: FFmpeg says of codecs that work that they do not."""
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _even(side: int) -> int:
    """The side, or one more: videos store colours for pairs of pixels."""
    return side + side % 2
