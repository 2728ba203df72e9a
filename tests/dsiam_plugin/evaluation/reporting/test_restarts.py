"""Evaluation of restart and long-term runs: scores, tables and plots."""

import math

import numpy as np
import pytest
import toolkit_data as data

from dsiam_plugin.evaluation.datasets import DatasetFactory
from dsiam_plugin.evaluation.reporting.evaluate import evaluate
from dsiam_plugin.evaluation.reporting.evaluation import Options
from dsiam_plugin.evaluation.visualization import figures
from dsiam_plugin.evaluation.visualization.published import PublishedScore

BOXES = data.moving_boxes(12, 2)


@pytest.fixture
def quick_files(monkeypatch):
    """Figures are drawn but not rendered, which is what takes the time."""
    monkeypatch.setattr(figures, "encode", lambda figure, form: form.encode())


@pytest.fixture
def restarts(tmp_path):
    """One video of 12 frames; `steady` never loses it, `lossy` does in frame 3."""
    boxes = BOXES
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
    field = (PublishedScore("Best", 0.9, 0.1, 1.1, 2.0), PublishedScore("Last", 0.1, 9.0, 0.1, 1.0))
    given = evaluate(dataset, tmp_path / "results", ["Ours"], Options(field=field))
    names = [row[0] for row in given.video_tables[0].rows]
    assert names == ["Best (published)", "Ours", "Last (published)"]


def test_restart_plots_are_written(restarts, tmp_path, quick_files):
    boxes = data.polygons(data.moving_boxes(60, 3))
    data.write_pysot_json(tmp_path / "long", "VOT2019", {"walk": boxes}, tags={})
    _, folder = restarts
    data.write_restarts(folder, "steady", "walk", [[[1], *boxes[1:]]])
    (folder / "steady" / "baseline" / "walk" / "walk_time.value").write_text("0.1\n" * 60)
    dataset = DatasetFactory.create_dataset(name="VOT2019", dataset_root=tmp_path / "long")
    # The second one has no result for any sequence.
    evaluation = evaluate(dataset, folder, ["lossy", "steady"], Options())
    assert [row[0] for row in evaluation.tables[0].rows] == ["steady", "lossy (0/1)"]
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


def test_a_loss_without_a_start_is_a_gap_of_the_vot_definition(no_interval):
    dataset, folder = no_interval
    boxes = data.polygons(data.moving_boxes(60, 3))
    data.write_restarts(folder, "odd", "walk", [[[2], *boxes[1:]]])
    options = Options(eao="vot", interval=(10, 50))
    evaluation = evaluate(dataset, folder, ["odd", "steady"], options)
    assert [row[0] for row in evaluation.tables[0].rows] == ["steady", "odd (0/1)"]
    assert "walk: 1 losses (code 2) but 0 starts" in evaluation.gaps["odd"]["walk"]


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
    truth = BOXES.tolist() * 20
    data.write_pysot_json(tmp_path / "set", "VOT2018-LT", {"slow": truth}, tags={})
    for name, shift in (("near", 1.0), ("far", 5.0)):
        folder = tmp_path / "results" / name / "longterm" / "slow"
        rows = [[1.0], *(np.array(truth[1:]) + [shift, 0, 0, 0])]
        data.write_rows(folder / "slow_001.txt", rows)
        data.write_rows(
            folder / "slow_001_confidence.value", np.linspace(0.1, 1, len(truth))[:, None]
        )
    dataset = DatasetFactory.create_dataset(name="VOT2018-LT", dataset_root=tmp_path / "set")
    (tmp_path / "results" / "broken").mkdir()
    silent = tmp_path / "results" / "silent" / "longterm" / "slow"
    data.write_rows(silent / "slow_001.txt", rows)
    data.write_rows(silent / "slow_001_confidence.value", np.full((len(truth), 1), np.nan))
    names = ["broken", "far", "near", "silent"]
    evaluation = evaluate(dataset, tmp_path / "results", names, Options())
    scores = evaluation.summary["trackers"]
    assert list(scores) == ["near", "far", "broken", "silent"]
    assert [row[0] for row in evaluation.tables[0].rows[2:]] == ["broken (0/1)", "silent (0/1)"]
    assert "0 confidences, expected at least 98" in evaluation.gaps["silent"]["slow"]
    # All but the first frame are 1 px off. A side of 12 covers 13 pixels, so 12 of 14 are shared.
    assert scores["near"]["recall"] == pytest.approx(12 / 14 * (len(truth) - 1) / len(truth))
    assert scores["near"]["videos"]["slow"]["f1"] == pytest.approx(scores["near"]["f1"])
    assert evaluation.draw(tmp_path / "plots")["Precision over recall"].is_file()
