import os
import shutil
import types

import cv2
import numpy as np
import pytest

from dsiam_plugin.errors import SourceError
from dsiam_plugin.io.sources import open_source
from dsiam_plugin.io.video_output import CODECS, check_output, frame_writer

try:
    import resource
except ImportError:
    resource = None

RED = np.full((48, 64, 3), (255, 0, 0), np.uint8)
BLUE = np.full((48, 64, 3), (0, 0, 255), np.uint8)


@pytest.mark.parametrize("suffix", [*CODECS, ".MP4", ""])
def test_frames_come_back_in_order_and_colour(tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    with frame_writer(path, fps=10) as write:
        for image in (RED, BLUE, RED):
            write(image)
    assert os.listdir(tmp_path) == [path.name]
    means = [frame.image.mean(axis=(0, 1)) for frame in open_source(path)]
    assert np.allclose(means, [[255, 0, 0], [0, 0, 255], [255, 0, 0]], atol=12)  # lossy
    if suffix:
        assert open_source(path).fps == pytest.approx(10)


@pytest.mark.parametrize("name", ["out.mp4", "frames"])
def test_failure_leaves_nothing(tmp_path, name):
    with pytest.raises(RuntimeError), frame_writer(tmp_path / name, 10) as write:
        write(RED)
        raise RuntimeError
    assert os.listdir(tmp_path) == []


def test_frames_of_another_size_are_scaled_to_the_first(tmp_path):
    with frame_writer(tmp_path / "out.mp4", 10) as write:
        for image in (RED, BLUE[:, ::2], np.repeat(RED, 2, axis=0)):
            write(image)
    images = [frame.image for frame in open_source(tmp_path / "out.mp4")]
    assert [image.shape for image in images] == [(48, 64, 3)] * 3
    assert np.allclose(images[1].mean(axis=(0, 1)), [0, 0, 255], atol=12)


@pytest.mark.parametrize("suffix", CODECS)
def test_odd_sizes_gain_a_row_and_column(tmp_path, suffix):
    image = np.zeros((47, 63, 3), np.uint8)
    image[:, -16:] = 255
    with frame_writer(tmp_path / f"out{suffix}", 10) as write:
        write(image)
    [frame] = open_source(tmp_path / f"out{suffix}")
    assert frame.image.shape == (48, 64, 3)
    assert frame.image[:, -1].min() > 200


def test_codec_that_browsers_do_not_play_is_told(tmp_path, caplog):
    with frame_writer(tmp_path / "out.mp4", 10) as write:
        write(RED)
    capture = cv2.VideoCapture(str(tmp_path / "out.mp4"))
    code = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little")
    assert (code == b"avc1") != ("browsers do not play" in caplog.text)


@pytest.mark.skipif(resource is None, reason="limits of processes are Unix's")
@pytest.mark.parametrize("suffix", CODECS)
def test_a_video_that_the_disk_cuts_off_is_an_error(tmp_path, suffix):
    rng = np.random.default_rng(0)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.raises(SourceError, match=f"out{suffix}: only [0-9]+ of 40 frames"):
        try:  # writes beyond 16 KiB fail as on a full disk; Python ignores the signal
            resource.setrlimit(resource.RLIMIT_FSIZE, (2**14, before[1]))
            with frame_writer(tmp_path / f"out{suffix}", 10) as write:
                for _ in range(40):
                    write(rng.integers(0, 256, (48, 64, 3), np.uint8))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("left", [3, 0])
def test_a_full_disk_is_an_error(tmp_path, monkeypatch, left):
    answers = iter([2**40] * left + [0] * 9)
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: types.SimpleNamespace(free=next(answers))
    )
    with pytest.raises(OSError, match="no space left") as caught:
        with frame_writer(tmp_path / "out.avi", 10) as write:
            for _ in range(3):
                write(RED)
    assert caught.value.filename == str(tmp_path / "out.avi")
    assert os.listdir(tmp_path) == []


def test_unknown_suffix():
    with pytest.raises(SourceError, match=r"out.wmv: suffix '.wmv'; expected .mp4"):
        check_output("out.wmv")
    with pytest.raises(SourceError, match=r"out.gif: .*expected .webm"):
        check_output("out.gif")


def test_folder_with_content_is_kept(tmp_path):
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(FileExistsError), frame_writer(tmp_path, 10) as write:
        write(RED)
    assert os.listdir(tmp_path) == ["mine.txt"]


def test_video_without_frames_is_refused(tmp_path):
    with pytest.raises(SourceError, match="out.mp4: no frame was written"):
        with frame_writer(tmp_path / "out.mp4", 10):
            pass
    assert os.listdir(tmp_path) == []
