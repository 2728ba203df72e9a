import json

import numpy as np
import pytest
import toolkit_data

from dsiam_plugin.commands.prepare import main
from dsiam_plugin.evaluation.datasets import DatasetFactory
from dsiam_plugin.evaluation.datasets.facts import load_facts
from dsiam_plugin.evaluation.datasets.registry import get_benchmark

SKIING, DEER = toolkit_data.moving_boxes(81, seed=1), toolkit_data.moving_boxes(71, seed=2)
POLYGONS = toolkit_data.polygons(toolkit_data.moving_boxes(7, seed=3))


@pytest.fixture
def download(tmp_path):
    """Skiing and Deer of OTB, complete."""
    return toolkit_data.write_otb(tmp_path / "otb", {"Skiing": SKIING, "Deer": DEER}, images=True)


def lines(capsys):
    return capsys.readouterr().out.splitlines()


def test_complete_sequences_are_written_and_gaps_listed(download, capsys):
    assert main(["OTB2013", str(download)]) == 1
    out = lines(capsys)
    assert out[0] == "OTB2013: 2 of 51 sequences complete, 152 frames"
    gaps = [line for line in out if line.startswith("  gap: ")]
    assert len(gaps) == 49 and "  gap: Basketball: folder Basketball is missing" in gaps
    assert out[-1] == f"wrote {download / 'OTB2013.json'}"
    table = json.loads((download / "OTB2013.json").read_text())
    assert list(table) == ["Deer", "Skiing"]
    assert set(table["Deer"]) == {
        "video_dir", "init_rect", "img_names", "gt_rect", "attr", "width", "height",
    }  # fmt: skip
    assert table["Deer"]["img_names"][70] == "Deer/img/0071.jpg"
    assert table["Deer"]["init_rect"] == DEER[0].tolist()
    assert table["Deer"]["width"] == 64


def test_what_was_written_is_a_data_set(download):
    main(["OTB2013", str(download)])
    for folder in download.glob("*/groundtruth_rect.txt"):
        folder.unlink()
    dataset = DatasetFactory.create_dataset(name="OTB2013", dataset_root=download)
    np.testing.assert_array_equal(dataset["Skiing"].gt_traj, SKIING)
    assert dataset["Skiing"][80][0].shape == (48, 64, 3)
    assert len(dataset.missing_videos) == 49


def test_every_kind_of_gap_is_named(download, capsys):
    (download / "Deer" / "img" / "0040.jpg").unlink()
    (download / "Skiing" / "groundtruth_rect.txt").unlink()
    (download / "Bolt.zip").write_bytes(b"")
    toolkit_data.write_otb(download, {"Matrix": toolkit_data.moving_boxes(99)})
    toolkit_data.write_otb(download, {"Couple": toolkit_data.moving_boxes(140)}, images=True)
    (download / "Couple" / "img" / "0001.jpg").write_text("no image")
    (download / "Trellis").mkdir()
    (download / "Trellis" / "groundtruth_rect.txt").write_text("1,2,3,4\n1,2\n")
    assert main(["OTB2013", str(download), "--output", str(download / "new.json")]) == 1
    assert lines(capsys)[-1] == "nothing written: no sequence is complete"
    toolkit_data.write_otb(download, {"Jumping": toolkit_data.moving_boxes(313)}, images=True)
    assert main(["OTB2013", str(download), "--output", str(download / "new.json")]) == 1
    text = capsys.readouterr().out
    for gap in (
        "Deer: 1 of 71 frames are missing: Deer/img/0040.jpg\n",
        "Skiing: Skiing/groundtruth_rect.txt is missing\n",
        "Bolt: Bolt.zip is not unpacked\n",
        "groundtruth_rect.txt: 99 rows, expected 100 (frames 1 to 100 of Matrix)\n",
        "bytes that do not decode",
        "Trellis/groundtruth_rect.txt:2: 2 numbers, expected x,y,w,h",
    ):
        assert gap in text
    assert list(json.loads((download / "new.json").read_text())) == ["Jumping"]


def test_a_dry_run_writes_nothing(download):
    assert main(["OTB2013", str(download), "--dry-run"]) == 1
    assert not (download / "OTB2013.json").exists()


def test_names_ranges_and_image_formats_are_mapped(tmp_path, capsys):
    boxes = {number: toolkit_data.moving_boxes(307, seed=number) for number in (1, 2)}
    for number in (1, 2):
        path = tmp_path / "Jogging" / f"groundtruth_rect.{number}.txt"
        toolkit_data.write_rows(path, toolkit_data.one_based(boxes[number]), "\t")
    toolkit_data.write_frames(tmp_path / "Jogging" / "img", boxes[1], name="{:04d}.png")
    tiger = toolkit_data.moving_boxes(354)
    toolkit_data.write_otb(tmp_path, {"Tiger1": tiger}, images=True)
    david = toolkit_data.moving_boxes(471)
    toolkit_data.write_otb(tmp_path, {"David": david}, images=True, first=300)
    toolkit_data.write_frames(tmp_path / "David" / "img", david[:3])  # before the range
    assert main(["OTB2013", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "note: Jogging-2: from Jogging/groundtruth_rect.2.txt" in out
    assert "note: Jogging-1: frames are called 0001.png" in out
    assert "note: Tiger1: evaluated from frame 6 on" in out
    table = json.loads((tmp_path / "OTB2013.json").read_text())
    assert table["Jogging-2"]["gt_rect"] == boxes[2].tolist()
    assert table["Jogging-2"]["img_names"][-1] == "Jogging/img/0307.png"
    assert table["Tiger1"]["img_names"][0] == "Tiger1/img/0006.jpg"
    assert table["Tiger1"]["gt_rect"] == tiger[5:].tolist()
    names = table["David"]["img_names"]
    assert (names[0], names[-1], len(names)) == ("David/img/0300.jpg", "David/img/0770.jpg", 471)


def test_a_complete_benchmark_gives_status_zero(tmp_path, monkeypatch, capsys):
    some = {name: load_facts("OTB2013")[name] for name in ("Skiing", "Deer")}
    monkeypatch.setattr("dsiam_plugin.evaluation.datasets.checking.load_facts", lambda name: some)
    toolkit_data.write_otb(tmp_path, {"Skiing": SKIING, "Deer": DEER}, images=True)
    assert main(["OTB2013", str(tmp_path)]) == 0
    assert lines(capsys)[0] == "OTB2013: 2 of 2 sequences complete, 152 frames"


def test_the_vot_layout_gets_its_tags_and_sizes(tmp_path, capsys):
    toolkit_data.write_vot(tmp_path, {"girl": POLYGONS, "road": POLYGONS}, images=True)
    (tmp_path / "girl" / "camera_motion.tag").write_text("1\n1\n0\n0\n0\n0\n0\n")
    (tmp_path / "road" / "color" / "00000003.jpg").unlink()
    assert main(["VOT2015", str(tmp_path)]) == 1
    out = lines(capsys)
    assert out[0] == "VOT2015: 1 of 60 sequences complete, 7 frames"
    assert "  gap: road: 1 of 7 frames are missing: road/color/00000003.jpg" in out
    assert any("2 of 60 sequences are in" in line for line in out)
    entry = json.loads((tmp_path / "VOT2015.json").read_text())["girl"]
    assert set(entry) == {
        "video_dir", "init_rect", "img_names", "gt_rect", "camera_motion", "illum_change",
        "motion_change", "size_change", "occlusion", "width", "height",
    }  # fmt: skip
    assert entry["camera_motion"] == [1, 1, 0, 0, 0, 0, 0] and entry["occlusion"] == [0] * 7
    np.testing.assert_allclose(entry["gt_rect"], POLYGONS)
    (tmp_path / "list.txt").unlink()
    dataset = DatasetFactory.create_dataset(name="VOT2015", dataset_root=tmp_path)
    assert dataset["girl"].tags["camera_motion"][1] == 1


def test_plain_folders_of_the_other_benchmarks(tmp_path):
    toolkit_data.write_rows(tmp_path / "GOT-10k_Val_000001" / "groundtruth.txt", DEER)
    toolkit_data.write_frames(tmp_path / "GOT-10k_Val_000001", DEER, name="{:08d}.jpg")
    assert get_benchmark("GOT-10k").sequences is None
    assert main(["GOT-10k", str(tmp_path)]) == 0
    table = json.loads((tmp_path / "GOT-10k.json").read_text())
    assert table["GOT-10k_Val_000001"]["gt_rect"] == DEER.tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["OTB2103", "."], "did you mean 'OTB2013'"),
        (["OTB2013", "nowhere"], "nowhere: no such folder, expected the raw download of OTB2013"),
        (["OTB2013", "."], "expected folders such as Basketball/groundtruth_rect.txt"),
        (["VOT2016", "."], "expected folders such as <sequence>/groundtruth.txt"),
    ],
)
def test_bad_input_is_one_line_and_status_two(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert (
        error.startswith("dsiam prepare: error: ") and message in error and error.count("\n") == 1
    )


def test_a_folder_that_cannot_be_written(download, capsys):
    blocker = download / "file"
    blocker.write_text("")
    assert main(["OTB2013", str(download), "--output", str(blocker / "x.json")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.data
def test_the_real_sequences(shared, tmp_path, capsys):
    source = shared / "data/otb2013/sequences"
    assert main(["OTB2013", str(source), "--output", str(tmp_path / "OTB2013.json")]) == 1
    assert lines(capsys)[0] == "OTB2013: 11 of 51 sequences complete, 2435 frames"
    source = shared / "data/vot2015/sequences"
    assert main(["VOT2015", str(source), "--output", str(tmp_path / "VOT2015.json")]) == 1
    assert lines(capsys)[0] == "VOT2015: 2 of 60 sequences complete, 360 frames"
