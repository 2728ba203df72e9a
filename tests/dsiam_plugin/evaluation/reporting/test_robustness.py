"""Tables of OTB's robustness protocols."""

import pytest
import running_fakes as fakes

from dsiam_plugin.commands.eval import main
from dsiam_plugin.errors import BenchmarkError, ResultsError
from dsiam_plugin.evaluation.datasets import DatasetFactory
from dsiam_plugin.evaluation.reporting.evaluate import evaluate
from dsiam_plugin.evaluation.reporting.evaluation import Options
from dsiam_plugin.evaluation.running import TrackerSpec, run_dataset, score_robustness
from dsiam_plugin.evaluation.visualization import figures

TRACKERS = {"Still": fakes.Still, "Perfect": fakes.RedFinder}


@pytest.fixture
def runs(tmp_path):
    """Two sequences with the TRE runs of two trackers; the folder with a folder a tracker."""
    folder = fakes.make_dataset(tmp_path / "toy", (24, 20))
    dataset = DatasetFactory.create_dataset(name=str(folder))
    for name, factory in TRACKERS.items():
        spec = TrackerSpec(name, factory)
        run_dataset(dataset, spec, tmp_path / "results", protocol="TRE", num=0, progress=False)
    return dataset, tmp_path / "results" / "toy"


def test_scores_are_those_printed_after_the_run(runs, tmp_path):
    evaluation = evaluate(*runs, list(TRACKERS), Options(protocol="TRE"))
    assert list(evaluation.summary["trackers"]) == ["Perfect", "Still"]  # ranked
    assert evaluation.summary["protocol"] == "TRE"
    for name, entry in evaluation.summary["trackers"].items():
        score = score_robustness(runs[0], tmp_path / "results", name, "TRE")
        assert (entry["success"], entry["precision"]) == (
            pytest.approx(score.success),
            pytest.approx(score.precision),
        )
    assert evaluation.tables[0].title == "toy: temporal robustness (TRE)"
    assert "frames of all runs on a sequence count alike" in evaluation.tables[0].note


def test_a_sequence_without_all_its_runs_is_a_gap(runs):
    dataset, folder = runs
    (folder / "Still" / "tre" / "s0" / "s0_003.txt").unlink()
    evaluation = evaluate(dataset, folder, list(TRACKERS), Options(protocol="TRE"))
    assert evaluation.gaps["Still"]["s0"].startswith("1 of 5 runs have no result; expected ")
    assert "Still (1/2)" in evaluation.tables[0].text()
    with pytest.raises(ResultsError, match="12 of 12 runs have no result"):
        evaluate(dataset, folder, list(TRACKERS), Options(protocol="SRE"))


def test_a_sequence_with_a_start_box_alone_is_a_gap(runs):
    dataset, folder = runs
    dataset["s0"].gt_traj = dataset["s0"].gt_traj[:1]
    evaluation = evaluate(dataset, folder, list(TRACKERS), Options(protocol="TRE"))
    assert {name: list(missing) for name, missing in evaluation.gaps.items()} == dict.fromkeys(
        TRACKERS, ["s0"]
    )
    assert evaluation.gaps["Still"]["s0"].startswith("only its start box is known")


def test_the_command_writes_tables_and_plots(runs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(figures, "encode", lambda figure, form: form.encode())
    monkeypatch.chdir(tmp_path)
    assert main(["-d", "toy", "--protocol", "tre", "--trackers", "Perfect", "--vis"]) == 0
    assert "| Perfect |   0.952 |" in capsys.readouterr().out
    assert (tmp_path / "plots" / "toy_TRE" / "toy_success_ALL.png").is_file()


def test_what_does_not_go_together_is_refused(runs, tmp_path):
    with pytest.raises(BenchmarkError, match="pysot's classes do not evaluate TRE"):
        Options(protocol="TRE", pysot_path=tmp_path)
    with pytest.raises(SystemExit):
        main(["-d", "toy", "--protocol", "TRE", "--sequences", "s0"])
