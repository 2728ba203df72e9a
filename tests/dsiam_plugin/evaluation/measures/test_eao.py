import math
from types import SimpleNamespace

import numpy as np
import pytest
from evaluation_data import OfficialRun, StubDataset, StubVideo, make_dataset, official_region

from dsiam_plugin.errors import BenchmarkError, ResultsError
from dsiam_plugin.evaluation.datasets import DatasetFactory
from dsiam_plugin.evaluation.measures import EAOBenchmark
from dsiam_plugin.evaluation.measures.regions import Regions, region_overlaps
from dsiam_plugin.evaluation.measures.restart_metrics import (
    Fragment,
    expected_overlaps,
    vot_fragments,
)


def slow_pysot(dataset, tag, low, high, skipping=5):
    """The definition as a table of fragments, averaged length by length."""
    rows, weights = [], []
    longest = max(len(video.gt_traj) for video in dataset)
    for video in dataset:
        frames = len(video.gt_traj)
        for run in video.pred_trajs["tracker"]:
            overlaps = region_overlaps(
                Regions.pack(run), Regions.pack(video.gt_traj), (video.width - 1, video.height - 1)
            )
            lost = [frame for frame, region in enumerate(run) if region == [2]]
            points = [0] + [frame + skipping for frame in lost if frame + skipping <= frames]
            for number, point in enumerate(points):
                final = number == len(points) - 1
                part = overlaps[point:] if final else overlaps[point : points[number + 1] + 1]
                row = [math.nan] * longest if final else [0.0] * longest
                row[: len(part)] = [0.0 if math.isnan(value) else value for value in part]
                rows.append(row)
                flags = video.tags[tag]
                flags = flags if tag == "empty" else flags[point : point + len(part)]
                weights.append(sum(flags) / len(part) if len(part) else 0.0)
    curve = []
    for length in range(1, longest):
        known = [n for n, row in enumerate(rows) if not math.isnan(row[length])]
        total = sum(weights[n] for n in known)
        mean = sum(weights[n] * sum(rows[n][1 : length + 1]) / length for n in known)
        curve.append(mean / total if total else math.nan)
    return np.nanmean(([1.0] + curve)[low - 1 : high])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("tag", ["all", "camera_motion", "empty"])
def test_pysot_definition_equals_the_quadratic_table(seed, tag):
    dataset = make_dataset(seed)
    for low in (1, 3):
        benchmark = EAOBenchmark(dataset, tags=["all", tag], low=low, high=40)
        got = benchmark.eval("tracker")["tracker"][tag]
        assert got == pytest.approx(slow_pysot(dataset, tag, low, 40), abs=1e-12)


def official_score(dataset, low, high):
    from vot.analysis.supervised import EAOCurve

    sequences = [
        SimpleNamespace(
            runs=[OfficialRun(run) for run in video.pred_trajs["tracker"]],
            groundtruth=lambda truth=video.gt_traj: [official_region(region) for region in truth],
            size=(video.width, video.height),
        )
        for video in dataset
    ]
    experiment = SimpleNamespace(gather=lambda _tracker, sequence: sequence.runs)
    (curve,) = EAOCurve().subcompute(experiment, None, sequences, [])
    return float(np.mean(curve[low : high + 1]))


@pytest.mark.parametrize(
    ("seed", "options"),
    [
        (0, {}),
        (1, {"losses": 1}),  # never lost
        (2, {"repetitions": 15, "videos": 3}),
        (3, {"frames": (2, 8), "losses": 4}),  # shorter than a restart takes
        (4, {"videos": 1, "repetitions": 1, "losses": 6}),
    ],
)
def test_vot_definition_equals_the_vot_toolkit(seed, options):
    pytest.importorskip("vot.analysis.supervised", exc_type=ImportError)
    dataset = make_dataset(seed, **options)
    benchmark = EAOBenchmark(dataset, definition="vot", low=2, high=45)
    got = benchmark.eval("tracker")["tracker"]["all"]
    assert got == pytest.approx(official_score(dataset, 2, 45), abs=1e-6)


def test_a_hand_worked_curve():
    lost = Fragment(0, np.array([1.0, 0.8, 0.6]), failed=True)
    ended = Fragment(0, np.array([1.0, 1.0]), failed=False)
    curve = expected_overlaps([lost, ended], np.array([1.0, 3.0]), 5)
    # Length 1: (0.8 + 3 x 1.0) / 4. From 2 on only the lost fragment is known: 1.4 / length.
    np.testing.assert_allclose(curve, [1.0, 0.95, 0.7, 1.4 / 3, 0.35])


def test_lengths_that_no_fragment_reaches_are_unknown():
    ended = Fragment(0, np.array([1.0, 1.0]), failed=False)
    np.testing.assert_array_equal(
        expected_overlaps([ended], np.ones(1), 4), [1.0, 1.0, math.nan, math.nan]
    )


def test_the_two_definitions_treat_a_loss_at_the_very_end_differently():
    truth = [[10.0, 10, 20, 10, 20, 20, 10, 20]] * 12
    run = [[1], *truth[1:10], [2], [0]]
    dataset = StubDataset("VOT2018", [StubVideo("v", truth, tracker=[run])], ["tracker"])
    pysot = EAOBenchmark(dataset, low=2, high=12).eval()["tracker"]["all"]
    vot = EAOBenchmark(dataset, definition="vot", low=1, high=11).eval()["tracker"]["all"]
    # Nine frames of overlap 1, then nothing: pysot's fragment has all 12 frames.
    assert pysot == pytest.approx(np.mean([1.0] * 9 + [9 / 10, 9 / 11]))
    assert vot == pytest.approx(1.0)  # the curve ends where the fragment does, before the loss


def test_a_sequence_without_result_is_left_out_and_marked(capsys):
    dataset = make_dataset(0)
    whole = EAOBenchmark(dataset).eval()
    del dataset["video1"].pred_trajs["tracker"]
    benchmark = EAOBenchmark(dataset, low=3, high=40)
    result = benchmark.eval()
    assert benchmark.coverage("tracker").label == "3/4"
    assert benchmark.coverage("tracker").gaps == {"video1": "video1: no result of tracker"}
    assert result != whole
    benchmark.show_result(result)
    printed = capsys.readouterr().out
    assert "tracker (3/4)" in printed
    assert "EAO: pysot's definition, runs of 3 to 40 frames" in printed


def test_a_repetition_of_the_wrong_length_is_a_gap():
    dataset = make_dataset(0)
    video = dataset["video2"]
    video.pred_trajs["tracker"] = [video.pred_trajs["tracker"][0][:-1]]
    benchmark = EAOBenchmark(dataset)
    benchmark.eval()
    frames = len(video.gt_traj)
    assert benchmark.coverage("tracker").gaps == {
        "video2": f"video2: {frames - 1} rows, expected {frames}, one a frame"
    }


def test_scores_follow_the_results_when_they_change():
    dataset = make_dataset(0)
    benchmark = EAOBenchmark(dataset, low=3, high=40)
    before = benchmark.eval()["tracker"]["all"]
    for video in dataset:
        video.pred_trajs["tracker"] = [[[1], *video.gt_traj[1:]]]
    assert benchmark.eval()["tracker"]["all"] > before
    assert benchmark.eval()["tracker"]["all"] == pytest.approx(1.0, abs=0.02)


def test_the_interval_is_the_benchmarks_unless_given():
    dataset = make_dataset(0, name="VOT2015")
    assert (EAOBenchmark(dataset).low, EAOBenchmark(dataset).high) == (108, 371)
    narrowed = EAOBenchmark(dataset, low=4, high=9)
    assert (narrowed.low, narrowed.high) == (4, 9)


def test_runs_shorter_than_the_interval_have_no_score():
    assert math.isnan(EAOBenchmark(make_dataset(0), low=500, high=600).eval()["tracker"]["all"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"definition": "got10k"}, "EAO definition 'got10k', expected 'pysot' or 'vot'"),
        ({"definition": "vot", "tags": ["all", "empty"]}, "knows only 'all'"),
        ({"low": 5, "high": 4}, "EAO interval 5 to 4, expected 1 <= low <= high"),
    ],
)
def test_what_cannot_be_asked_for(options, message):
    with pytest.raises(BenchmarkError, match=message):
        EAOBenchmark(make_dataset(0), **options)


def test_a_data_set_without_interval_needs_one():
    with pytest.raises(BenchmarkError, match="mine has no EAO interval of its own"):
        EAOBenchmark(make_dataset(0, name="mine"))


def test_a_loss_without_start_is_refused():
    run = Regions.pack([[2], [0], [0], [2]])
    with pytest.raises(ResultsError, match="2 losses .* but 0 starts"):
        vot_fragments(np.zeros(4), run)


@pytest.mark.data
def test_published_eao_of_siammask_on_vot2018(shared):
    folder = shared / "data" / "vot2018"
    dataset = DatasetFactory.create_dataset(name="VOT2018", dataset_root=folder)
    dataset.set_tracker(folder / "results" / "VOT2018", ["SiamMask"])
    assert EAOBenchmark(dataset).eval()["SiamMask"]["all"] == pytest.approx(0.406, abs=5e-4)
