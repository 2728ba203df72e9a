"""From a data set and a folder of one-pass results to scores, tables and plots."""

import json
import re

import numpy as np
import pytest
import toolkit_data as data

from dsiam_plugin.errors import BenchmarkError, ResultsError
from dsiam_plugin.evaluation.datasets import DatasetFactory
from dsiam_plugin.evaluation.reporting.evaluate import evaluate
from dsiam_plugin.evaluation.reporting.evaluation import Options, gap_lines
from dsiam_plugin.evaluation.visualization import figures

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


def test_several_runs_have_a_row_of_their_means(one_pass):
    dataset, results = one_pass
    for number, shift in enumerate((0, 3)):
        data.write_results(results, f"x_00{number}", {"slow": SEQUENCES["slow"] + [shift, 0, 0, 0]})
    trackers = ["x_000", "x_001", "off"]
    rows = {
        row[0]: row[1:] for row in evaluate(dataset, results, trackers, Options()).tables[0].rows
    }
    assert list(rows)[-1] == "x: mean of 2 runs"
    # The scores of `exact` and `off` above.
    assert rows["x: mean of 2 runs"] == pytest.approx(((20 + 12) / 42, 1.0, 0.5))


def test_the_table_says_that_boxes_were_carried(one_pass):
    dataset, results = one_pass
    dataset.carry_last_boxes()
    (table,) = evaluate(dataset, results, ["exact"], Options()).tables
    assert "Invalid rows of results count as the last valid box" in table.note


def test_attributes_stand_in_the_benchmarks_order_own_ones_last(one_pass):
    attributes = evaluate(*one_pass, ["off"], Options()).summary["trackers"]["off"]["attributes"]
    assert list(attributes) == ["IV", "FM", "zz_own"]
    assert attributes["FM"].pop("sequences") == 0
    assert np.isnan(list(attributes["FM"].values())).all()
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


def test_a_tracker_that_failed_everywhere_is_the_last_row_without_scores(
    one_pass, tmp_path, quick_files
):
    dataset, folder = one_pass
    (folder / "broken").mkdir()
    evaluation = evaluate(dataset, folder, ["broken", "exact", "off"], Options())
    assert [row[0] for row in evaluation.tables[0].rows] == ["exact", "off (1/2)", "broken (0/2)"]
    assert "| broken (0/2) |       - |" in evaluation.tables[0].text()
    lines = gap_lines(dataset, evaluation.gaps)
    assert lines[0] == "broken: no usable result for any of 2 sequences"
    assert all(path.is_file() for path in evaluation.draw(tmp_path / "plots").values())


def test_attributes_with_odd_signs_have_plots_of_their_own(tmp_path, quick_files):
    attributes = {"fast": ["a?b", "a*b"], "slow": ["a_b"]}
    data.write_annotations(tmp_path / "set", SEQUENCES, attributes)
    data.write_results(tmp_path / "results", "exact", SEQUENCES)
    dataset = DatasetFactory.create_dataset(name=str(tmp_path / "set"))
    pictures = evaluate(dataset, tmp_path / "results", ["exact"], Options()).draw(tmp_path / "p")
    assert len(set(pictures.values())) == len(pictures) == 5 + 2 * 3
    assert sorted((tmp_path / "p").glob("*.png")) == sorted(pictures.values())


def test_several_processes_give_the_same(one_pass):
    alone = evaluate(*one_pass, ["exact", "off"], Options())
    together = evaluate(*one_pass, ["exact", "off"], Options(processes=2))
    assert json.dumps(together.summary) == json.dumps(alone.summary)  # NaN is not NaN
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


@pytest.mark.parametrize(
    ("options", "message"),
    [({"eao": "vot"}, "do not know the EAO definition 'vot'"), ({"interval": (1, 2)}, "intervals")],
)
def test_what_pysots_classes_cannot_do_is_refused(tmp_path, options, message):
    with pytest.raises(BenchmarkError, match=message):
        Options(pysot_path=tmp_path, **options)
