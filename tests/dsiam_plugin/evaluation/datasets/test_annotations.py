"""Annotations and labels of frames; frames of raw downloads."""

import json

import numpy as np
import pytest
import running_fakes as fakes
import toolkit_data

from dsiam_plugin.commands.prepare import main as prepare
from dsiam_plugin.errors import DatasetError
from dsiam_plugin.evaluation.datasets import DatasetFactory, VOTDataset, annotations
from dsiam_plugin.evaluation.measures.ope import OPEBenchmark
from dsiam_plugin.evaluation.results.files import read_boxes
from dsiam_plugin.evaluation.running import TrackerSpec, run_dataset

BOXES = toolkit_data.moving_boxes(6, seed=1)


def create(name, root=None):
    return DatasetFactory.create_dataset(name=str(name), dataset_root=root)


def write_lasot(root, name="cat-1", boxes=BOXES, hidden=(2, 5), seen=(3,)):
    """A LaSOT folder of two levels whose target is hidden in some frames."""
    folder = root / name.partition("-")[0] / name
    toolkit_data.write_rows(folder / "groundtruth.txt", boxes)
    toolkit_data.write_frames(folder / "img", boxes, name="{:08d}.jpg")
    for file_name, frames in (("full_occlusion.txt", hidden), ("out_of_view.txt", seen)):
        flags = ["1" if frame in frames else "0" for frame in range(len(boxes))]
        (folder / file_name).write_text(",".join(flags) + "\n")
    return folder


def test_hidden_frames_of_lasot_are_not_scored(tmp_path):
    """Precision where results miss in hidden frames alone: a share of all frames in pysot."""
    write_lasot(tmp_path)
    dataset = create("LaSOT", tmp_path)
    assert dataset["cat-1"].absent.tolist() == [1, 1, 0, 0, 1, 0]
    boxes = BOXES.copy()
    boxes[[2, 3, 5]] += 400
    toolkit_data.write_results(tmp_path / "r", "A", {"cat-1": boxes})
    dataset.load_results(tmp_path / "r", "A")
    precision = OPEBenchmark(dataset).eval_precision(["A"])["A"]["cat-1"]
    visible = np.array([1, 1, 0, 0, 1, 0])
    assert precision[20] == pytest.approx(visible.sum() / 6)


def test_prepare_writes_what_eval_reads(tmp_path, capsys):
    write_lasot(tmp_path)
    assert prepare(["LaSOT", str(tmp_path)]) == 1  # one of 280
    assert "1 of 280 sequences complete, 6 frames" in capsys.readouterr().out
    entry = json.loads((tmp_path / "LaSOT.json").read_text())["cat-1"]
    assert entry["absent"] == [1, 1, 0, 0, 1, 0]
    assert entry["img_names"][0] == "cat/cat-1/img/00000001.jpg"
    assert create("LaSOT", tmp_path)["cat-1"].absent.tolist() == entry["absent"]


def test_a_list_of_the_sequences_to_test_on(tmp_path):
    write_lasot(tmp_path, "cat-1")
    write_lasot(tmp_path, "cat-2")
    (tmp_path / "testing_set.txt").write_text("cat-2\ndog-1\n")
    assert list(create("LaSOT", tmp_path).videos) == ["cat-2"]


def test_labels_that_do_not_fit_are_named(tmp_path):
    folder = write_lasot(tmp_path)
    (folder / "out_of_view.txt").write_text("0,1\n")
    with pytest.raises(DatasetError, match=r"out_of_view\.txt: 2 labels; expected 6"):
        create("LaSOT", tmp_path)
    (folder / "out_of_view.txt").write_text("0,x\n")
    with pytest.raises(DatasetError, match=r"out_of_view\.txt: .*; expected whole numbers"):
        create("LaSOT", tmp_path)


def write_got10k(root, name, boxes, annotated, labels=True):
    folder = root / name
    toolkit_data.write_rows(folder / "groundtruth.txt", boxes[:annotated], pattern="{:.4f}")
    toolkit_data.write_frames(folder, boxes, name="{:08d}.jpg")
    if labels:
        (folder / "absence.label").write_text("0\n0\n1\n0\n0\n0\n")
        (folder / "cover.label").write_text("8\n8\n3\n8\n0\n8\n")


def test_got10ks_labels_and_list_are_no_sign_of_vot(tmp_path):
    write_got10k(tmp_path, "GOT-10k_Val_000001", BOXES, 6)
    (tmp_path / "list.txt").write_text("\ufeffGOT-10k_Val_000001\n", encoding="utf-8")
    for name in ("GOT-10k", tmp_path):
        dataset = create(name, tmp_path)
        assert not isinstance(dataset, VOTDataset)
        assert dataset["GOT-10k_Val_000001"].absent.tolist() == [1, 1, 0, 1, 0, 1]


def test_hidden_frames_of_got10k_count_for_nothing(tmp_path):
    """got10k's rule: the mean over frames of which something can be seen."""
    write_got10k(tmp_path, "a", BOXES, 6)
    dataset = create("GOT-10k", tmp_path)
    boxes = BOXES.copy()
    boxes[[2, 4, 5]] += 400  # two hidden frames, and one that is seen
    toolkit_data.write_results(tmp_path / "r", "A", {"a": boxes})
    dataset.load_results(tmp_path / "r", "A")
    precision = OPEBenchmark(dataset).eval_precision(["A"])["A"]["a"]
    assert precision[20] == pytest.approx(3 / 4)


def test_a_start_box_alone_is_run_and_not_scored(tmp_path):
    write_got10k(tmp_path, "GOT-10k_Test_000001", BOXES, 1, labels=False)
    (tmp_path / "list.txt").write_text("GOT-10k_Test_000001\n")
    for name in ("GOT-10k", tmp_path):
        video = create(name, tmp_path)["GOT-10k_Test_000001"]
        assert len(video.img_names) == 6 and len(video.gt_traj) == 1
        toolkit_data.write_results(tmp_path / "r", "A", {video.name: BOXES})
        video.load_tracker(tmp_path / "r", "A")
        assert "only its start box is known" in video.gaps["A"] and not video.pred_trajs
    still = TrackerSpec("Still", fakes.Still)
    report = run_dataset(create("GOT-10k", tmp_path), still, tmp_path / "r", num=0, progress=False)
    assert report.failures == {}
    file = tmp_path / "r" / "GOT-10k" / "Still" / video.name / f"{video.name}_001.txt"
    assert len(read_boxes(file)) == 6


def test_a_start_box_alone_in_pysots_metadata(tmp_path):
    path = toolkit_data.write_pysot_json(tmp_path, "GOT-10k", {"a": BOXES})
    table = json.loads(path.read_text())
    table["a"]["gt_rect"] = table["a"]["gt_rect"][:1]
    path.write_text(json.dumps(table))
    assert len(create("GOT-10k", tmp_path)["a"].img_names) == 6


def test_raw_trackingnet_in_natural_order(tmp_path):
    boxes = toolkit_data.moving_boxes(12)
    toolkit_data.write_rows(tmp_path / "TEST" / "anno" / "v1.txt", boxes[:1])
    toolkit_data.write_frames(tmp_path / "TEST" / "frames" / "v1", boxes, "{}.jpg", first=0)
    video = create("TrackingNet", tmp_path)["v1"]
    assert [name.rpartition("/")[2] for name in video.img_names] == [f"{i}.jpg" for i in range(12)]


def test_raw_uav123_and_its_parts(tmp_path):
    toolkit_data.write_frames(
        tmp_path / "data_seq/UAV123/truck4", np.repeat(BOXES[:1], 4, 0), "{:06d}.jpg", first=575
    )
    toolkit_data.write_frames(tmp_path / "data_seq/UAV123/boat1", BOXES, "{:06d}.jpg")
    anno = tmp_path / "anno" / "UAV123"
    toolkit_data.write_rows(anno / "truck4_2.txt", BOXES[:2])
    gone = BOXES.copy()
    gone[3] = np.nan
    toolkit_data.write_rows(anno / "boat1.txt", gone)
    (anno / "att").mkdir()
    dataset = create("UAV123", tmp_path)
    assert sorted(dataset.videos) == ["boat1", "truck4_2"]
    names = [name.rpartition("/")[2] for name in dataset["truck4_2"].img_names]
    assert names == ["000577.jpg", "000578.jpg"]
    np.testing.assert_array_equal(dataset["boat1"].gt_traj, gone)
    toolkit_data.write_rows(anno / "boat1.txt", BOXES[:4])
    with pytest.raises(DatasetError, match=r"boat1\.txt: 4 rows, but .*boat1 has 6 frames"):
        create("UAV123", tmp_path)


@pytest.mark.parametrize(("name", "rows"), [("NFS240", 6), ("NFS30", 48), ("NFS30", 43)])
def test_raw_nfs_holds_corners_of_240_frames_a_second(tmp_path, name, rows):
    rate = name[3:]
    folder = tmp_path / "ball" / rate
    toolkit_data.write_frames(folder / "ball", BOXES, "{:05d}.jpg")
    step = rows // len(BOXES) + (rows % len(BOXES) > 0)
    lines = []
    for row in range(rows):
        x, y, w, h = BOXES[row // step].astype(int)
        lines.append(f'0 {x} {y} {x + w} {y + h} {row} {int(row == step)} 0 0 "ball"\n')
    folder.joinpath("ball.txt").write_text("".join(lines))
    video = create(name, tmp_path)["ball"]
    np.testing.assert_array_equal(video.gt_traj, BOXES)
    assert video.absent.tolist() == [1, 0, 1, 1, 1, 1]
    folder.joinpath("ball.txt").write_text("0 1 2 3\n")
    with pytest.raises(DatasetError, match=r"ball\.txt:1: .*; expected track, left"):
        create(name, tmp_path)


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".tif", ".PNG"])
def test_frames_run_in_natural_order_whatever_their_format(tmp_path, suffix):
    boxes = toolkit_data.moving_boxes(12)
    toolkit_data.write_rows(tmp_path / "clip" / "groundtruth.txt", boxes)
    folder = tmp_path / "clip" / "img"
    toolkit_data.write_frames(folder, boxes, name="{}" + suffix)
    (folder / "._1.jpg").write_text("of an archiver")
    (tmp_path / "__MACOSX" / "clip").mkdir(parents=True)
    (tmp_path / "__MACOSX" / "groundtruth.txt").write_text("1,2,3,4\n")
    dataset = create(tmp_path)
    assert list(dataset.videos) == ["clip"]
    for (image, box), truth in zip(dataset["clip"], boxes, strict=True):
        x, y, w, h = truth.astype(int)
        assert image[y + 2 : y + h - 2, x + 2 : x + w - 2].min() > 150 and (box == truth).all()


@pytest.mark.parametrize("order", [range(8), [7, 6, 5, 4, 3, 2, 1, 0]])
def test_a_polygon_with_some_nan_is_no_box(tmp_path, order):
    polygon = [np.nan, 2.0, 9.0, 4.0, 7.0, 11.0, 3.0, 6.0]
    box = annotations.enclosing_box([polygon[i] for i in order], "a.txt:1")
    assert len(box) == 4 and np.isnan(box).all()


def test_infinite_annotations_are_named(tmp_path):
    path = toolkit_data.write_rows(tmp_path / "a.txt", [[1, 2, 3, 4], [1, 2, np.inf, 4]])
    for read in (annotations.read_annotated_boxes, annotations.read_annotated_regions):
        with pytest.raises(DatasetError, match=r"a\.txt:2: an infinite number"):
            read(path)
