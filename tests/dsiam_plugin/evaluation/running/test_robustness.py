"""Scores of the robustness protocols, worked out by hand."""

import pytest
import running_fakes as fakes

from dsiam_plugin.errors import BenchmarkError, ResultsError
from dsiam_plugin.evaluation.datasets import DatasetFactory
from dsiam_plugin.evaluation.running import TrackerSpec, run_dataset, score_robustness

PERFECT = TrackerSpec("Perfect", fakes.RedFinder)


@pytest.fixture
def dataset(tmp_path):
    return DatasetFactory.create_dataset(name=str(fakes.make_dataset(tmp_path / "toy", (24, 20))))


def run(dataset, tracker, results, **options):
    run_dataset(dataset, tracker, results, num=0, progress=False, **options)


def test_a_perfect_tracker(dataset, tmp_path):
    run(dataset, PERFECT, tmp_path / "results", protocol="TRE")
    score = score_robustness(dataset, tmp_path / "results", "Perfect", "TRE")
    # Overlap 1 exceeds the thresholds 0 to 0.95, 20 of 21; starts 0 to 4 of 24 frames and one
    # of 20 frames.
    assert score.success == pytest.approx(20 / 21)
    assert score.precision == 1
    assert (score.runs, score.planned) == (6, 6)


def test_frames_of_a_sequence_are_pooled_and_sequences_averaged(dataset, tmp_path):
    """A still tracker hits the first frame of each run and, with 1 px a frame, 14 more."""
    run(dataset, TrackerSpec("Still", fakes.Still), tmp_path / "results", protocol="TRE")
    score = score_robustness(dataset, tmp_path / "results", "Still", "TRE")
    # The centre is sqrt(2) k off after k frames: within 20 px up to k = 14.
    lengths = [24, 23, 22, 21, 20]
    assert score.precision == pytest.approx((5 * 15 / sum(lengths) + 15 / 20) / 2)


def test_gaps_are_counted(dataset, tmp_path):
    run(dataset, PERFECT, tmp_path / "results", protocol="SRE", sequences=["s0"])
    score = score_robustness(dataset, tmp_path / "results", "Perfect", "SRE")
    assert (score.runs, score.planned) == (12, 24)


def test_short_results_are_refused(dataset, tmp_path):
    run(dataset, PERFECT, tmp_path / "results", protocol="SRE", sequences=["s0"])
    (tmp_path / "results/toy/Perfect/sre/s0/s0_003.txt").write_text("1,2,3,4\n")
    with pytest.raises(ResultsError, match=r"s0_003\.txt: 1 rows, expected 24"):
        score_robustness(dataset, tmp_path / "results", "Perfect", "SRE")


def test_nothing_to_score(dataset, tmp_path):
    with pytest.raises(ResultsError, match="no results of TRE"):
        score_robustness(dataset, tmp_path, "Perfect", "TRE")
    with pytest.raises(BenchmarkError, match="OPE is not scored here, expected TRE or SRE"):
        score_robustness(dataset, tmp_path, "Perfect", "OPE")
