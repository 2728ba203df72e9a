import os
import threading

import cv2
import numpy as np
import pytest

from dsiam_plugin.errors import ImageError, SourceError
from dsiam_plugin.io import sources
from dsiam_plugin.io.sources import DEFAULT_FPS, open_source, prefetch


def solid(red, green, blue, size=(48, 64)):
    return np.full((*size, 3), (blue, green, red), np.uint8)  # BGR, as OpenCV writes


def write_frames(folder, names):
    """One image a name; its red value is ten times its position."""
    folder.mkdir(parents=True, exist_ok=True)
    for position, name in enumerate(names):
        cv2.imwrite(str(folder / name), solid(10 * position, 0, 0))


def write_video(path, count=5, fps=12.5):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (64, 48))
    for position in range(count):
        writer.write(solid(50 * position, 0, 0))
    writer.release()
    return path


def names_of(source):
    return [frame.name.rsplit("/", 1)[-1] for frame in source]


def test_folder_is_read_in_natural_order_without_other_files(tmp_path):
    write_frames(tmp_path, ["2.png", "10.png", "1.png", ".hidden.png"])
    (tmp_path / "groundtruth.txt").write_text("1,2,3,4\n")
    source = open_source(tmp_path)
    assert (source.length, source.fps) == (3, DEFAULT_FPS)
    frames = list(source)
    assert names_of(frames) == ["1.png", "2.png", "10.png"]
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert [frame.image[0, 0].tolist() for frame in frames] == [[20, 0, 0], [0, 0, 0], [10, 0, 0]]


@pytest.mark.parametrize("inner", ["img", "color"])
def test_sequence_folders_of_otb_and_vot(tmp_path, inner):
    write_frames(tmp_path / inner, ["0001.jpg", "0002.jpg"])
    assert names_of(open_source(tmp_path)) == ["0001.jpg", "0002.jpg"]


def test_glob(tmp_path):
    write_frames(tmp_path, ["a1.png", "a2.png", "b1.png"])
    assert names_of(open_source(f"{tmp_path}/a*")) == ["a1.png", "a2.png"]


def test_existing_file_with_brackets_is_no_glob(tmp_path):
    write_frames(tmp_path / "take[1]", ["1.png"])
    assert open_source(tmp_path / "take[1]").length == 1


def test_single_image_is_one_frame_even_among_numbered_ones(tmp_path):
    write_frames(tmp_path, ["01.png", "02.png"])
    assert names_of(open_source(tmp_path / "01.png")) == ["01.png"]


def test_video_frames_are_rgb_in_order(tmp_path):
    path = write_video(tmp_path / "a.avi")
    source = open_source(path)
    assert source.length == 5
    assert source.fps == pytest.approx(12.5)
    frames = list(source)
    assert [frame.name for frame in frames] == [f"{path}: frame {index}" for index in range(5)]
    for position, frame in enumerate(frames):
        assert np.abs(frame.image.astype(int) - [50 * position, 0, 0]).max() <= 4  # JPEG


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("absent.mp4", None, "no such file or folder"),
        ("broken.mp4", b"nonsense" * 100, "cannot be opened"),
        ("empty.avi", b"", "cannot be opened"),
        ("boxes.txt", b"1,2,3,4\n" * 100, "a text file"),
        ("none*.png", None, "matches 0 files"),
    ],
)
def test_bad_source_is_named_with_what_was_found(tmp_path, name, content, found):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError) as caught:
        open_source(tmp_path / name)
    message = str(caught.value)
    assert message.startswith(str(tmp_path / name))
    assert found in message
    assert "expected" in message
    assert "\n" not in message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name are Unix's")
def test_a_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "video0")
    with pytest.raises(SourceError, match="video0: a pipe or device; expected .* a camera number"):
        open_source(tmp_path / "video0")


def test_folder_without_images(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(SourceError, match="a folder without images; expected .jpg"):
        open_source(tmp_path)


def test_video_without_frames(tmp_path):
    source = open_source(write_video(tmp_path / "a.avi", count=1))
    list(source)
    with pytest.raises(SourceError, match="a.avi: no frame decodes"):
        list(source)


@pytest.mark.parametrize(("announced", "shown"), [(40, 19), (40, 37), (1000, 900), (10, 8)])
def test_a_video_that_ends_early_is_an_error_after_its_frames(tmp_path, announced, shown):
    source = open_source(write_video(tmp_path / "a.avi", count=5))
    source.length, source.capture = announced, Frames(shown)
    frames = iter(source)
    assert len([next(frames) for _ in range(shown)]) == shown
    with pytest.raises(SourceError, match=f"a.avi: ends after {shown} of {announced} frames"):
        next(frames)


@pytest.mark.parametrize(("announced", "shown"), [(40, 38), (1000, 990), (10, 9), (3, 4)])
def test_the_few_frames_that_containers_count_too_much_are_not_missed(tmp_path, announced, shown):
    source = open_source(write_video(tmp_path / "a.avi", count=5))
    source.length, source.capture = announced, Frames(shown)
    assert len(list(source)) == shown


def test_half_a_video_file(tmp_path):
    path = write_video(tmp_path / "a.avi", count=40)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    frames = []
    with pytest.raises(SourceError, match=r"ends after [0-9]+ of 40 frames; damaged or cut off"):
        for frame in open_source(path):
            frames.append(frame)
    assert 5 < len(frames) < 30


class Frames:
    """A capture that gives some frames."""

    def __init__(self, count):
        self.left = count

    def read(self):
        self.left -= 1
        return self.left >= 0, np.zeros((4, 4, 3), np.uint8)

    def release(self):
        pass

    def isOpened(self):  # noqa: N802
        return True

    def get(self, what):
        return -1.0


@pytest.mark.parametrize(
    ("source", "seconds", "found"),
    [
        ("0", 0, "camera 0: the camera stopped after 3 frames"),
        ("rtsp://a/live", 30, "rtsp://a/live: nothing arrived for 30 s after 3 frames"),
    ],
)
def test_live_sources_that_fail(monkeypatch, source, seconds, found):
    capture = Frames(3)
    clock = iter([0, 0, 0, 0, seconds])
    monkeypatch.setattr(cv2, "VideoCapture", lambda address: capture)
    monkeypatch.setattr(sources.time, "monotonic", lambda: next(clock))
    with pytest.raises(SourceError, match=found):
        list(open_source(source))


def test_a_stream_that_its_sender_ends_is_at_its_end(monkeypatch):
    monkeypatch.setattr(cv2, "VideoCapture", lambda address: Frames(3))
    assert len(list(open_source("rtsp://a/live"))) == 3


def test_absent_camera():
    with pytest.raises(SourceError, match="camera 987: cannot be opened"):
        open_source("987")


def test_stream_errors_hide_the_password(monkeypatch):
    opened = []

    class Closed:
        def isOpened(self):  # noqa: N802
            return False

    monkeypatch.setattr(cv2, "VideoCapture", lambda address: opened.append(address) or Closed())
    with pytest.raises(SourceError) as caught:
        open_source("rtsp://me:secret@10.0.0.1/live")
    assert opened == ["rtsp://me:secret@10.0.0.1/live"]
    assert str(caught.value).startswith("rtsp://10.0.0.1/live: cannot be opened")


def test_undecodable_frame_is_named_after_the_good_ones(tmp_path):
    write_frames(tmp_path, ["1.png", "3.png"])
    (tmp_path / "2.png").write_bytes(b"broken")
    frames = prefetch(open_source(tmp_path))
    assert next(frames).index == 0
    with pytest.raises(ImageError, match="2.png: 6 bytes that do not decode"):
        next(frames)


def test_prefetch_keeps_order_and_runs_one_ahead():
    produced = []

    def items():
        for number in range(5):
            produced.append(number)
            yield number

    seen = []
    for number in prefetch(items()):
        seen.append(number)
        assert len(produced) <= number + 2
    assert seen == produced == [0, 1, 2, 3, 4]


def test_prefetch_produces_in_another_thread():
    main = threading.get_ident()
    assert main not in set(prefetch(threading.get_ident() for _ in range(3)))


def test_leaving_prefetch_early_ends_thread_and_items():
    closed = []

    def items():
        try:
            yield from range(100)
        finally:
            closed.append(True)

    before = threading.active_count()
    numbers = prefetch(items())
    next(numbers)
    numbers.close()
    assert closed == [True]
    assert threading.active_count() == before


def test_a_container_that_opencv_gives_up_on_names_the_frame(monkeypatch):
    class Damaged(Frames):
        def read(self):
            raise cv2.error("container_avi.cpp:530:\nAssertion failed")

    monkeypatch.setattr(cv2, "VideoCapture", lambda address: Damaged(3))
    with pytest.raises(SourceError, match=r"frame 0: container_avi\.cpp:530: Assertion failed$"):
        list(open_source("rtsp://host/a"))
