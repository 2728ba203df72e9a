import math

import numpy as np
import pytest
from evaluation_data import StubDataset, StubVideo

from dsiam_plugin.errors import BenchmarkError
from dsiam_plugin.evaluation.measures import F1Benchmark
from dsiam_plugin.evaluation.measures.longterm_metrics import (
    confidence_thresholds,
    f_measure,
    precision_recall,
)
from dsiam_plugin.evaluation.measures.summary import f1_scores

BOX = [10.0, 10.0, 20.0, 20.0]


def slow_precision_recall(overlaps, scores, threshold, visible):
    known = [(0.0 if math.isnan(o) else o, 0.0 if math.isnan(s) else s)
             for o, s in zip(overlaps, scores, strict=True)]  # fmt: skip
    reported = [o for o, s in known if (s > 0 if threshold == -math.inf else s >= threshold)]
    if not reported:
        return 1.0, 0.0
    return sum(reported) / len(reported), sum(reported) / visible


@pytest.mark.parametrize("seed", range(8))
def test_precision_and_recall_equal_a_loop(seed):
    rng = np.random.default_rng(seed)
    overlaps, scores = rng.uniform(0, 1, 50), np.round(rng.normal(0, 1, 50), 1)
    overlaps[rng.integers(0, 50, 5)] = math.nan
    scores[rng.integers(0, 50, 5)] = math.nan
    thresholds = np.array([math.inf, 1.0, 0.3, 0.0, -0.2, -math.inf])
    got = precision_recall(overlaps, scores, thresholds, 40)
    expected = [slow_precision_recall(overlaps, scores, t, 40) for t in thresholds]
    np.testing.assert_allclose(np.transpose(got), expected, atol=1e-12)


def test_thresholds_cut_the_confidences_into_equal_shares():
    thresholds = confidence_thresholds(np.append(np.arange(980.0), math.nan))
    assert len(thresholds) == 100
    assert (thresholds[0], thresholds[-1]) == (-math.inf, math.inf)
    # 98 between the ends, ten confidences apart: from the 10th smallest to the 10th largest.
    assert (thresholds[1], thresholds[98]) == (9.0, 970.0)
    assert set(np.diff(thresholds[1:99])) <= {9.0, 10.0}


def test_too_few_confidences_are_refused():
    with pytest.raises(BenchmarkError, match="97 confidences, expected at least 98"):
        confidence_thresholds(np.arange(97.0))


def test_f_measure_of_nothing_found_is_zero():
    np.testing.assert_allclose(f_measure(np.array([0.0, 0.5]), np.array([0.0, 0.5])), [0, 0.5])


@pytest.fixture
def dataset():
    """Two sequences of 60 frames; the target leaves for the last 20 of each."""
    truth = [BOX] * 40 + [[0]] * 20
    videos = [StubVideo(name, truth) for name in ("a", "b")]
    confidence = [math.nan, *np.linspace(1, 0.5, 39), *np.linspace(0.2, 0.1, 20)]
    for video in videos:
        video.pred_trajs["good"] = [[1], *[BOX] * 59]
        video.confidence["good"] = confidence
    return StubDataset("VOT2018-LT", videos, ["good"])


def test_a_confident_tracker_finds_all_it_reports(dataset):
    result = F1Benchmark(dataset).eval()["good"]
    assert set(result) == {"precision", "recall", "f1"}
    assert result["precision"]["a"].shape == (100,)
    precision, recall, f1 = f1_scores(result)
    # 39 of the 40 visible frames are reported (the first is given), each with overlap 1.
    assert (precision, recall) == (pytest.approx(1.0), pytest.approx(39 / 40))
    assert f1 == pytest.approx(2 * 39 / 40 / (1 + 39 / 40))


def test_reporting_frames_without_target_costs_precision(dataset):
    lowest = F1Benchmark(dataset).eval()["good"]["precision"]["a"][-1]
    assert lowest == pytest.approx(39 / 59)


def test_gaps_are_marked(dataset, capsys):
    dataset["b"].confidence["good"] = [0.5] * 10
    benchmark = F1Benchmark(dataset)
    video_a = dataset["a"]
    video_a.gt_traj, video_a.pred_trajs["good"] = video_a.gt_traj * 2, [[1], *[BOX] * 119]
    video_a.confidence["good"] = [math.nan, *np.linspace(1, 0, 119)]
    benchmark.show_result(benchmark.eval(), show_video_level=True)
    printed = capsys.readouterr().out
    assert "good (1/2)" in printed
    assert benchmark.coverage("good").gaps == {"b": "b: 10 confidences for 60 regions"}
