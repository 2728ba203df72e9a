"""Frames from a video file, a folder or glob of images, a camera or a network stream."""

import glob
import math
import re
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import cv2
import numpy as np

from dsiam_plugin.errors import SourceError
from dsiam_plugin.io.folders import IMAGE_SUFFIXES, frame_files, is_frame, natural_key
from dsiam_plugin.io.images import as_rgb, read_image
from dsiam_plugin.io.messages import one_line

SHARE_NOT_SHOWN = 0.05  # of the frames a video announces, but no more than a second of it
STALLED_S = 25.0  # OpenCV gives a stream up after 30 s; one that its sender ends ends at once
DEFAULT_FPS = 25.0  # for sources that do not say: images, and cameras that report 0
FRAME_FOLDERS = ("", "img", "color")  # a folder itself, or as OTB and VOT lay sequences out
TEXT_SUFFIXES = (".txt", ".asc", ".nfo")  # FFmpeg would play a text file as letters on black
EXPECTED = "a video, a folder or glob of images, a camera number or a stream's URL"

Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class Frame:
    """One image of a source."""

    index: int  # 0-based position in the source
    name: str  # what messages call it: an image's path, or the source and the position
    image: np.ndarray  # (H, W, 3) uint8, RGB unless its source says otherwise


class Source(Protocol):
    """Something that yields frames once, in order."""

    @property
    def fps(self) -> float:
        """Frames a second at which it plays."""
        ...

    @property
    def length(self) -> int | None:
        """Number of frames it announces; None where it cannot know."""
        ...

    def __iter__(self) -> Iterator[Frame]:
        """Yields the frames; raises SourceError or ImageError where one cannot be read."""
        ...


@dataclass(frozen=True)
class ImageSource:
    """Image files in the order given."""

    paths: Sequence[str | Path]  # the files, at least one
    fps: float = DEFAULT_FPS  # speed at which a video made from them plays
    mode: str = "RGB"  # colour order of the images, "RGB" or "BGR"

    @property
    def length(self) -> int:
        """Number of frames."""
        return len(self.paths)

    def __iter__(self) -> Iterator[Frame]:
        """Decodes one file after the other."""
        for index, path in enumerate(self.paths):
            yield Frame(index, str(path), read_image(path, self.mode))


class VideoSource:
    """A video file, camera or stream that OpenCV opens.

    Attributes:
        fps: Frames a second as the source says, else ``DEFAULT_FPS``.
        length: Frames the file announces (an estimate of its container), None for live sources.
    """

    def __init__(self, address: str | int, name: str) -> None:
        self.name = name
        self.is_camera = isinstance(address, int)
        self.capture = cv2.VideoCapture(address)
        if not self.capture.isOpened():
            raise SourceError(f"{name}: cannot be opened; expected {EXPECTED}")
        fps = self.capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if math.isfinite(fps) and fps > 0 else DEFAULT_FPS
        announced = self.capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.length = int(announced) if math.isfinite(announced) and announced > 0 else None

    def __iter__(self) -> Iterator[Frame]:
        """Decodes until the source ends, then lets go of it.

        Raises:
            SourceError: After the frames, if there are fewer than there should be.
        """
        index = 0
        try:
            while True:
                asked = time.monotonic()
                decoded, image = self._read(index)
                if not decoded:
                    break
                name = f"{self.name}: frame {index}"
                yield Frame(index, name, as_rgb(image, mode="BGR", name=name))
                index += 1
        finally:
            self.capture.release()
        trouble = self._early_end(index, time.monotonic() - asked)
        if trouble:
            raise SourceError(f"{self.name}: {trouble}")

    def _read(self, index: int) -> tuple[bool, np.ndarray]:
        try:
            return self.capture.read()
        except cv2.error as error:  # of damaged containers, not of all
            raise SourceError(f"{self.name}: frame {index}: {one_line(error)[:200]}") from error

    def _early_end(self, count: int, waited_s: float) -> str:
        """A reason why the source should not have ended after ``count`` frames, or nothing."""
        if count == 0:
            return f"no frame decodes; expected {EXPECTED}"
        if self.length is not None:  # containers estimate it, and edited ones skip a few
            allowed = max(1.0, min(self.fps, SHARE_NOT_SHOWN * self.length))
            cut = self.length - count > allowed
            return f"ends after {count} of {self.length} frames; damaged or cut off" if cut else ""
        if self.is_camera:
            return f"the camera stopped after {count} frames"
        if waited_s >= STALLED_S:
            return f"nothing arrived for {waited_s:.0f} s after {count} frames; connection lost"
        return ""


def open_source(source: str | Path) -> Source:
    """Opens whatever the text names.

    Digits alone are a camera, text with ``://`` a stream; a folder or file called so is reached
    with ``./`` before it. A folder's images may also lie in its ``img`` or ``color`` folder.

    Raises:
        SourceError: There is nothing of that name, no frame in it, or it cannot be opened.
    """
    text = str(source)
    if text.isdecimal():
        return VideoSource(int(text), f"camera {text}")
    if "://" in text:
        return VideoSource(text, _without_password(text))
    path = Path(text)
    if path.is_dir():
        return ImageSource(_images_in(path))
    if path.is_file():
        return _open_file(path)
    if glob.has_magic(text):
        return ImageSource(_images_matching(text))
    found = "a pipe or device" if path.exists() else "no such file or folder"
    raise SourceError(f"{text}: {found}; expected {EXPECTED}")


def prefetch(items: Iterable[Item]) -> Generator[Item, None, None]:
    """Yields the items in order while a thread already produces the next one.

    Exceptions of the items are raised here, after the items before. The thread has ended and the
    items are closed when this generator ends, also where the consumer stops early.
    """
    iterator: Iterator[Any] = iter(items)
    end = object()
    try:
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefetch") as executor:
            pending: Future[Any] = executor.submit(next, iterator, end)
            while (item := pending.result()) is not end:
                pending = executor.submit(next, iterator, end)
                yield item
    finally:
        if isinstance(iterator, Generator):
            iterator.close()


def _open_file(path: Path) -> Source:
    """A video, or a single image as a source of one frame."""
    suffix = path.suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        return ImageSource((path,))
    if suffix in TEXT_SUFFIXES:
        raise SourceError(f"{path}: a text file; expected {EXPECTED}")
    return VideoSource(str(path), str(path))


def _images_in(folder: Path) -> tuple[Path, ...]:
    """Images of a folder, or of the place where sequences keep them."""
    for place in (folder / name for name in FRAME_FOLDERS):
        names = frame_files(place)
        if names:
            return tuple(place / name for name in names)
    raise SourceError(f"{folder}: a folder without images; expected {', '.join(IMAGE_SUFFIXES)}")


def _images_matching(pattern: str) -> tuple[Path, ...]:
    """Images among the files a glob pattern matches."""
    found = sorted(glob.glob(pattern, recursive=True), key=natural_key)
    images = [path for path in map(Path, found) if is_frame(path.name) and not path.is_dir()]
    if not images:
        raise SourceError(
            f"{pattern}: matches {len(found)} files, none an image;"
            f" expected {', '.join(IMAGE_SUFFIXES)}"
        )
    return tuple(images)


def _without_password(url: str) -> str:
    """The URL as it may be shown: a camera's user and password stay out of logs."""
    return re.sub(r"//[^/@]*@", "//", url)
