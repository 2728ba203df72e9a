"""Images and videos."""

from pathlib import Path

import cv2
import numpy as np
from fuzz.engine import Reader
from seeded_network import moving_patch

from dsiam_plugin.io.images import as_rgb, read_image, read_raw_image
from dsiam_plugin.io.sources import open_source

FRAMES, _ = moving_patch(10)
IMAGES = ("a.jpg", "a.png", "a.bmp", "a.webp", "a.tif", "a.ppm")


def write_images(folder: Path) -> None:
    """One image in every format, and a 16-bit one."""
    for name in IMAGES:
        cv2.imwrite(str(folder / name), FRAMES[0])
    cv2.imwrite(str(folder / "deep.png"), FRAMES[0].astype(np.uint16) * 257)
    cv2.imwrite(str(folder / "grey.png"), FRAMES[0][..., 0])


def read_images(folder: Path) -> None:
    """Every image by both readers."""
    for path in sorted(folder.iterdir()):
        as_rgb(read_raw_image(path))
        pixels = read_image(path)
        assert pixels.ndim == 3 and pixels.dtype == np.uint8


def video_writer(name: str, codec: str) -> object:
    """Writes ten frames into a file of that name."""

    def write(folder: Path) -> None:
        size = FRAMES[0].shape[1::-1]
        writer = cv2.VideoWriter(str(folder / name), cv2.VideoWriter_fourcc(*codec), 25, size)
        for frame in FRAMES:
            writer.write(frame)
        writer.release()

    return write


def read_video(folder: Path) -> None:
    """All frames of a video."""
    (path,) = folder.iterdir()
    source = open_source(path)
    for count, frame in enumerate(source):
        assert frame.image.dtype == np.uint8
        if count > 200:
            break


READERS = [
    Reader("images", write_images, read_images),
    Reader("video .avi", video_writer("a.avi", "MJPG"), read_video),
    Reader("video .mp4", video_writer("a.mp4", "mp4v"), read_video),
]
