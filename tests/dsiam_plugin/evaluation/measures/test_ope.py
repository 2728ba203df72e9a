import logging
import math

import numpy as np
import pytest
from evaluation_data import StubDataset, StubVideo

from dsiam_plugin.evaluation.datasets import DatasetFactory
from dsiam_plugin.evaluation.measures import OPEBenchmark
from dsiam_plugin.evaluation.measures.summary import (
    one_pass_entry,
    precision_score,
    success_score,
)

TRUTH = [[10.0, 10, 20, 20]] * 4
SHIFTED = [[20.0, 10, 20, 20]] * 4  # overlap 1/3, 10 px or half a width off
PUBLISHED = {
    "SiamFC-3s": (0.607, 0.809),
    "MEEM": (0.575, 0.844),
    "Struck": (0.474, 0.641),
    "KCF": (0.514, 0.740),
}


@pytest.fixture
def dataset():
    videos = [
        StubVideo("a", TRUTH, exact=TRUTH, shifted=SHIFTED),
        StubVideo("b", TRUTH, exact=TRUTH, shifted=TRUTH),
        StubVideo("c", TRUTH, exact=TRUTH),
    ]
    attr = {"ALL": ["a", "b", "c"], "FM": ["a", "c"], "OV": ["c"]}
    return StubDataset("OTB2013", videos, ["shifted", "exact"], attr)


def evaluate(dataset):
    benchmark = OPEBenchmark(dataset)
    return benchmark.eval_success(), benchmark.eval_precision(), benchmark.eval_norm_precision()


def entry(dataset, tracker):
    measures = ("success", "precision", "norm_precision")
    curves = zip(measures, evaluate(dataset), strict=True)
    return one_pass_entry(dataset, {measure: found[tracker] for measure, found in curves})


def test_results_have_pysots_shape(dataset):
    success, precision, norm = evaluate(dataset)
    assert list(success) == ["shifted", "exact"]
    assert success["exact"]["a"].shape == (21,)
    assert precision["exact"]["a"].shape == norm["exact"]["a"].shape == (51,)
    np.testing.assert_allclose(success["shifted"]["a"], [1.0] * 7 + [0.0] * 14)
    np.testing.assert_allclose(precision["shifted"]["a"], [0.0] * 10 + [1.0] * 41)
    assert not norm["shifted"]["a"][:50].any()
    # What scripts written for pysot compute from it.
    assert np.mean(list(success["exact"].values())) == pytest.approx(20 / 21)


def test_centres_are_converted_as_by_pysots_class(dataset):
    benchmark, boxes = OPEBenchmark(dataset), np.array([[10.0, 20, 5, 9]])
    np.testing.assert_allclose(benchmark.convert_bb_to_center(boxes), [[12, 24]])
    sizes = np.array([[4.0, 8.0]])
    np.testing.assert_allclose(benchmark.convert_bb_to_norm_center(boxes, sizes), [[3, 3]])


def test_one_tracker_may_be_named_by_a_string(dataset):
    assert list(OPEBenchmark(dataset).eval_success("exact")) == ["exact"]


def test_a_missing_sequence_is_left_out_listed_and_marked(dataset, capsys):
    benchmark = OPEBenchmark(dataset)
    success, precision = benchmark.eval_success(), benchmark.eval_precision()
    assert sorted(success["shifted"]) == ["a", "b"]
    coverage = benchmark.coverage("shifted")
    assert (coverage.label, coverage.complete) == ("2/3", False)
    assert coverage.gaps == {"c": "c: no result of shifted"}
    benchmark.show_result(success, precision, show_video_level=True)
    printed = capsys.readouterr().out
    assert "| shifted (2/3) |" in printed
    assert "shifted has no usable result for c" in printed
    rows = [line.split("|")[2:4] for line in printed.splitlines() if line.startswith("| c")]
    shown = [[cell.strip() for cell in row] for row in rows]
    assert shown == [["0.952", "-"], ["1.000", "-"]]


@pytest.mark.parametrize("rows", [0, 3, 5])
def test_a_result_of_the_wrong_length_is_a_gap_and_no_silent_mean(dataset, rows):
    dataset["b"].pred_trajs["exact"] = (TRUTH * 2)[:rows]
    benchmark = OPEBenchmark(dataset)
    assert sorted(benchmark.eval_success("exact")["exact"]) == ["a", "c"]
    assert "b" in benchmark.coverage("exact").gaps


def test_frames_without_target_are_taken_out_but_counted(dataset):
    video = dataset["a"]
    video.absent = np.array([1, 1, 0, 1])  # pysot's flag: 1 where the target is there
    success = OPEBenchmark(dataset).eval_success("exact")["exact"]["a"]
    np.testing.assert_allclose(success[:20], 0.75)


def test_the_table_is_sorted_and_shows_what_it_has(dataset, capsys):
    benchmark = OPEBenchmark(dataset)
    benchmark.show_result(benchmark.eval_success())
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert [row.split("|")[1].strip() for row in rows[1:]] == ["exact", "shifted (2/3)"]
    assert [cell.strip() for cell in rows[1].split("|")[2:5]] == ["0.952", "-", "-"]


def test_a_tracker_without_any_result_has_no_score(dataset, capsys):
    dataset.tracker_names = ["nobody"]
    success, precision, norm = evaluate(dataset)
    assert success == {"nobody": {}}
    assert math.isnan(success_score(success["nobody"]))
    assert math.isnan(precision_score(precision["nobody"]))
    OPEBenchmark(dataset).show_result(success, precision, norm)
    assert "nobody (0/3)" in capsys.readouterr().out
    scores = entry(dataset, "nobody")
    assert math.isnan(scores["success"]) and scores["sequences"] == 0


def test_attributes_average_their_own_sequences(dataset):
    video = dataset["a"]
    video.pred_trajs["exact"] = [[500.0, 500, 20, 20]] * 4
    scores = entry(dataset, "exact")["attributes"]
    assert list(scores) == ["FM", "OV"]
    assert scores["FM"]["sequences"] == 2
    assert scores["FM"]["success"] == pytest.approx(10 / 21)
    assert scores["OV"] == {
        "success": pytest.approx(20 / 21), "precision": 1.0, "norm_precision": 1.0, "sequences": 1,
    }  # fmt: skip


def test_an_entry_holds_the_scores_of_the_whole_of_attributes_and_of_sequences(dataset):
    shifted = entry(dataset, "shifted")
    assert shifted["sequences"] == 2
    assert sorted(shifted["videos"]) == ["a", "b"]
    assert shifted["videos"]["a"] == {
        "success": pytest.approx(1 / 3), "precision": 1.0, "norm_precision": 0.0,
    }  # fmt: skip
    assert shifted["success"] == pytest.approx((1 / 3 + 20 / 21) / 2)
    assert shifted["attributes"]["OV"].pop("sequences") == 0
    assert np.isnan(list(shifted["attributes"]["OV"].values())).all()


def test_damaged_files_are_gaps_with_their_row(otb_folder):
    benchmark = OPEBenchmark(otb_folder)
    assert benchmark.eval_success() == {"good": {}}
    assert "Boy.txt:2" in benchmark.coverage("good").gaps["Boy"]


@pytest.fixture
def otb_folder(tmp_path, caplog):
    """A data set of two annotated frames with a result whose second row is blank."""
    caplog.set_level(logging.ERROR)
    frames = tmp_path / "data" / "Boy" / "img"
    frames.mkdir(parents=True)
    for number in (1, 2):
        (frames / f"{number:04d}.jpg").touch()
    (frames.parent / "groundtruth_rect.txt").write_text("1,1,10,10\n" * 2)
    results = tmp_path / "results" / "good"
    results.mkdir(parents=True)
    (results / "Boy.txt").write_text("0,0,10,10\n\n0,0,10,10\n")
    dataset = DatasetFactory.create_dataset(name=str(tmp_path / "data"))
    dataset.set_tracker(tmp_path / "results", ["good"])
    return dataset


@pytest.mark.data
def test_published_scores_on_otb2013(shared):
    dataset = DatasetFactory.create_dataset(
        name="OTB2013", dataset_root=shared / "data" / "otb2013"
    )
    dataset.load_results(shared / "data" / "results" / "OTB2013", list(PUBLISHED))
    success, precision, _ = evaluate(dataset)
    for tracker, (auc, at_20_px) in PUBLISHED.items():
        assert success_score(success[tracker]) == pytest.approx(auc, abs=1e-3)
        assert precision_score(precision[tracker]) == pytest.approx(at_20_px, abs=1e-3)
    attributes = entry(dataset, "KCF")["attributes"]
    sizes = {name: scores["sequences"] for name, scores in attributes.items()}
    assert sizes == {
        "IV": 25, "OPR": 39, "SV": 28, "OCC": 29, "DEF": 19, "MB": 12, "FM": 17, "IPR": 31,
        "OV": 6, "BC": 21, "LR": 4,
    }  # fmt: skip
