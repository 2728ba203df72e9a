"""Truncated files, whichever OpenCV is installed."""

import cv2
import numpy as np
import pytest

from dsiam_plugin.errors import ImageError
from dsiam_plugin.training.data.sources import whole_images
from dsiam_plugin.training.data.sources.whole_images import read_whole_image


@pytest.fixture
def encoded() -> bytes:
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    return cv2.imencode(".jpg", picture)[1].tobytes()


@pytest.fixture
def tolerant(monkeypatch):
    """OpenCV 4's decoder, which is content with any part of a file."""
    monkeypatch.setattr(whole_images, "read_image", lambda path: np.zeros((1, 1, 3), np.uint8))


def test_whole_files_are_read(tmp_path, encoded):
    path = tmp_path / "whole.jpg"
    for trailer in (b"", b"\0" * 100):
        path.write_bytes(encoded + trailer)
        assert read_whole_image(path).shape == (40, 60, 3)
    path = tmp_path / "whole.png"
    cv2.imwrite(str(path), np.zeros((4, 6, 3), np.uint8))
    assert read_whole_image(path).shape == (4, 6, 3)


@pytest.mark.parametrize("lost", [1, 2, 500, 2000])
def test_truncated_files_are_not(tmp_path, encoded, tolerant, lost):
    path = tmp_path / "part.jpg"
    path.write_bytes(encoded[:-lost])
    with pytest.raises(ImageError, match=f"ends after {len(encoded) - lost} bytes"):
        read_whole_image(path)


def test_the_end_of_a_thumbnail_is_not_that_of_the_file(tmp_path, encoded, tolerant):
    thumbnail = b"\xff\xe1" + (len(encoded) + 2).to_bytes(2, "big") + encoded
    path = tmp_path / "part.jpg"
    path.write_bytes(encoded[:2] + thumbnail + encoded[2:])
    read_whole_image(path)
    path.write_bytes(encoded[:2] + thumbnail + encoded[2:-100])
    with pytest.raises(ImageError, match="ends after"):
        read_whole_image(path)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(ImageError, match=r"none\.jpg: No such file"):
        read_whole_image(tmp_path / "none.jpg")
