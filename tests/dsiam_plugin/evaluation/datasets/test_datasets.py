import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import toolkit_data

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.evaluation.datasets import (
    DatasetFactory,
    GOT10kDataset,
    LaSOTDataset,
    NFSDataset,
    OTBDataset,
    TrackingNetDataset,
    UAVDataset,
    VOTDataset,
    VOTLTDataset,
)

SEQUENCES = {"walk": toolkit_data.moving_boxes(6, seed=1), "run": toolkit_data.moving_boxes(9)}
COUPLE, CROSSING = toolkit_data.moving_boxes(140, seed=2), toolkit_data.moving_boxes(120, seed=3)


def create(**kwargs):
    return DatasetFactory.create_dataset(**kwargs)


@pytest.mark.parametrize(
    ("name", "dataset_class", "protocol"),
    [("OTB100", OTBDataset, "ope"), ("UAV123", UAVDataset, "ope"), ("UAV20L", UAVDataset, "ope"),
     ("NFS30", NFSDataset, "ope"), ("NFS240", NFSDataset, "ope"), ("LaSOT", LaSOTDataset, "ope"),
     ("GOT-10k", GOT10kDataset, "ope"), ("TrackingNet", TrackingNetDataset, "ope"),
     ("VOT2016", VOTDataset, "restart"), ("VOT2018-LT", VOTLTDataset, "longterm")],
)  # fmt: skip
def test_pysot_metadata_of_every_family(tmp_path, name, dataset_class, protocol):
    toolkit_data.write_pysot_json(tmp_path, name, SEQUENCES)
    dataset = create(name=name, dataset_root=str(tmp_path), load_img=False)
    assert type(dataset) is dataset_class
    assert (dataset.name, dataset.protocol, len(dataset)) == (name, protocol, 2)
    assert [video.name for video in dataset] == ["run", "walk"]
    assert dataset[0].name == "run" and dataset["walk"] is dataset.videos["walk"]
    video = dataset["walk"]
    np.testing.assert_array_equal(video.gt_traj, SEQUENCES["walk"])
    assert isinstance(video.gt_traj, list) and len(video) == 6
    assert video.init_rect == list(SEQUENCES["walk"][0])
    assert video.img_names[0] == str(tmp_path / "walk/img/0001.jpg")


def test_the_metadata_may_be_named_by_any_alias_and_lie_in_a_folder_of_that_name(tmp_path):
    toolkit_data.write_pysot_json(tmp_path / "CVPR13", "CVPR13", SEQUENCES)
    assert len(create(name="OTB2013", dataset_root=tmp_path / "CVPR13")) == 2
    assert len(create(name="OTB2013", dataset_root=tmp_path)) == 2


def test_the_metadata_of_otb100_serves_its_parts(tmp_path):
    sequences = {"Coke": SEQUENCES["run"], "Box": SEQUENCES["run"], "Deer": SEQUENCES["walk"]}
    attributes = {"Coke": ["BC"], "Deer": []}
    toolkit_data.write_pysot_json(tmp_path / "OTB100", "OTB100", sequences, attributes)
    dataset = create(name="OTB2013", dataset_root=tmp_path)
    assert sorted(dataset.videos) == ["Coke", "Deer"] and len(dataset.missing_videos) == 49
    assert dataset["Coke"].attr == ["IV", "OPR", "OCC", "FM", "IPR"]
    assert len(create(name="OTB2015", dataset_root=tmp_path)) == 3


def test_attributes_group_the_videos(tmp_path):
    toolkit_data.write_pysot_json(
        tmp_path, "UAV123", SEQUENCES, attributes={"walk": ["OCC", "FM"], "run": ["OCC"]}
    )
    attr = create(name="UAV123", dataset_root=tmp_path).attr
    assert attr == {"ALL": ["walk", "run"], "OCC": ["walk", "run"], "FM": ["walk"]}


def test_tags_of_a_vot_sequence(tmp_path):
    tags = {"walk": {"occlusion": [0, 1, 1, 0, 0, 0], "size_change": [0, 0, 1, 1, 0, 0]}}
    toolkit_data.write_pysot_json(tmp_path, "VOT2019", SEQUENCES, tags=tags)
    dataset = create(name="VOT2019", dataset_root=tmp_path)
    video = dataset["walk"]
    assert video.tags["empty"] == [1, 0, 0, 0, 1, 1] and video.tags["all"] == [1] * 6
    assert video.select_tag("occlusion", 1, 4) == [1, 1, 0]
    assert video.tag_names == dataset.tags
    assert (video.width, video.height) == toolkit_data.IMAGE_SIZE


def test_long_term_ground_truth_says_where_the_target_is_absent(tmp_path):
    boxes = SEQUENCES["walk"].copy()
    boxes[3] = np.nan
    toolkit_data.write_pysot_json(tmp_path, "VOT2018-LT", {"walk": boxes})
    gt_traj = create(name="VOT2018-LT", dataset_root=tmp_path)["walk"].gt_traj
    assert gt_traj[3] == [0] and gt_traj[2] == list(boxes[2])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1, 2]", "list of 2; expected sequences by name"),
        ("{", "not JSON"),
        ('{"a": {"video_dir": "a", "img_names": []}}', "a: lacks 'init_rect'; expected"),
        ('{"a": {"video_dir": "a", "init_rect": [], "img_names": ["a/1.jpg"], "gt_rect": []}}',
         "sequence 'a': 1 img_names and 0 gt_rect; expected"),
    ],
)  # fmt: skip
def test_damaged_metadata_is_named(tmp_path, content, message):
    (tmp_path / "LaSOT.json").write_text(content)
    with pytest.raises(DatasetError, match=f"LaSOT.json: {message}"):
        create(name="LaSOT", dataset_root=tmp_path)


def test_annotations_with_the_frames_of_some_in_a_folder_of_sequences(tmp_path):
    toolkit_data.write_annotations(tmp_path, {"Couple": COUPLE, "Crossing": CROSSING})
    toolkit_data.write_frames(tmp_path / "sequences" / "Couple" / "img", COUPLE[:2])
    dataset = create(name="OTB2013", dataset_root=tmp_path)
    image, box = dataset["Couple"][1]
    x, y, w, h = np.asarray(box, dtype=int)
    assert image[y + 2 : y + h - 2, x + 2 : x + w - 2].min() > 150
    assert not Path(dataset["Crossing"].img_names[0]).exists()
    np.testing.assert_allclose(dataset["Crossing"].gt_traj, CROSSING)


def test_otb_folders_in_a_folder_of_sequences(tmp_path):
    toolkit_data.write_otb(tmp_path / "sequences", {"Couple": COUPLE}, images=True)
    dataset = create(name="OTB2013", dataset_root=tmp_path)
    assert list(dataset.videos) == ["Couple"]
    assert dataset["Couple"].img_names[0].endswith("sequences/Couple/img/0001.jpg")


def test_annotations_alone_are_enough(tmp_path):
    toolkit_data.write_annotations(tmp_path, {"Couple": COUPLE, "Crossing": CROSSING})
    (tmp_path / "sequences.json").unlink()
    dataset = create(name="OTB2013", dataset_root=tmp_path)
    assert sorted(dataset.videos) == ["Couple", "Crossing"]
    np.testing.assert_array_equal(dataset["Couple"].gt_traj, COUPLE)  # 1-based in the file
    assert dataset["Couple"].attr == ["OPR", "SV", "DEF", "FM", "BC"]
    assert dataset["Couple"].img_names[139].endswith("Couple/img/0140.jpg")
    assert len(dataset.missing_videos) == 49 and "Basketball" in dataset.missing_videos


def test_tiger1_starts_at_frame_six(tmp_path):
    boxes = toolkit_data.moving_boxes(354)
    toolkit_data.write_annotations(tmp_path, {"Tiger1": boxes})
    video = create(name="OTB2013", dataset_root=tmp_path)["Tiger1"]
    np.testing.assert_array_equal(video.gt_traj, boxes[5:])
    assert video.img_names[0].endswith("0006.jpg") and len(video) == 349


def test_a_cut_data_set_says_so_in_its_own_table(tmp_path):
    sequences = {"Couple": COUPLE[:7], "Deer": toolkit_data.moving_boxes(71)}
    toolkit_data.write_annotations(tmp_path, sequences, attributes={"Couple": ["SV"]})
    dataset = create(name="OTB2013", dataset_root=tmp_path)
    assert len(dataset["Couple"]) == 7 and dataset["Couple"].attr == ["SV"]
    assert len(dataset["Deer"]) == 71 and "LR" in dataset["Deer"].attr


def test_a_cut_sequence_is_its_first_frames(tmp_path):
    toolkit_data.write_otb(tmp_path, {"Couple": COUPLE[:7]}, images=True)
    video = create(name="OTB2013", dataset_root=tmp_path)["Couple"]
    np.testing.assert_array_equal(video.gt_traj, COUPLE[:7])
    assert [Path(name).name for name in video.img_names] == [f"000{n}.jpg" for n in range(1, 8)]
    assert "BC" in video.attr


@pytest.mark.parametrize(("first", "left_out"), [(2, None), (1, "0004.jpg")])
def test_other_frames_than_the_first_are_no_cut_sequence(tmp_path, first, left_out):
    toolkit_data.write_otb(tmp_path, {"Couple": COUPLE[:7]}, images=True, first=first)
    if left_out:
        (tmp_path / "Couple" / "img" / left_out).unlink()
    with pytest.raises(DatasetError, match="7 rows, expected 140"):
        create(name="OTB2013", dataset_root=tmp_path)


def test_an_annotation_of_other_length_is_an_error(tmp_path):
    toolkit_data.write_otb(tmp_path, {"Couple": COUPLE[:-1]})
    with pytest.raises(DatasetError, match=r"rect.txt: 139 rows, expected 140 \(frames 1 to 140"):
        create(name="OTB2013", dataset_root=tmp_path)


@pytest.mark.parametrize("delimiter", [",", "\t", " "])
def test_otb_folders_with_any_delimiter(tmp_path, delimiter):
    toolkit_data.write_otb(tmp_path, {"Crossing": CROSSING}, delimiter=delimiter)
    dataset = create(name="OTB2013", dataset_root=tmp_path)
    np.testing.assert_array_equal(dataset["Crossing"].gt_traj, CROSSING)


def test_two_targets_in_one_folder(tmp_path):
    first, second = toolkit_data.moving_boxes(307, seed=4), toolkit_data.moving_boxes(307, seed=5)
    for number, boxes in ((1, first), (2, second)):
        toolkit_data.write_rows(
            tmp_path / "Jogging" / f"groundtruth_rect.{number}.txt", toolkit_data.one_based(boxes)
        )
    dataset = create(name="OTB2013", dataset_root=tmp_path)
    np.testing.assert_array_equal(dataset["Jogging-2"].gt_traj, second)
    assert dataset["Jogging-1"].img_names == dataset["Jogging-2"].img_names


@pytest.mark.parametrize("folder", ["Jogging-1", "Jogging.1", "Jogging_1"])
def test_a_folder_for_each_target_as_pysot_wants_it(tmp_path, folder):
    boxes = toolkit_data.moving_boxes(307)
    toolkit_data.write_rows(
        tmp_path / folder / "groundtruth_rect.txt", toolkit_data.one_based(boxes)
    )
    video = create(name="OTB2013", dataset_root=tmp_path)["Jogging-1"]
    np.testing.assert_array_equal(video.gt_traj, boxes)
    assert video.img_names[0] == str(tmp_path / folder / "img" / "0001.jpg")


def test_frames_of_other_names_are_found_by_their_number(tmp_path):
    boxes = toolkit_data.moving_boxes(71)
    toolkit_data.write_otb(tmp_path, {"Deer": boxes})
    toolkit_data.write_frames(tmp_path / "Deer" / "img", boxes[:3], name="{:05d}.png")
    video = create(name="OTB2013", dataset_root=tmp_path)["Deer"]
    assert video.img_names[2].endswith("img/00003.png")
    assert video[2][0].shape == (48, 64, 3)


def test_the_vot_layout(tmp_path):
    polygons = {name: toolkit_data.polygons(boxes) for name, boxes in SEQUENCES.items()}
    toolkit_data.write_vot(tmp_path, polygons, images=True)
    (tmp_path / "walk" / "occlusion.tag").write_text("0\n1\n1\n")
    dataset = create(name="VOT2015", dataset_root=tmp_path)
    video = dataset["walk"]
    np.testing.assert_allclose(video.gt_traj, polygons["walk"])
    assert video.tags["occlusion"] == [0, 1, 1, 0, 0, 0]
    assert (video.width, video.height) == toolkit_data.IMAGE_SIZE
    image, region = video[0]
    assert image.shape == (48, 64, 3) and len(region) == 8


def test_sequences_that_list_txt_names_may_be_missing(tmp_path):
    toolkit_data.write_vot(tmp_path, SEQUENCES)
    (tmp_path / "run" / "groundtruth.txt").unlink()
    dataset = create(name="VOT2015", dataset_root=tmp_path)
    assert list(dataset.videos) == ["walk"] and dataset.missing_videos == ["run"]
    (tmp_path / "walk" / "groundtruth.txt").write_text("1,2\n")
    with pytest.raises(DatasetError, match="walk/groundtruth.txt:1: 2 numbers"):
        create(name="VOT2015", dataset_root=tmp_path)


def test_where_a_data_set_is_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DSIAM_DATASETS", raising=False)
    with pytest.raises(DatasetError) as caught:
        create(name="VOT2016")
    assert str(tmp_path) in str(caught.value)
    assert "testing_dataset/VOT2016" in str(caught.value)
    assert "$DSIAM_DATASETS is not set" in str(caught.value)
    monkeypatch.setenv("DSIAM_DATASETS", str(tmp_path / "sets"))
    with pytest.raises(DatasetError, match=str(tmp_path / "sets" / "VOT2016")):
        create(name="VOT2016")
    places = (tmp_path / "testing_dataset" / "VOT2016", tmp_path / "sets" / "VOT2016", tmp_path)
    for size, place in enumerate(places, start=1):  # each goes before the former
        boxes = {f"s{i}": SEQUENCES["run"] for i in range(size)}
        toolkit_data.write_pysot_json(place, "VOT2016", boxes, tags={})
        assert len(create(name="VOT2016")) == size
        assert len(create(name="VOT2016", dataset_root=None)) == size


def test_a_given_root_without_the_data_set_is_the_only_place(tmp_path):
    with pytest.raises(DatasetError, match=f"OTB2013 not found: looked in {tmp_path}"):
        create(name="OTB2013", dataset_root=tmp_path)


def test_names_that_are_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatasetError, match="did you mean 'OTB2013'"):
        create(name="OTB2031")
    with pytest.raises(DatasetError, match="no data set named"):
        create()
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="expected|groundtruth_rect.txt or groundtruth.txt"):
        create(name="empty")


def test_a_missing_video_is_named(tmp_path):
    toolkit_data.write_pysot_json(tmp_path, "NFS30", SEQUENCES)
    with pytest.raises(DatasetError, match="NFS30 has no video 'fly'"):
        create(name="NFS30", dataset_root=tmp_path)["fly"]


@pytest.mark.data
def test_the_real_otb2013(shared):
    dataset = create(name="OTB2013", dataset_root=shared / "data/otb2013")
    assert len(dataset) == 51 and dataset.missing_videos == []
    assert len(dataset["Tiger1"]) == 349
    images = create(name="OTB2013", dataset_root=shared / "data/otb2013/sequences")
    assert len(images) == 11 and len(images.missing_videos) == 40
    for video in images:
        assert video.gt_traj == dataset[video.name].gt_traj
    assert images["David"][0][0].shape == (240, 320, 3)


@pytest.mark.data
def test_the_real_vot_folders(shared):
    dataset = create(name="VOT2018", dataset_root=shared / "data/vot2018")
    assert len(dataset) == 60 and sum(map(len, dataset)) == 21356
    folders = create(name="VOT2015", dataset_root=shared / "data/vot2015/sequences")
    assert [(video.name, len(video), video.width) for video in folders] == [
        ("bag", 196, 480), ("motocross1", 164, 640),
    ]  # fmt: skip


def test_no_heavy_package_is_imported_for_an_evaluation(tmp_path, repository):
    toolkit_data.write_annotations(tmp_path, {"Couple": COUPLE})
    toolkit_data.write_results(tmp_path / "results", "A", {"Couple": COUPLE})
    script = (
        "import sys\n"
        "import toolkit\n"
        "assert 'numpy' not in sys.modules\n"
        "from dsiam_plugin.evaluation.datasets import DatasetFactory\n"
        f"dataset = DatasetFactory.create_dataset(name='OTB2013', dataset_root={str(tmp_path)!r})\n"
        f"print(dataset.load_results({str(tmp_path / 'results')!r}, 'A'))\n"
        "heavy = {'cv2', 'torch', 'matplotlib', 'scipy', 'PIL', 'pandas', 'vot'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=repository, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "{'A': {}}\n", "")
