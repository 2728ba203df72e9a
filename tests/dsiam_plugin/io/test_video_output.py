import os

import numpy as np
import pytest

from dsiam_plugin.errors import SourceError
from dsiam_plugin.io.sources import open_source
from dsiam_plugin.io.video_output import CODECS, check_output, frame_writer

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


def test_video_of_changing_size_is_refused_not_dropped(tmp_path):
    with pytest.raises(SourceError, match="frame of 32x48; expected 64x48 as before"):
        with frame_writer(tmp_path / "out.mp4", 10) as write:
            write(RED)
            write(RED[:, ::2])
    assert os.listdir(tmp_path) == []


def test_unknown_suffix():
    with pytest.raises(SourceError, match=r"out.gif: suffix '.gif'; expected .mp4"):
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
