"""The command line: layouts on disk, determinism, and what it refuses."""

import errno
import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from dsiam_plugin.commands.synthesize import main
from dsiam_plugin.evaluation.synthesis.attributes import ATTRIBUTES, VOT_TAGS
from dsiam_plugin.evaluation.synthesis.dataset import SynthesisConfig, plan_sequence

SMALL = ["--frames", "10", "--size", "160x120", "--seed", "3"]


def digest(folder: Path) -> dict[str, str]:
    """Hash of every file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def otb(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("otb") / "set"
    assert main([str(out), *SMALL]) == 0
    return out


@pytest.fixture(scope="module")
def vot_set(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("vot") / "set"
    assert main([str(out), *SMALL, "--layout", "vot"]) == 0
    return out


def test_otb_layout(otb):
    index = json.loads((otb / "sequences.json").read_text())
    assert list(index) == list(ATTRIBUTES)
    for name, entry in index.items():
        assert (entry["folder"], entry["first_frame"], entry["last_frame"]) == (name, 1, 10)
        assert entry["frames"] == 10 and name in entry["attributes"]
        images = sorted(path.name for path in (otb / name / "img").iterdir())
        assert images == [f"{number:04d}.jpg" for number in range(1, 11)]
        assert cv2.imread(str(otb / name / "img" / images[-1])).shape == (120, 160, 3)
        assert np.loadtxt(otb / name / "groundtruth_rect.txt", delimiter=",").shape == (10, 4)


def test_labels_written_agree_with_the_boxes_written(otb):
    for name, entry in json.loads((otb / "sequences.json").read_text()).items():
        boxes = np.loadtxt(otb / name / "groundtruth_rect.txt", delimiter=",")
        area = boxes[:, 2] * boxes[:, 3]
        ratio = area / area[0]
        centre = boxes[:, :2] + boxes[:, 2:] / 2
        speed = [np.hypot(*(b - a)) for a, b in zip(centre, centre[1:], strict=False)]
        assert ("SV" in entry["attributes"]) == (ratio.max() > 2 or ratio.min() < 0.5)
        assert ("FM" in entry["attributes"]) == (max(speed) > 20)
        assert ("LR" in entry["attributes"]) == (area.min() < 400)


def test_vot_layout(vot_set):
    assert (vot_set / "list.txt").read_text().split() == list(ATTRIBUTES)
    for name in ATTRIBUTES:
        folder = vot_set / name
        lines = (folder / "sequence").read_text().splitlines()
        properties = dict(line.split("=") for line in lines)
        assert properties["length"] == "10" and properties["width"] == "160"
        assert properties["channels.color"] == "color/%08d.jpg"
        assert len(list((folder / "color").glob("????????.jpg"))) == 10
        for tag in VOT_TAGS:
            rows = (folder / f"{tag}.tag").read_text().split()
            assert len(rows) == 10 and set(rows) <= {"0", "1"}
    assert "1" in (vot_set / "OCC" / "occlusion.tag").read_text()
    assert "1" not in (vot_set / "IV" / "occlusion.tag").read_text()


def test_both_layouts_hold_the_same_boxes_but_for_the_origin(otb, vot_set):
    # All but OV, whose target leaves less far in VOT's layout.
    for name in sorted(set(ATTRIBUTES) - {"OV"}):
        one_based = np.loadtxt(otb / name / "groundtruth_rect.txt", delimiter=",")
        zero_based = np.loadtxt(vot_set / name / "groundtruth.txt", delimiter=",")
        assert np.array_equal(one_based - [1, 1, 0, 0], zero_based)


def test_vot_targets_always_meet_the_frame(vot_set):
    for name in ATTRIBUTES:
        x, y, width, height = np.loadtxt(vot_set / name / "groundtruth.txt", delimiter=",").T
        assert ((x + width > 0) & (y + height > 0) & (x < 160) & (y < 120)).all()


def test_same_seed_same_bytes_and_another_seed_other_pictures(tmp_path):
    few = ["--sequences", "2", "--attributes", "DEF", "BC"]
    for name, seed in (("one", "3"), ("again", "3"), ("other", "4")):
        assert main([str(tmp_path / name), *SMALL, *few, "--seed", seed]) == 0
    assert digest(tmp_path / "again") == digest(tmp_path / "one")
    other = digest(tmp_path / "other")
    for path, value in digest(tmp_path / "one").items():
        assert path.endswith(".json") or other[path] != value


def test_a_sequence_does_not_depend_on_the_others(tmp_path, otb):
    out = tmp_path / "few"
    assert main([str(out), *SMALL, "--sequences", "3", "--attributes", "IV", "SV"]) == 0
    assert digest(out / "IV") == digest(otb / "IV")
    assert digest(out / "SV") == digest(otb / "SV")
    assert (out / "Mixed0003").is_dir()


def test_sequences_beyond_the_attributes_mix_them():
    config = SynthesisConfig(sequences=60, attributes=("SV", "FM", "IV"))
    plans = [plan_sequence(config, index) for index in range(60)]
    assert [plan.name for plan in plans[:4]] == ["SV", "FM", "IV", "Mixed0004"]
    assert {len(plan.attributes) for plan in plans[3:]} == {2, 3}
    assert {name for plan in plans[3:] for name in plan.attributes} == {"SV", "FM", "IV"}
    assert all(len(set(plan.attributes)) == len(plan.attributes) for plan in plans)


def refused(capsys, *arguments: str) -> str:
    """The one line on standard error of a command that must fail."""
    assert main(list(arguments)) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sequences", "0"], "sequences: 0, expected a number in [1, 100000]"),
        (["--frames", "9"], "frames: 9, expected a number in [10, 100000]"),
        (["--size", "100x100"], "height: 100, expected a number in [120, 8192]"),
        (["--seed", "-1"], "seed: -1, expected"),
        (["--stills", "absent"], "absent: no such folder of stills"),
    ],
)
def test_bad_arguments(tmp_path, capsys, arguments, message):
    assert message in refused(capsys, str(tmp_path / "out"), *arguments)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [["--size", "big"], ["--attributes", "XX"], ["--layout", "x"]]
)
def test_words_that_the_parser_does_not_know(tmp_path, capsys, arguments):
    with pytest.raises(SystemExit) as stop:
        main([str(tmp_path / "out"), *arguments])
    assert stop.value.code == 2
    assert arguments[1] in capsys.readouterr().err


def test_foreign_folders_are_left_alone_even_by_force(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("keep")
    for force in ([], ["--force"]):
        assert "expected a new folder" in refused(capsys, str(tmp_path), *SMALL, *force)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    assert "is not a folder" in refused(capsys, str(tmp_path / "mine.txt"), *SMALL)


def test_earlier_set_is_replaced_by_force_only(tmp_path, capsys):
    out = tmp_path / "set"
    out.mkdir()  # an empty folder is as good as none
    assert main([str(out), *SMALL, "--attributes", "SV", "--sequences", "1"]) == 0
    before = digest(out)
    again = [str(out), *SMALL, "--attributes", "IV", "--sequences", "1"]
    capsys.readouterr()
    assert "--force replaces it" in refused(capsys, *again)
    assert digest(out) == before
    assert main([*again, "--force"]) == 0
    assert (out / "IV").is_dir() and not (out / "SV").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_full_disk_leaves_nothing_behind(tmp_path, capsys, monkeypatch):
    written = []

    def write_bytes(path: Path, data: bytes) -> int:
        if len(written) == 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        return len(data)

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    error = refused(capsys, str(tmp_path / "out"), *SMALL)
    assert "out: cannot be written (No space left on device)" in error
    assert list(tmp_path.iterdir()) == []


def test_interruption_keeps_the_earlier_set(tmp_path, monkeypatch):
    out = tmp_path / "set"
    arguments = [str(out), *SMALL, "--sequences", "1", "--force"]
    assert main(arguments) == 0
    before = digest(out)

    def interrupt(path: Path, data: bytes) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupt)
    assert main(arguments) == 130
    monkeypatch.undo()
    assert digest(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


@pytest.mark.data
def test_photographs_with_segments(tmp_path, shared):
    stills = shared / "data" / "train" / "stills"
    out = tmp_path / "set"
    wanted = ["--sequences", "2", "--attributes", "IPR", "BC", "--stills", str(stills)]
    assert main([str(out), *SMALL, *wanted]) == 0
    index = json.loads((out / "sequences.json").read_text())
    assert "IPR" in index["IPR"]["attributes"] and "BC" in index["BC"]["attributes"]


@pytest.mark.filterwarnings("ignore")  # the toolkit's own
@pytest.mark.integration
def test_the_vot_toolkit_reads_the_set(vot_set):
    pytest.importorskip("vot")
    from vot.dataset import load_sequence
    from vot.dataset.common import list_sequences
    from vot.region import Rectangle, calculate_overlap

    assert list_sequences(str(vot_set)) == list(ATTRIBUTES)
    for name in ATTRIBUTES:
        sequence = load_sequence(str(vot_set / name))
        boxes = np.loadtxt(vot_set / name / "groundtruth.txt", delimiter=",")
        assert len(sequence) == 10 and sequence.size == (160, 120)
        for t, box in enumerate(boxes):
            region = sequence.groundtruth(t)
            assert isinstance(region, Rectangle)
            assert (region.x, region.y, region.width, region.height) == tuple(box)
            # What the supervised experiment restarts on must count as found, off the edge too.
            assert calculate_overlap(region, region, sequence.size) > 0.9
            assert sequence.frame(t).image().shape == (120, 160, 3)
        assert set(sequence.tags()) == set(VOT_TAGS)
    occluded = load_sequence(str(vot_set / "OCC"))
    assert any("occlusion" in occluded.tags(t) for t in range(10))
