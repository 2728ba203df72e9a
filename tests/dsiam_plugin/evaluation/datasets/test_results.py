import logging

import numpy as np
import pytest
import toolkit_data

from dsiam_plugin.errors import BenchmarkError, ResultsError
from dsiam_plugin.evaluation.datasets import DatasetFactory
from dsiam_plugin.evaluation.results import region_binary
from dsiam_plugin.evaluation.results.rows import carry_last

BOXES = {"walk": toolkit_data.moving_boxes(6, seed=1), "run": toolkit_data.moving_boxes(9)}


@pytest.fixture
def dataset(tmp_path):
    toolkit_data.write_pysot_json(tmp_path / "data", "UAV123", BOXES)
    return DatasetFactory.create_dataset(name="UAV123", dataset_root=tmp_path / "data")


@pytest.fixture
def results(tmp_path):
    return toolkit_data.write_results(tmp_path / "results", "A", BOXES)


def otb(tmp_path, name, frames):
    boxes = toolkit_data.moving_boxes(frames)
    toolkit_data.write_annotations(tmp_path, {name: boxes})
    return DatasetFactory.create_dataset(name="OTB2013", dataset_root=tmp_path)[name], boxes


def test_results_are_stored_or_returned(dataset, results):
    video = dataset["walk"]
    assert video.load_tracker(str(results), "A") is None
    np.testing.assert_array_equal(video.pred_trajs["A"], BOXES["walk"])
    assert video.tracker_names == ["A"]
    np.testing.assert_array_equal(
        dataset["run"].load_tracker(results, ["A"], store=False), BOXES["run"]
    )
    assert dataset["run"].pred_trajs == {}


def test_without_names_every_folder_is_a_tracker(dataset, results):
    toolkit_data.write_results(results, "B", BOXES)
    (results / ".ipynb_checkpoints").mkdir()
    dataset["walk"].load_tracker(results)
    assert dataset["walk"].tracker_names == ["A", "B"]
    with pytest.raises(ResultsError, match="nowhere: no trackers in it"):
        dataset["walk"].load_tracker(results / "nowhere")


def test_a_missing_file_is_a_gap(dataset, results):
    (results / "A" / "walk.txt").unlink()
    video = dataset["walk"]
    assert video.load_tracker(results, "A", store=False) is None
    video.load_tracker(results, "A")
    assert "A" not in video.pred_trajs
    assert video.gaps["A"] == f"no result file; expected {results / 'A' / 'walk.txt'}"
    toolkit_data.write_results(results, "A", BOXES)
    video.load_tracker(results, "A")
    assert video.gaps == {}


@pytest.mark.parametrize(
    ("rows", "where"),
    [(5, "5 rows, expected 6, one a frame of walk; row 6 is missing"),
     (7, "7 rows, expected 6, one a frame of walk; row 7 is extra")],
)  # fmt: skip
def test_short_and_long_files_are_named(dataset, results, rows, where):
    toolkit_data.write_results(results, "A", {"walk": toolkit_data.moving_boxes(rows)})
    with pytest.raises(ResultsError, match=f"walk.txt: {where}"):
        dataset["walk"].load_tracker(results, "A")


def test_all_gaps_of_all_trackers_in_one_table(dataset, results):
    toolkit_data.write_results(results, "B", {"run": BOXES["run"][:4]})
    gaps = dataset.load_results(results, ["A", "B"])
    assert gaps["A"] == {} and sorted(gaps["B"]) == ["run", "walk"]
    assert "4 rows, expected 9" in gaps["B"]["run"]
    assert gaps["B"]["walk"].startswith("no result file")
    assert dataset["run"].tracker_names == ["A"] and "B" not in dataset["run"].pred_trajs
    assert (dataset.tracker_path, dataset.tracker_names) == (str(results), ["A", "B"])


def test_nan_rows_count_as_misses_and_are_reported(dataset, results, caplog):
    boxes = BOXES["walk"].copy()
    boxes[[2, 4], 1] = np.nan
    toolkit_data.write_results(results, "A", {"walk": boxes})
    with caplog.at_level(logging.WARNING):
        dataset["walk"].load_tracker(results, "A")
    assert "walk.txt:3: not a finite box (2 such rows of 6)" in caplog.text
    np.testing.assert_array_equal(dataset["walk"].pred_trajs["A"], boxes)


def test_results_as_corners_are_said_to_be_so(dataset, results, caplog):
    corners = {name: np.hstack([b[:, :2], b[:, :2] + b[:, 2:]]) for name, b in BOXES.items()}
    toolkit_data.write_results(results, "B", corners)
    dataset.load_results(results, ["A", "B"])
    (record,) = caplog.records
    message = record.getMessage()
    assert message.startswith("B: the first row of 2 of 2 results, such as that of run, holds")
    assert "dsiam convert --corners" in message


def test_a_first_row_that_is_off_is_no_corner(dataset, results, caplog):
    toolkit_data.write_results(results, "B", {name: b + 4 for name, b in BOXES.items()})
    dataset.load_results(results, ["B"])
    assert not caplog.records


def test_invalid_rows_may_count_as_the_last_valid_box(dataset, results, caplog):
    boxes = BOXES["walk"].copy()
    boxes[1] = np.nan
    boxes[2, 2] = 0
    boxes[4, 3] = -1
    boxes[5, 0] = np.nan  # not a row of NaN: OTB's test wants all four
    toolkit_data.write_results(results, "A", {"walk": boxes})
    dataset.carry_last_boxes()
    dataset["walk"].load_tracker(results, "A")
    expected = boxes[[0, 0, 0, 3, 3, 5]]
    np.testing.assert_array_equal(dataset["walk"].pred_trajs["A"], expected)
    assert "last valid box" in dataset.result_rule


def test_where_nothing_is_annotated_no_box_is_carried():
    boxes = np.array([[0, 0, 0, 0], [1, 1, 5, 5], [np.nan] * 4, [2, 2, 0, 5.0]])
    truth = [[1, 1, 5, 5], [1, 1, 5, 5], [np.nan] * 4, [1, 1, 5, 5]]
    carried = carry_last(boxes, truth)
    np.testing.assert_array_equal(carried, [boxes[0], boxes[1], boxes[2], boxes[2]])


@pytest.mark.parametrize("rows", [349, 354])
def test_tiger1_run_from_its_first_frame_loses_five_rows(tmp_path, rows):
    video, boxes = otb(tmp_path, "Tiger1", 354)
    toolkit_data.write_results(tmp_path / "results", "A", {"Tiger1": boxes[-rows:]})
    video.load_tracker(tmp_path / "results", "A")
    np.testing.assert_array_equal(video.pred_trajs["A"], boxes[5:])


def test_tiger1_from_pysots_metadata_loses_them_too(tmp_path):
    boxes = toolkit_data.moving_boxes(354)
    toolkit_data.write_pysot_json(tmp_path, "OTB100", {"Tiger1": boxes[5:]})
    toolkit_data.write_results(tmp_path / "results", "A", {"Tiger1": boxes})
    video = DatasetFactory.create_dataset(name="OTB100", dataset_root=tmp_path)["Tiger1"]
    video.load_tracker(tmp_path / "results", "A")
    np.testing.assert_array_equal(video.pred_trajs["A"], boxes[5:])


@pytest.mark.parametrize("rows", [348, 350, 353])
def test_tiger1_with_any_other_number_is_an_error(tmp_path, rows):
    video, boxes = otb(tmp_path, "Tiger1", 354)
    toolkit_data.write_results(tmp_path / "results", "A", {"Tiger1": boxes[:rows]})
    with pytest.raises(ResultsError, match=f"{rows} rows, expected 349"):
        video.load_tracker(tmp_path / "results", "A")


@pytest.mark.parametrize(
    ("video_name", "frames", "file_name"),
    [("FleetFace", 707, "fleetface"), ("FaceOcc1", 892, "faceocc1"), ("Deer", 71, "deer"),
     ("Jogging-1", 307, "jogging_1"), ("Jogging-1", 307, "Jogging.1")],
)  # fmt: skip
def test_results_under_other_toolkits_names(tmp_path, video_name, frames, file_name):
    video, boxes = otb(tmp_path, video_name, frames)
    toolkit_data.write_results(tmp_path / "results", "A", {file_name: boxes})
    video.load_tracker(tmp_path / "results", "A")
    np.testing.assert_array_equal(video.pred_trajs["A"], boxes)


def test_got10k_results_lie_in_a_folder_a_sequence(tmp_path):
    toolkit_data.write_pysot_json(tmp_path, "GOT-10k", BOXES)
    toolkit_data.write_rows(tmp_path / "r" / "A" / "walk" / "walk_001.txt", BOXES["walk"])
    toolkit_data.write_results(tmp_path / "r", "B", BOXES)
    dataset = DatasetFactory.create_dataset(name="GOT-10k", dataset_root=tmp_path)
    for tracker in "AB":
        dataset["walk"].load_tracker(tmp_path / "r", tracker)
        np.testing.assert_array_equal(dataset["walk"].pred_trajs[tracker], BOXES["walk"])


def test_lasot_cuts_the_one_sequence_whose_results_run_on(tmp_path):
    sequences = {"monkey-17": BOXES["walk"], "cat-1": BOXES["walk"]}
    toolkit_data.write_pysot_json(tmp_path, "LaSOT", sequences)
    toolkit_data.write_results(tmp_path / "r", "A", {name: BOXES["run"] for name in sequences})
    dataset = DatasetFactory.create_dataset(name="LaSOT", dataset_root=tmp_path)
    assert dataset["cat-1"].absent.tolist() == [1] * 6
    dataset["monkey-17"].load_tracker(tmp_path / "r", "A")
    np.testing.assert_array_equal(dataset["monkey-17"].pred_trajs["A"], BOXES["run"][:6])
    with pytest.raises(ResultsError, match="9 rows, expected 6"):
        dataset["cat-1"].load_tracker(tmp_path / "r", "A")


RESTART = [[1.0], [2.0, 3.0, 10.0, 12.0], [2.0], [0.0], [1.0], [4.0, 5.0, 9.0, 5.0, 9.0, 8.0]]


@pytest.fixture
def restarts(tmp_path):
    toolkit_data.write_pysot_json(tmp_path / "data", "VOT2018", BOXES, tags={})
    return DatasetFactory.create_dataset(name="VOT2018", dataset_root=tmp_path / "data")["walk"]


def test_restarts_are_lists_of_repetitions_in_order(restarts, tmp_path):
    changed = [*RESTART[:1], [7.0, 3.0, 10.0, 12.0], *RESTART[2:]]
    toolkit_data.write_restarts(tmp_path, "A", "walk", [RESTART, changed, RESTART])
    assert restarts.load_tracker(tmp_path, "A", False) == [RESTART, changed, RESTART]
    restarts.load_tracker(tmp_path, "A")
    assert restarts.pred_trajs["A"][1][1][0] == 7.0


def test_restarts_in_binary_form(restarts, tmp_path):
    path = tmp_path / "A" / "baseline" / "walk" / "walk_001.bin"
    region_binary.write_binary(path, RESTART)
    assert restarts.load_tracker(tmp_path, "A", False) == [RESTART]


def test_restarts_carry_no_boxes(tmp_path):
    toolkit_data.write_pysot_json(tmp_path, "VOT2018", BOXES, tags={})
    dataset = DatasetFactory.create_dataset(name="VOT2018", dataset_root=tmp_path)
    with pytest.raises(BenchmarkError, match="in one-pass results alone"):
        dataset.carry_last_boxes()


def test_restarts_that_are_missing_or_short(restarts, tmp_path):
    assert restarts.load_tracker(tmp_path, "A", False) is None
    assert restarts.gaps["A"].endswith("A/baseline/walk/walk_001.txt")
    toolkit_data.write_restarts(tmp_path, "A", "walk", [RESTART, RESTART[:-1]])
    with pytest.raises(ResultsError, match="walk_002.txt: 5 rows, expected 6.*row 6 is missing"):
        restarts.load_tracker(tmp_path, "A")


def test_long_term_results_come_with_confidences(tmp_path):
    toolkit_data.write_pysot_json(tmp_path / "data", "VOT2018-LT", BOXES)
    video = DatasetFactory.create_dataset(
        name="VOT2018-LT", dataset_root=tmp_path / "data"
    )["walk"]  # fmt: skip
    folder = tmp_path / "A" / "longterm" / "walk"
    rows = [[1.0], *BOXES["walk"][1:].tolist()]
    toolkit_data.write_rows(folder / "walk_001.txt", rows)
    (folder / "walk_001_confidence.value").write_text("\n0.5\n0.25\n1\n0\n0.125\n")
    trajectory, confidence = video.load_tracker(tmp_path, "A")
    assert trajectory == rows and video.pred_trajs["A"] == rows
    assert np.isnan(confidence[0]) and confidence[1:] == [0.5, 0.25, 1, 0, 0.125]
    assert video.confidence["A"] is confidence
    (folder / "walk_001_confidence.value").write_text("\n0.5\n")
    with pytest.raises(ResultsError, match="confidence.value: 2 rows, expected 6"):
        video.load_tracker(tmp_path, "A")


@pytest.mark.data
def test_the_published_results_are_complete(shared):
    dataset = DatasetFactory.create_dataset(name="OTB2013", dataset_root=shared / "data/otb2013")
    gaps = dataset.load_results(
        shared / "data/results/OTB2013", ["KCF", "MEEM", "SiamFC-3s", "Struck"]
    )
    assert gaps == {"KCF": {}, "MEEM": {}, "SiamFC-3s": {}, "Struck": {}}
    for video in dataset:
        for trajectory in video.pred_trajs.values():
            assert np.abs(trajectory[0] - video.gt_traj[0]).max() <= 3  # the same start, 0-based
