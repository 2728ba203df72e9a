"""The command line and the whole way from a data set to a pack."""

import errno
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from training_sources import (
    BLUE,
    GREY,
    RED,
    box_at,
    green_at,
    vid_object,
    write_got10k,
    write_lasot,
    write_notes,
    write_otb,
    write_snippet,
    write_stills,
)

from dsiam_plugin.commands.curate import main
from dsiam_plugin.commands.main import main as dsiam
from dsiam_plugin.training.data.curation import curate
from dsiam_plugin.training.data.pack import PackWriter, open_pack
from dsiam_plugin.training.data.selection import CurationConfig
from dsiam_plugin.training.data.sources.otb import OTBFolders


def digest(folder: Path) -> dict[str, str]:
    """Hash of every file below a folder."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.*")
    }


def refused(capsys, *arguments) -> str:
    """The one line of an error."""
    assert main([str(argument) for argument in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert captured.err.startswith("dsiam data curate: error: ")
    return captured.err


@pytest.fixture
def otb(tmp_path) -> Path:
    """Three sequences of 12 frames, two of one video."""
    for name in ("Car_000", "Car_001", "Dog"):
        write_otb(tmp_path / "otb", name)
    return tmp_path / "otb"


def check_rows(pack, numbers_from: int) -> None:
    """Every crop shows the target of its own frame in the middle, as large as its box says."""
    for track in pack.tracks:
        for row, frame in zip(range(track.start, track.stop), track.frames, strict=True):
            crop = pack.crops[row].astype(int)
            colour = (RED, green_at(frame - numbers_from), BLUE)
            assert np.abs(crop[165:186, 165:186] - colour).mean() < 12
            x, y, w, h = pack.boxes[row]
            assert x + (w - 1) / 2 == pytest.approx(175) == y + (h - 1) / 2
            assert w / h == pytest.approx(20 / 16)
            edges = round(x), round(x + w), round(y), round(y + h)
            beside = [crop[175, edges[0] - 6], crop[edges[3] + 6, 175]]
            assert np.abs(np.array(beside) - GREY).mean() < 20
            within = [crop[175, edges[0] + 6], crop[175, edges[1] - 6], crop[edges[2] + 6, 175]]
            assert np.abs(np.array(within) - colour).mean() < 20


def test_clips_of_an_otb_folder(otb, tmp_path, capsys):
    assert main(["otb", str(otb), str(tmp_path / "pack")]) == 0
    pack = open_pack(tmp_path / "pack")
    assert len(pack.tracks) == 3 and len(pack.crops) == 30
    assert {track.video for track in pack.tracks} == {"Car", "Dog"}
    for track in pack.tracks:
        assert track.frames == tuple(range(track.frames[0], track.frames[0] + 10))
        assert track.name.endswith(f"@{track.frames[0]}")
    check_rows(pack, numbers_from=1)
    out = capsys.readouterr().out
    assert "3  tracks packed" in out and "2000 clips were asked for; there are no more" in out


def test_whole_tracks(otb, tmp_path):
    options = ["--tracks", "--stride", "2", "--max-frames", "3"]
    assert main(["otb", str(otb), str(tmp_path / "pack"), *options]) == 0
    pack = open_pack(tmp_path / "pack")
    assert [(track.name, track.frames) for track in pack.tracks] == [
        (name, (1, 5, 11)) for name in ("Car_000", "Car_001", "Dog")
    ]
    check_rows(pack, numbers_from=1)


def test_wider_crops_show_the_same_scale(otb, tmp_path):
    for side in (351, 401):
        arguments = ["data", "curate", "otb", str(otb), str(tmp_path / str(side)), "--tracks"]
        assert dsiam([*arguments, "--side", str(side)]) == 0
    packs = [open_pack(tmp_path / name) for name in ("351", "401")]
    assert packs[1].crops.shape[1:3] == (401, 401)
    middle = np.asarray(packs[1].crops[:, 25:-25, 25:-25], int)
    assert np.abs(middle - packs[0].crops).max() <= 1
    np.testing.assert_allclose(packs[1].boxes[:, :2], packs[0].boxes[:, :2] + 25, atol=1e-4)
    np.testing.assert_allclose(packs[1].boxes[:, 2:], packs[0].boxes[:, 2:], atol=1e-4)


def test_every_source_packs_its_targets(tmp_path):
    write_snippet(tmp_path / "vid", "ILSVRC2015_train_00001000", batch="ILSVRC2015_VID_train_0000")
    write_got10k(tmp_path / "got", "GOT-10k_Train_000001")
    write_lasot(tmp_path / "lasot", "cat-1")
    for source, folder, first in (
        ("ilsvrc", "vid", 0),
        ("got10k", "got", 1),
        ("lasot", "lasot", 1),
    ):
        out = tmp_path / f"pack-{source}"
        assert main([source, str(tmp_path / folder), str(out)]) == 0
        pack = open_pack(out)
        assert len(pack.tracks) == 1
        check_rows(pack, numbers_from=first)


def test_stills_are_rendered(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    stills = write_stills(tmp_path / "stills")
    options = ["--render", "1", "--frames", "10", "--size", "160x120"]
    assert main(["stills", str(stills), str(tmp_path / "pack"), *options]) == 0
    assert len(open_pack(tmp_path / "pack").crops) == 10
    assert not any((tmp_path / "temporary").iterdir())


def test_the_report_counts_and_lists_every_rejection(tmp_path, capsys):
    root = tmp_path / "vid"
    annotations, images = write_snippet(root, "ILSVRC2015_train_00001000", 33)
    write_notes(annotations, 0, [vid_object("0", box_at(0), occluded=1)])
    write_notes(annotations, 1, [vid_object("0", (200, 200, 9, 9))])
    (images / "000002.JPEG").unlink()
    (images / "000013.JPEG").write_bytes(b"")  # of frames 3-12, 13-22 and 23-32
    bare, _ = write_snippet(root, "ILSVRC2015_train_00002000", 1)
    write_notes(bare, 0, [])
    large, _ = write_snippet(root, "ILSVRC2015_train_00003000", 12)
    for index in range(12):
        short = [vid_object("1", box_at(0))] if index < 3 else []
        write_notes(large, index, [vid_object("0", (0, 0, 96, 60)), *short])
    assert main(["ilsvrc", str(root), str(tmp_path / "pack"), "--seed", "0"]) == 0
    report = json.loads((tmp_path / "pack" / "curation.json").read_text())
    assert report["packed"] == {
        "sequences read": 3,
        "targets with usable frames": 3,
        "targets selected": 1,
        "tracks packed": 2,
        "frames packed": 20,
    }
    assert report["rejected"] == {
        "clip": {"frames lost": 1},
        "frame": {
            "target occluded": 1,
            "box outside the image": 1,
            "image missing": 1,
            "image unreadable": 1,
            "no objects": 1,
        },
        "track": {"target too large": 1, "too short for a clip": 1},
        "video": {"no objects": 1},
    }
    assert report["options"]["sequences"] == 1130 and report["options"]["clips"] == 2000
    listed = {(item["reason"], item["where"], item["detail"]) for item in report["rejections"]}
    assert ("box outside the image", "ILSVRC2015_train_00001000.0", "frames 1") in listed
    assert ("target too large", "ILSVRC2015_train_00003000.0", "area share 0.8333") in listed
    out = capsys.readouterr().out
    assert "left out, videos:\n        1  no objects" in out


def test_unreadable_images_cost_a_clip_but_only_frames_of_a_track(otb, tmp_path, capsys):
    image = otb / "Dog" / "img" / "0006.jpg"
    image.write_bytes(image.read_bytes()[:-50])
    assert main(["otb", str(otb), str(tmp_path / "clips")]) == 0
    assert {track.video for track in open_pack(tmp_path / "clips").tracks} == {"Car"}
    report = json.loads((tmp_path / "clips" / "curation.json").read_text())
    assert report["rejected"] == {"clip": {"frames lost": 1}, "frame": {"image unreadable": 1}}
    assert "0006.jpg" in str(report["rejections"])
    assert main(["otb", str(otb), str(tmp_path / "tracks"), "--tracks"]) == 0
    assert open_pack(tmp_path / "tracks").tracks[2].frames == (1, 2, 3, 4, 5, *range(7, 13))


def test_a_lost_clip_is_replaced_by_another(otb, tmp_path):
    image = otb / "Dog" / "img" / "0006.jpg"
    image.write_bytes(b"")
    for seed in range(3):
        out = tmp_path / f"pack{seed}"
        options = ["--clips", "2", "--seed", str(seed)]
        assert main(["otb", str(otb), str(out), *options]) == 0
        assert len(open_pack(out).tracks) == 2


def test_the_same_options_give_the_same_bytes(otb, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        options = ["--clips", "4", "--clip-length", "3", "--seed", str(seed)]
        assert main(["otb", str(otb), str(tmp_path / name), *options]) == 0
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert digest(tmp_path / "a")["crops.npy"] != digest(tmp_path / "c")["crops.npy"]


@pytest.mark.integration
def test_the_number_of_processes_does_not_matter(otb, tmp_path):
    (otb / "Dog" / "img" / "0003.jpg").unlink()
    for workers in (1, 2, 3):
        options = ["--clip-length", "3", "--clips", "6", "--workers", str(workers)]
        assert main(["otb", str(otb), str(tmp_path / str(workers)), *options]) == 0
    assert digest(tmp_path / "1") == digest(tmp_path / "2") == digest(tmp_path / "3")


def test_a_list_of_sequences(otb, tmp_path):
    (tmp_path / "names.txt").write_text("Dog\n")
    names = ["--list", str(tmp_path / "names.txt")]
    assert main(["otb", str(otb), str(tmp_path / "pack"), *names]) == 0
    assert {track.video for track in open_pack(tmp_path / "pack").tracks} == {"Dog"}


def test_nothing_left_is_an_error_with_the_reasons(otb, tmp_path, capsys):
    error = refused(capsys, "otb", otb, tmp_path / "pack", "--clip-length", "13")
    assert "nothing left to pack (too short for a clip: 3 tracks)" in error
    error = refused(capsys, "otb", otb, tmp_path / "pack", "--max-share", "0.01", "--tracks")
    assert "nothing left to pack (target too large: 3 tracks)" in error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["otb"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--clips", "0"], "clips: 0, expected"),
        (["--workers", "0"], "workers is 0"),
        (["--video-of", "("], "video-of '('"),
        (["--list", "nowhere.txt"], "nowhere.txt"),
    ],
)
def test_bad_options(otb, tmp_path, capsys, options, words):
    assert words in refused(capsys, "otb", otb, tmp_path / "pack", *options)
    assert not (tmp_path / "pack").exists()


def test_a_folder_in_use_is_never_replaced(otb, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    assert "holds other files" in refused(capsys, "otb", otb, out, "--force")
    assert "not a folder" in refused(capsys, "otb", otb, out / "thesis.txt", "--force")
    assert (out / "thesis.txt").read_text() == "mine"


def test_force_replaces_a_pack_only(otb, tmp_path, capsys):
    out = tmp_path / "pack"
    assert main(["otb", str(otb), str(out), "--clips", "1"]) == 0
    capsys.readouterr()
    assert "already holds a pack; --force replaces it" in refused(capsys, "otb", otb, out)
    assert main(["otb", str(otb), str(out), "--clips", "2", "--force"]) == 0
    assert len(open_pack(out).tracks) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["otb", "pack"]


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_a_full_disk_or_an_interrupt_leaves_the_earlier_pack(
    otb, tmp_path, capsys, monkeypatch, failure
):
    out = tmp_path / "pack"
    assert main(["otb", str(otb), str(out), "--clips", "1"]) == 0
    before = digest(out)
    add, added = PackWriter.add, []

    def fail(writer, *arguments):
        if added:
            raise failure
        added.append(arguments)
        add(writer, *arguments)

    monkeypatch.setattr(PackWriter, "add", fail)
    capsys.readouterr()
    if isinstance(failure, OSError):
        assert f"{out}: No space left" in refused(capsys, "otb", otb, out, "--force")
    else:
        assert main(["otb", str(otb), str(out), "--force"]) == 130
    assert digest(out) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["otb", "pack"]


def test_progress_wraps_reading_and_cutting(otb, tmp_path):
    steps = []

    def progress(items, label, total):
        items = list(items)
        steps.append((label, len(items), total))
        return items

    source, config = OTBFolders(otb), CurationConfig()
    outcome = curate(source, tmp_path / "pack", config, progress=progress)
    assert steps == [("reading", 3, 3), ("cutting", 3, 2000)]
    assert (outcome.units, outcome.tracks, outcome.crops) == (3, 3, 30)


def test_dsiam_knows_the_command(otb, tmp_path, capsys):
    assert dsiam(["data", "curate", "otb", str(otb), str(tmp_path / "pack")]) == 0
    with pytest.raises(SystemExit) as stopped:
        dsiam(["data", "curate", "otb", "--help"])
    assert stopped.value.code == 0 and "--video-of" in capsys.readouterr().out
