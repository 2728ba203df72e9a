"""Names and values of data sets made by others stay data: no paths, no tracebacks."""

import json

import pytest
import toolkit_data

from dsiam_plugin.commands.test import main
from dsiam_plugin.errors import DatasetError
from dsiam_plugin.evaluation.datasets import DatasetFactory
from dsiam_plugin.evaluation.datasets.metadata import Metadata

BOXES = toolkit_data.moving_boxes(4)


def create(name, root):
    return DatasetFactory.create_dataset(name=str(name), dataset_root=root)


@pytest.mark.parametrize(
    "name", ["../../../escaped/victim", "/abs/victim", "a\\b", "..", "a\x1b[1m"]
)
def test_no_sequence_of_metadata_is_a_path(tmp_path, name):
    toolkit_data.write_pysot_json(tmp_path, "UAV123", {name: BOXES})
    with pytest.raises(DatasetError, match="sequence .* expected a plain name"):
        create("UAV123", tmp_path)


def test_force_deletes_nothing_outside_the_results(tmp_path, capsys):
    victim = tmp_path / "escaped" / "victim.txt"
    victim.parent.mkdir()
    victim.write_text("precious")
    toolkit_data.write_pysot_json(tmp_path / "data", "UAV123", {"../../../escaped/victim": BOXES})
    places = ["--dataset_dir", str(tmp_path / "data"), "--tracker_path", str(tmp_path / "results")]
    options = ["--dataset", "UAV123", "--trackers", "running_fakes:Still", "--num", "0", "--force"]
    assert main([*options, *places]) == 2
    error = capsys.readouterr().err
    assert "sequence '../../../escaped/victim' is a path" in error and error.count("\n") == 1
    assert victim.read_text() == "precious" and not (tmp_path / "results").exists()


def test_no_attribute_is_a_path(tmp_path):
    attributes = {"walk": ["OCC", "/../../../x"]}
    toolkit_data.write_pysot_json(tmp_path, "UAV123", {"walk": BOXES}, attributes)
    with pytest.raises(DatasetError, match=r"walk: attribute '/\.\./\.\./\.\./x' is a path"):
        create("UAV123", tmp_path)
    toolkit_data.write_annotations(tmp_path / "own", {"walk": BOXES}, attributes)
    with pytest.raises(DatasetError, match="attribute"):
        create(tmp_path / "own", None)


@pytest.mark.parametrize("line", ["../ball", "/etc", "a/../../b"])
def test_no_sequence_of_a_list_lies_elsewhere(tmp_path, line):
    toolkit_data.write_vot(tmp_path, {"ball": BOXES})
    (tmp_path / "list.txt").write_text(f"ball\n{line}\n")
    with pytest.raises(DatasetError, match=r"list\.txt:2: .*; expected a folder beside the file"):
        create("VOT2016", tmp_path)


def test_a_list_may_name_folders_and_begin_with_a_mark(tmp_path):
    toolkit_data.write_vot(tmp_path / "deep", {"ball": BOXES})
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbfdeep/ball\r\n")
    video = create("VOT2016", tmp_path)["ball"]
    assert video.img_names[0] == str(tmp_path / "deep/ball/color/00000001.jpg")


@pytest.mark.parametrize(
    ("properties", "image", "size"),
    [
        ("channels.color=color\nwidth=160.0\nheight=120", "color/00000001.jpg", (160, 120)),
        ("channels.color=img/%06d.png\n", "img/000001.png", None),
    ],
)
def test_sequence_files_as_the_vot_toolkit_takes_them(tmp_path, properties, image, size):
    toolkit_data.write_vot(tmp_path, {"ball": BOXES})
    (tmp_path / "ball" / "sequence").write_text(properties)
    video = create("VOT2016", tmp_path)["ball"]
    assert video.img_names[0] == str(tmp_path / "ball" / image)
    assert video.image_size == size


@pytest.mark.parametrize(
    "line", ["channels.color=%s%s.jpg", "channels.color=a.jpg", "width=wide", "height=inf",
             "width=0", "channels.color=%999999999d.jpg"],
)  # fmt: skip
def test_sequence_files_that_make_no_sense_are_named(tmp_path, line):
    toolkit_data.write_vot(tmp_path, {"ball": BOXES})
    (tmp_path / "ball" / "sequence").write_text(line)
    with pytest.raises(
        DatasetError, match=r"ball/sequence: (channels\.color|width|height)=.*expec"
    ):
        create("VOT2016", tmp_path)


ENTRY = {
    "video_dir": "a",
    "init_rect": [1, 2, 3, 4],
    "img_names": ["a/1.jpg", "a/2.jpg"],
    "gt_rect": [[1, 2, 3, 4], [1, 2, 3, float("nan")]],
}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("video_dir", None), ("img_names", [1, 2]), ("img_names", None), ("gt_rect", [1, 2]),
        ("gt_rect", [[1, 2, 3, 4], ["a", 2, 3, 4]]), ("gt_rect", [[1, 2, 3], [1, 2, 3]]),
        ("gt_rect", [[1, 2, 3, 4], [1, 2, 10**400, 4]]), ("gt_rect", [[1, 2, 3, 4], None]),
        ("gt_rect", [[1, 2, 3, 4], [1, 2, 3, 4, 5]]), ("gt_rect", [[], []]), ("init_rect", "a"),
        ("init_rect", [1, 2]), ("attr", "IV"), ("attr", [1]), ("width", "wide"),
        ("height", 10**400), ("absent", [1]), ("absent", ["a", "b"]),
        ("camera_motion", [1, 0, 0]), ("skip", None),
    ],
)  # fmt: skip
def test_metadata_of_another_type_is_named(tmp_path, key, value):
    (tmp_path / "LaSOT.json").write_text(json.dumps({"a": ENTRY | {key: value}}))
    with pytest.raises(DatasetError, match=r"LaSOT\.json: ") as caught:
        create("LaSOT", tmp_path)
    assert len(str(caught.value)) < 500


def test_paths_of_windows_in_metadata(tmp_path):
    entry = ENTRY | {"video_dir": "set\\a", "img_names": ["set\\a\\1.jpg", "set\\a\\2.jpg"]}
    (tmp_path / "LaSOT.json").write_text(json.dumps({"a": entry}))
    assert create("LaSOT", tmp_path)["a"].img_names[1] == str(tmp_path / "set/a/2.jpg")


@pytest.mark.parametrize(
    "table",
    [
        [],
        {"a": None},
        {"a": {"first_frame": 1}},
        {"a": {"first_frame": 1, "last_frame": "2"}},
        {"a": {"first_frame": 4, "last_frame": 3}},
        {"a": {"first_frame": 1, "last_frame": 4, "digits": 10**9}},
        {"a": {"first_frame": 1, "last_frame": 4, "skip": -1}},
    ],
)
def test_a_table_of_another_type_is_named(tmp_path, table):
    toolkit_data.write_annotations(tmp_path, {"a": BOXES})
    (tmp_path / "sequences.json").write_text(json.dumps(table))
    with pytest.raises(DatasetError, match=r"sequences\.json: "):
        create("OTB2013", tmp_path)


def test_names_are_checked_whoever_makes_metadata(tmp_path):
    with pytest.raises(DatasetError, match="is a path"):
        Metadata(tmp_path, {"../a": ENTRY})
