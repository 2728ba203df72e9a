import os
import re
import shutil
import threading
import types

import cv2
import numpy as np
import pytest
import torch
from fake_tracker import FakeTracker

import dsiam_plugin
from dsiam_plugin.commands import main as cli
from dsiam_plugin.io import display
from dsiam_plugin.io.sources import open_source

BOX = "10,10,20,20"


@pytest.fixture(autouse=True)
def no_display(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


@pytest.fixture
def fake(monkeypatch):
    """The tracker that every build returns, with the options it was built with."""
    tracker = FakeTracker()
    tracker.builds = []

    def build_tracker(name, **options):
        tracker.builds.append((name, options))
        return tracker

    monkeypatch.setattr(dsiam_plugin, "build_tracker", build_tracker, raising=False)
    return tracker


@pytest.fixture
def footage(tmp_path):
    """Five red frames of 80x60 pixels."""
    folder = tmp_path / "footage"
    folder.mkdir()
    for number in range(1, 6):
        image = np.full((60, 80, 3), (0, 0, 255), np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), image)
    return folder


def track(source, *arguments):
    return cli.main(["track", str(source), "--init-box", BOX, *map(str, arguments)])


def fails(capsys, tmp_path, *arguments):
    """The one line of a failed command that left nothing behind."""
    before = sorted(tmp_path.rglob("*"))
    assert cli.main(["track", *map(str, arguments)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    line = captured.err.split("\r")[-1].strip().splitlines()[-1]
    assert line.startswith("dsiam: error: ")
    assert sorted(tmp_path.rglob("*")) == before
    return line


def test_video_result_and_scores(fake, footage, tmp_path, capsys):
    video, result, scores = (tmp_path / name for name in ("o.mp4", "b.txt", "s.txt"))
    fake.lost_at = [3]
    assert track(footage, "--output", video, "--result", result, "--scores", scores) == 0
    assert result.read_text().splitlines() == [
        f"{x}.0000,10.0000,20.0000,20.0000" for x in (10, 11, 12, 13, 14)
    ]
    assert scores.read_text().split() == ["nan", "0.900000", "0.800000", "0.700000", "0.600000"]
    frames = list(open_source(video))
    assert len(frames) == 5
    assert fake.colors == [[255, 0, 0]] * 5  # RGB, as the tracker wants it
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "5 frames in" in captured.err
    assert "fps), lost in 1" in captured.err
    assert sorted(os.listdir(tmp_path)) == ["b.txt", "footage", "o.mp4", "s.txt"]


def test_folder_output_shows_the_box(fake, footage, tmp_path):
    assert track(footage, "--output", tmp_path / "drawn") == 0
    assert len(os.listdir(tmp_path / "drawn")) == 5
    last = list(open_source(tmp_path / "drawn"))[-1].image
    assert last[10:31, 13:36, 1].max() > 150  # yellow on red
    assert last[40:, 50:, 1].max() < 60


def test_options_reach_the_builder(fake, footage):
    options = (
        "--weights",
        "w.npz",
        "--config",
        "c.yaml",
        "--device",
        "cpu",
        "--backend",
        "openvino",
    )
    assert track(footage, "--tracker", "SiamFC", "--precision", "float32", *options) == 0
    expected = {
        "weights": "w.npz",
        "config": "c.yaml",
        "device": "cpu",
        "precision": "float32",
        "backend": "openvino",
    }
    assert fake.builds == [("SiamFC", expected)]


def test_threads_are_those_of_both_libraries(fake, footage, monkeypatch):
    set_to = []
    monkeypatch.setattr(cv2, "setNumThreads", set_to.append)
    monkeypatch.setattr(torch, "set_num_threads", set_to.append)
    assert track(footage) == 0
    assert set_to == []
    assert track(footage, "--threads", 3) == 0
    assert set_to == [3, 3]


def test_boxes_go_to_standard_output_without_any_other_place(fake, footage, capsys):
    assert track(footage, "--max-frames", 2) == 0
    out = capsys.readouterr().out
    assert out == "10.0000,10.0000,20.0000,20.0000\n11.0000,10.0000,20.0000,20.0000\n"


def test_two_runs_write_the_same_bytes(fake, footage, tmp_path):
    for name in ("1.txt", "2.txt"):
        track(footage, "--result", tmp_path / name)
    assert (tmp_path / "1.txt").read_bytes() == (tmp_path / "2.txt").read_bytes()


def test_interrupt_keeps_what_was_tracked(fake, footage, tmp_path, capsys):
    def interrupt(frame):
        if frame == 3:
            raise KeyboardInterrupt

    fake.on_track = interrupt
    video, result = tmp_path / "o.mp4", tmp_path / "b.txt"
    threads = threading.active_count()
    assert track(footage, "--output", video, "--result", result) == 130
    assert len(result.read_text().splitlines()) == 3
    assert len(list(open_source(video))) == 3
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("dsiam: interrupted; kept 3 frames")
    assert "b.txt" in last
    assert threading.active_count() == threads


def test_interrupt_on_the_first_frame_leaves_nothing(fake, footage, tmp_path, monkeypatch):
    def interrupt(image, box):
        raise KeyboardInterrupt

    monkeypatch.setattr(fake, "init", interrupt)
    assert track(footage, "--result", tmp_path / "b.txt") == 130
    assert os.listdir(tmp_path) == ["footage"]


@pytest.mark.parametrize(
    ("box", "found"),
    [
        ("1,2,3", "'1,2,3': expected four numbers X,Y,W,H"),
        ("a,b,c,d", "'a,b,c,d': expected four numbers"),
        ("nan,1,5,5", "expected finite numbers"),
        ("1,1,0,5", "expected a positive width and height"),
        ("500,1,5,5", "outside the 80x60 image"),
    ],
)
def test_bad_box(fake, footage, tmp_path, capsys, box, found):
    arguments = (footage, "--init-box", box, "--output", tmp_path / "o.mp4")
    assert found in fails(capsys, tmp_path, *arguments, "--result", tmp_path / "b.txt")


def test_missing_box_without_display(fake, footage, tmp_path, capsys):
    line = fails(capsys, tmp_path, footage)
    assert "--init-box is missing" in line
    assert fake.builds == []


def test_window_without_display(fake, footage, tmp_path, capsys):
    assert "expected --no-gui" in fails(capsys, tmp_path, footage, "--gui")


def test_bad_source(fake, tmp_path, capsys):
    line = fails(capsys, tmp_path, tmp_path / "no.mp4", "--init-box", BOX)
    assert "no.mp4: no such file or folder; expected a video" in line


def test_unknown_tracker(footage, tmp_path, capsys):
    line = fails(capsys, tmp_path, footage, "--init-box", BOX, "--tracker", "DSaim")
    assert "'DSaim': unknown; did you mean 'DSiam'?" in line


@pytest.mark.parametrize(
    ("option", "name", "content"),
    [
        ("--weights", "absent.npz", None),
        ("--weights", "corrupt.safetensors", "nonsense"),
        ("--config", "absent.yaml", None),
        ("--config", "unknown.yaml", "trakcing: {scales: 3}\n"),
    ],
)
def test_bad_weights_and_configurations(footage, tmp_path, capsys, option, name, content):
    if content is not None:
        (tmp_path / name).write_text(content)
    line = fails(
        capsys, tmp_path, footage, "--init-box", BOX,
        option, tmp_path / name, "--output", tmp_path / "o.mp4",
    )  # fmt: skip
    assert name in line


def test_a_bad_frame_is_named_and_what_came_before_is_kept(fake, footage, tmp_path, capsys):
    (footage / "3.png").write_bytes(b"broken")
    video, result = tmp_path / "o.mp4", tmp_path / "b.txt"
    assert track(footage, "--output", video, "--result", result) == 1
    assert len(result.read_text().splitlines()) == 2
    assert len(list(open_source(video))) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("dsiam: warning: ")
    assert "3.png: 6 bytes that do not decode" in line
    assert "kept 2 frames" in line


def test_a_bad_first_frame_leaves_nothing(fake, footage, tmp_path, capsys):
    (footage / "1.png").write_bytes(b"broken")
    arguments = (footage, "--init-box", BOX, "--output", tmp_path / "o.mp4")
    assert "1.png: 6 bytes" in fails(capsys, tmp_path, *arguments)


def test_a_cut_video_is_told_with_both_numbers(fake, tmp_path, capsys):
    path, result = tmp_path / "clip.avi", tmp_path / "b.txt"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (80, 60))
    for _ in range(40):
        writer.write(np.zeros((60, 80, 3), np.uint8))
    writer.release()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert track(path, "--result", result) == 1
    rows = len(result.read_text().splitlines())
    line = capsys.readouterr().err.splitlines()[-1]
    assert f"clip.avi: ends after {rows} of 40 frames; damaged or cut off; kept {rows}" in line


def test_frames_of_a_new_size_are_tracked_on(fake, footage, tmp_path):
    for number in (4, 5):
        cv2.imwrite(str(footage / f"{number}.png"), np.zeros((120, 160, 3), np.uint8))
    video, result, scores = (tmp_path / name for name in ("o.mp4", "b.txt", "s.txt"))
    assert track(footage, "--output", video, "--result", result, "--scores", scores) == 0
    rows = [line.split(",")[0] for line in result.read_text().splitlines()]
    assert rows == ["10.0000", "11.0000", "12.0000", "24.0000", "25.0000"]
    assert [score == "nan" for score in scores.read_text().split()] == [1, 0, 0, 1, 0]
    assert [frame.image.shape for frame in open_source(video)] == [(60, 80, 3)] * 5


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["b.png", "c.png"], 'b.png: a second source .* a glob in quotes: "shots/'),
        (["--init-box", "1", "2", "3", "4"], "2 3 4: expected a box as one word"),
        (["--init-box", BOX, "--init-box", BOX], "--init-box: given twice; expected one target"),
        (["--colour"], "unrecognized arguments: --colour"),
    ],
)
def test_words_too_many_lead_on(fake, footage, capsys, words, found):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["track", str(footage), *words])
    assert re.search(found, capsys.readouterr().err.splitlines()[-1])


def test_a_full_disk_is_an_error(fake, footage, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: types.SimpleNamespace(free=0))
    arguments = (footage, "--init-box", BOX, "--output", tmp_path / "o.mp4")
    result = tmp_path / "b.txt"
    assert "o.mp4: no space left" in fails(capsys, tmp_path, *arguments, "--result", result)


@pytest.mark.parametrize("option", ["--output", "--result", "--scores"])
def test_place_that_is_the_source(fake, footage, tmp_path, capsys, option):
    arguments = (footage, "--init-box", BOX, option, footage / ".." / footage.name)
    assert f"{option} " in (line := fails(capsys, tmp_path, *arguments))
    assert "is the source too" in line


def test_two_results_of_one_name(fake, footage, tmp_path, capsys):
    place = tmp_path / "b.txt"
    arguments = (footage, "--init-box", BOX, "--result", place, "--scores", place)
    assert "is --result too; expected another name" in fails(capsys, tmp_path, *arguments)


def test_unknown_output_suffix(fake, footage, tmp_path, capsys):
    arguments = (footage, "--init-box", BOX, "--output", tmp_path / "o.wmv")
    assert "suffix '.wmv'; expected .mp4" in fails(capsys, tmp_path, *arguments)
    assert fake.builds == []


def test_result_that_is_a_folder_fails_before_tracking(fake, footage, tmp_path, capsys):
    arguments = (footage, "--init-box", BOX, "--result", tmp_path)
    assert f"{tmp_path}: is a folder" in fails(capsys, tmp_path, *arguments)
    assert fake.images == []


class Screen:
    """Stands in for OpenCV's windows."""

    def __init__(self, monkeypatch, selection=(10, 10, 20, 20), stop_after=99):
        self.shown = 0
        self.stop_after = stop_after
        monkeypatch.setattr(display, "has_display", lambda: True)
        monkeypatch.setattr(cv2, "selectROI", lambda *_, **__: selection)
        monkeypatch.setattr(cv2, "imshow", self.show)
        monkeypatch.setattr(cv2, "waitKey", lambda delay: self.key())

    def show(self, title, image):
        assert image[50, 70].tolist() == [0, 0, 255]  # red, as OpenCV shows BGR
        self.shown += 1

    def key(self):
        return 27 if self.shown >= self.stop_after else -1


def test_box_drawn_with_the_mouse(fake, footage, monkeypatch):
    screen = Screen(monkeypatch, selection=(5, 6, 7, 8))
    assert cli.main(["track", str(footage)]) == 0
    assert fake.boxes[0] == (5, 6, 7, 8)
    assert screen.shown == 5


def test_empty_selection(fake, footage, tmp_path, capsys, monkeypatch):
    Screen(monkeypatch, selection=(0, 0, 0, 0))
    line = fails(capsys, tmp_path, footage, "--result", tmp_path / "b.txt")
    assert "no target was selected; expected a box" in line


def test_escape_stops_and_keeps(fake, footage, tmp_path, monkeypatch):
    Screen(monkeypatch, stop_after=2)
    assert track(footage, "--result", tmp_path / "b.txt") == 0
    assert len((tmp_path / "b.txt").read_text().splitlines()) == 2


def test_no_gui_shows_nothing_where_there_is_a_display(fake, footage, monkeypatch):
    screen = Screen(monkeypatch)
    assert track(footage, "--no-gui") == 0
    assert screen.shown == 0


@pytest.mark.data
def test_real_tracker_follows_a_real_sequence(shared, tmp_path):
    sequence = shared / "data/otb2013/sequences/Deer"
    truth = np.loadtxt(sequence / "groundtruth_rect.txt", delimiter=",")[:6] - [1, 1, 0, 0]
    weights = shared / "weights/siamfc_3s_color.npz"
    result = tmp_path / "b.txt"
    box = ",".join(map(str, truth[0]))
    arguments = ["--weights", weights, "--tracker", "SiamFC", "--result", result]
    assert (
        cli.main(
            ["track", str(sequence), "--init-box", box, "--max-frames", "6", *map(str, arguments)]
        )
        == 0
    )
    tracked = np.loadtxt(result, delimiter=",")
    assert tracked.shape == (6, 4)
    assert np.abs(tracked[:, :2] - truth[:, :2]).max() < 12
