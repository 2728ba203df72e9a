"""From a data set and a folder of results to scores, tables and plots."""

import math
import re

import numpy as np
import pytest
import toolkit_data as data

from toolkit.datasets import DatasetFactory
from toolkit.errors import BenchmarkError, ResultsError
from toolkit.reporting.evaluate import evaluate
from toolkit.reporting.evaluation import Options, gap_lines
from toolkit.visualization import figures

SEQUENCES = {"fast": data.moving_boxes(8, 1), "slow": data.moving_boxes(12, 2)}
ATTRIBUTES = {"fast": ["FM", "IV"], "slow": ["IV", "zz_own"]}


@pytest.fixture
def quick_files(monkeypatch):
    """Figures are drawn but not rendered, which is what takes the time."""
    monkeypatch.setattr(figures, "encode", lambda figure, form: form.encode())


@pytest.fixture
def one_pass(tmp_path):
    """Two videos; `exact` repeats the annotation, `off` is 3 px away and lacks one video."""
    data.write_annotations(tmp_path / "set", SEQUENCES, ATTRIBUTES)
    data.write_results(tmp_path / "results", "exact", SEQUENCES)
    shifted = {"slow": SEQUENCES["slow"] + [3, 0, 0, 0]}
    data.write_results(tmp_path / "results", "off", shifted)
    dataset = DatasetFactory.create_dataset(name=str(tmp_path / "set"))
    return dataset, tmp_path / "results"


@pytest.fixture
def restarts(tmp_path):
    """One video of 12 frames; `steady` never loses it, `lossy` does in frame 3."""
    boxes = SEQUENCES["slow"]
    truth = data.polygons(boxes)
    tags = {"slow": {"occlusion": [1] * 6 + [0] * 6}}
    data.write_pysot_json(tmp_path / "set", "VOT2019", {"slow": truth}, tags=tags)
    steady = [[1], *truth[1:]]
    lossy = [[1], *truth[1:3], [2], *[[0]] * 4, [1], *truth[9:]]
    results = tmp_path / "results"
    data.write_restarts(results, "steady", "slow", [steady])
    data.write_restarts(results, "lossy", "slow", [lossy])
    dataset = DatasetFactory.create_dataset(name="VOT2019", dataset_root=tmp_path / "set")
    return dataset, results


def test_one_pass_scores_are_those_of_the_json_format(one_pass):
    summary = evaluate(*one_pass, ["off", "exact"], Options()).summary
    assert list(summary) == ["dataset", "trackers"]
    assert list(summary["trackers"]) == ["exact", "off"]  # ranked
    exact = summary["trackers"]["exact"]
    assert list(exact) == [
        "success", "precision", "norm_precision", "sequences", "attributes", "videos",
    ]  # fmt: skip
    # An exact box passes every threshold but the last, 1.
    assert exact["success"] == pytest.approx(20 / 21)
    assert (exact["precision"], exact["norm_precision"], exact["sequences"]) == (1.0, 1.0, 2)
    off = summary["trackers"]["off"]
    # Shifted by 3 of 12 px: overlap 9/15, above the 12 thresholds 0 to 0.55.
    assert off["success"] == pytest.approx(12 / 21)
    assert off["sequences"] == 1
    assert off["videos"] == {
        "slow": {"success": pytest.approx(12 / 21), "precision": 1.0, "norm_precision": 0.0}
    }


def test_attributes_stand_in_the_benchmarks_order_own_ones_last(one_pass):
    attributes = evaluate(*one_pass, ["off"], Options()).summary["trackers"]["off"]["attributes"]
    assert list(attributes) == ["IV", "FM", "zz_own"]
    assert attributes["FM"] == {
        "success": None, "precision": None, "norm_precision": None, "sequences": 0,
    }  # fmt: skip
    assert attributes["IV"]["sequences"] == 1


def test_a_tracker_with_gaps_is_marked_in_every_table_and_the_gap_listed(one_pass):
    evaluation = evaluate(*one_pass, ["exact", "off"], Options())
    tables = [*evaluation.tables, *evaluation.attribute_tables, *evaluation.video_tables]
    assert len(tables) == 6
    for table in tables:
        assert "off (1/2)" in table.text()
        assert "exact (" not in table.text()
    lines = gap_lines(evaluation.dataset, evaluation.gaps)
    assert lines[0] == "off: 1 of 2 sequences; the scores are means over these"
    assert re.match(r"  fast: no result file; expected .*off/fast\.txt", lines[1])


def test_long_lists_of_gaps_are_cut_with_a_count(one_pass):
    dataset, _ = one_pass
    gaps = {"T": {f"v{i}": "gone" for i in range(2)}}
    assert gap_lines(dataset, gaps, most=1)[1:] == ["  v0: gone", "  and 1 more (-s lists all)"]
    assert len(gap_lines(dataset, gaps, most=None)) == 3


def test_damaged_files_are_listed_before_missing_ones(one_pass):
    dataset, folder = one_pass
    (folder / "exact" / "fast.txt").unlink()
    (folder / "exact" / "slow.txt").write_text("1,2,x,4\n")
    data.write_results(folder, "whole", SEQUENCES)
    gaps = evaluate(dataset, folder, ["exact", "whole"], Options()).gaps
    assert re.search(r"slow\.txt:1: ", gap_lines(dataset, gaps, most=1)[1])


def test_a_damaged_file_is_a_gap_with_its_row(one_pass):
    dataset, folder = one_pass
    (folder / "exact" / "fast.txt").write_text("1,2,3,4\n1,2,x,4\n")
    gaps = evaluate(dataset, folder, ["exact", "off"], Options()).gaps
    assert re.search(r"fast\.txt:2: ", gaps["exact"]["fast"])


def test_results_of_nothing_are_refused(one_pass):
    dataset, folder = one_pass
    (folder / "empty").mkdir()
    with pytest.raises(ResultsError, match="no tracker in .* has a result for any sequence of set"):
        evaluate(dataset, folder, ["empty"], Options())


def test_several_processes_give_the_same(one_pass):
    alone = evaluate(*one_pass, ["exact", "off"], Options())
    together = evaluate(*one_pass, ["exact", "off"], Options(processes=2))
    assert together.summary == alone.summary
    assert together.gaps == alone.gaps


def test_plots_are_written_for_the_set_the_overview_and_each_attribute(
    one_pass, tmp_path, quick_files
):
    pictures = evaluate(*one_pass, ["exact", "off"], Options()).draw(tmp_path / "plots")
    assert list(pictures)[:5] == [
        "Success, ALL",
        "Precision, ALL",
        "Norm precision, ALL",
        "Attributes, bars",
        "Attributes, radar",
    ]
    assert len(pictures) == 5 + 2 * 3
    for path in pictures.values():
        assert path.read_bytes() == b"png"
        assert path.with_suffix(".pdf").read_bytes() == b"pdf"


def test_many_trackers_share_several_tables_of_videos(tmp_path):
    data.write_annotations(tmp_path / "set", SEQUENCES)
    names = [f"t{i:02d}" for i in range(15)]
    for name in names:
        data.write_results(tmp_path / "results", name, SEQUENCES)
    dataset = DatasetFactory.create_dataset(name=str(tmp_path / "set"))
    evaluation = evaluate(dataset, tmp_path / "results", names, Options())
    assert [len(table.columns) for table in evaluation.video_tables] == [9, 8, 9, 8]
    assert evaluation.attribute_tables == []


def test_restarts_are_scored_by_accuracy_losses_and_eao(restarts):
    evaluation = evaluate(*restarts, ["lossy", "steady"], Options())
    summary = evaluation.summary
    assert (summary["dataset"], summary["eao_definition"]) == ("VOT2019", "pysot")
    steady, lossy = (summary["trackers"][name] for name in ("steady", "lossy"))
    assert steady["accuracy"] == pytest.approx(1.0)
    assert (steady["lost"], lossy["lost"]) == (0, 1)
    assert lossy["robustness"] == pytest.approx(100 / 12)
    assert math.isnan(steady["fps"])
    assert set(steady["attributes"]) >= {"occlusion", "empty"}
    assert "EAO: pysot's definition, runs of 46 to 291 frames" in evaluation.tables[0].text()


def test_the_other_definition_of_eao_has_no_tags_and_is_named(restarts):
    evaluation = evaluate(*restarts, ["steady"], Options(eao="vot"))
    assert evaluation.summary["eao_definition"] == "vot"
    assert evaluation.attribute_tables == []
    assert "the VOT toolkit's supervised_eao_score" in evaluation.tables[0].text()


def test_speed_is_frames_by_seconds_and_efo_by_the_filters_time(restarts):
    dataset, folder = restarts
    times = folder / "steady" / "baseline" / "slow" / "slow_time.txt"
    times.write_text("0\n" + "0.050000\n" * 11)
    table = evaluate(dataset, folder, ["steady"], Options()).tables[0]
    assert (table.columns[-1], table.rows[0][-1]) == ("Speed (fps)", pytest.approx(20.0))
    table = evaluate(dataset, folder, ["steady"], Options(filter_seconds=0.2)).tables[0]
    assert (table.columns[-1], table.rows[0][-1]) == ("Speed (EFO)", pytest.approx(4.0))


def test_trackers_are_ranked_among_the_published_ones_of_vot2015(tmp_path):
    boxes = data.polygons(data.moving_boxes(120, 3))
    sequences = {f"walk{i}": boxes for i in range(60)}
    data.write_pysot_json(tmp_path / "set", "VOT2015", sequences, tags={})
    for name in sequences:
        data.write_restarts(tmp_path / "results", "Ours", name, [[[1], *boxes[1:]]])
    times = tmp_path / "results" / "Ours" / "baseline" / "walk0" / "walk0_time.txt"
    times.write_text("0.1\n" * 120)
    dataset = DatasetFactory.create_dataset(name="VOT2015", dataset_root=tmp_path / "set")
    table = evaluate(dataset, tmp_path / "results", ["Ours"], Options()).video_tables[0]
    assert len(table.rows) == 63
    assert table.rows[0][:4] == ("Ours", 1, pytest.approx(1.0), 0.0)
    assert table.rows[0][5] is None  # frames a second are not EFO
    assert table.rows[1] == ("MDNet (published)", 2, 0.60, 0.69, 0.38, 0.87)
    efo = evaluate(dataset, tmp_path / "results", ["Ours"], Options(filter_seconds=0.5))
    assert efo.video_tables[0].rows[0][5] == pytest.approx(5.0)


def test_a_part_of_vot2015_is_not_ranked_among_the_published_trackers(tmp_path):
    boxes = data.polygons(data.moving_boxes(120, 3))
    data.write_pysot_json(tmp_path / "set", "VOT2015", {"walk": boxes}, tags={})
    data.write_restarts(tmp_path / "results", "Ours", "walk", [[[1], *boxes[1:]]])
    dataset = DatasetFactory.create_dataset(name="VOT2015", dataset_root=tmp_path / "set")
    evaluation = evaluate(dataset, tmp_path / "results", ["Ours"], Options())
    assert evaluation.tables[0].title == "VOT2015 (1 of 60 sequences): restarts"
    assert not any("published" in table.text() for table in evaluation.video_tables)


def test_restart_plots_are_written(restarts, tmp_path, quick_files):
    boxes = data.polygons(data.moving_boxes(60, 3))
    data.write_pysot_json(tmp_path / "long", "VOT2019", {"walk": boxes}, tags={})
    _, folder = restarts
    data.write_restarts(folder, "steady", "walk", [[[1], *boxes[1:]]])
    (folder / "steady" / "baseline" / "walk" / "walk_time.value").write_text("0.1\n" * 60)
    dataset = DatasetFactory.create_dataset(name="VOT2019", dataset_root=tmp_path / "long")
    evaluation = evaluate(dataset, folder, ["steady", "lossy"], Options())
    pictures = evaluation.draw(tmp_path / "plots")
    assert list(pictures) == ["EAO curve", "EAO ranking", "EAO by attribute", "Speed"]
    assert all(path.is_file() for path in pictures.values())


@pytest.fixture
def no_interval(tmp_path):
    """A challenge that defined no EAO interval, with a tracker that loses nothing and another."""
    boxes = data.polygons(data.moving_boxes(60, 3))
    data.write_pysot_json(tmp_path / "set", "VOT2014", {"walk": boxes}, tags={})
    data.write_restarts(tmp_path / "results", "steady", "walk", [[[1], *boxes[1:]]])
    data.write_restarts(
        tmp_path / "results", "lossy", "walk", [[[1], *(boxes[1:59] + [3, 0] * 4), [2]]]
    )
    (tmp_path / "results" / "steady" / "baseline" / "walk" / "walk_time.txt").write_text("0.1\n")
    dataset = DatasetFactory.create_dataset(name="VOT2014", dataset_root=tmp_path / "set")
    return dataset, tmp_path / "results"


def test_without_an_interval_the_eao_alone_is_missing(no_interval, tmp_path, quick_files):
    evaluation = evaluate(*no_interval, ["lossy", "steady"], Options())
    (table,) = evaluation.tables
    assert [row[0] for row in table.rows] == ["steady", "lossy"]  # by accuracy
    assert table.rows[0][1] == pytest.approx(1.0)
    assert [row[3] for row in table.rows] == [0, 1]
    assert [table.cell(row[4]) for row in table.rows] == ["-", "-"]
    assert table.note == (
        "EAO: no interval of run lengths is defined for VOT2014; "
        "name one: --eao_interval LOW HIGH"
    )  # fmt: skip
    assert evaluation.attribute_tables == []
    assert list(evaluation.draw(tmp_path / "plots")) == ["Speed"]


def test_an_interval_can_be_named(no_interval):
    table = evaluate(*no_interval, ["steady"], Options(interval=(10, 50))).tables[0]
    assert table.rows[0][4] == pytest.approx(1.0)
    assert "runs of 10 to 50 frames" in table.note


def test_runs_too_short_for_an_eao_leave_its_plots_out(restarts, tmp_path, quick_files):
    evaluation = evaluate(*restarts, ["steady", "lossy"], Options())
    assert math.isnan(evaluation.summary["trackers"]["steady"]["eao"])
    assert list(evaluation.draw(tmp_path / "plots")) == ["EAO curve"]


def test_a_restart_trajectory_misses_from_a_loss_to_the_next_start(restarts):
    evaluation = evaluate(*restarts, ["lossy"], Options())
    regions, overlaps = evaluation.trajectory("lossy", "slow")
    assert len(regions) == 12
    np.testing.assert_allclose(overlaps, [1] * 3 + [0] * 5 + [1] * 4)


def test_long_term_results_are_ranked_by_f1(tmp_path, quick_files):
    truth = SEQUENCES["slow"].tolist() * 20
    data.write_pysot_json(tmp_path / "set", "VOT2018-LT", {"slow": truth}, tags={})
    for name, shift in (("near", 1.0), ("far", 5.0)):
        folder = tmp_path / "results" / name / "longterm" / "slow"
        rows = [[1.0], *(np.array(truth[1:]) + [shift, 0, 0, 0])]
        data.write_rows(folder / "slow_001.txt", rows)
        data.write_rows(
            folder / "slow_001_confidence.value", np.linspace(0.1, 1, len(truth))[:, None]
        )
    dataset = DatasetFactory.create_dataset(name="VOT2018-LT", dataset_root=tmp_path / "set")
    evaluation = evaluate(dataset, tmp_path / "results", ["far", "near"], Options())
    scores = evaluation.summary["trackers"]
    assert list(scores) == ["near", "far"]
    # All but the first frame are 1 px off. A side of 12 covers 13 pixels, so 12 of 14 are shared.
    assert scores["near"]["recall"] == pytest.approx(12 / 14 * (len(truth) - 1) / len(truth))
    assert scores["near"]["videos"]["slow"]["f1"] == pytest.approx(scores["near"]["f1"])
    assert evaluation.draw(tmp_path / "plots")["Precision over recall"].is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [({"eao": "vot"}, "do not know the EAO definition 'vot'"), ({"interval": (1, 2)}, "intervals")],
)
def test_what_pysots_classes_cannot_do_is_refused(tmp_path, options, message):
    with pytest.raises(BenchmarkError, match=message):
        Options(pysot_path=tmp_path, **options)
