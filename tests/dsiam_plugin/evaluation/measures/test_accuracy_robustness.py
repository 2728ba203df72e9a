import math
from types import SimpleNamespace

import numpy as np
import pytest
from evaluation_data import (
    OfficialRun,
    StubDataset,
    StubVideo,
    make_dataset,
    official_region,
    random_polygon,
    restart_run,
)

from dsiam_plugin.evaluation.datasets import DatasetFactory
from dsiam_plugin.evaluation.measures import AccuracyRobustnessBenchmark
from dsiam_plugin.evaluation.measures.regions import Regions, region_overlaps
from dsiam_plugin.evaluation.measures.restart_metrics import burn_in_frames
from dsiam_plugin.evaluation.measures.run_overlaps import OverlapCounter
from dsiam_plugin.evaluation.measures.summary import accuracy_robustness_scores

BOX = [10.0, 10.0, 20.0, 10.0, 20.0, 20.0, 10.0, 20.0]
HALF = [10.0, 10.0, 20.0, 10.0, 20.0, 14.5, 10.0, 14.5]  # 6 rows of 11, rounded upwards


def evaluate(runs, burnin=10, truth=None):
    truth = truth or [BOX] * len(runs[0])
    dataset = StubDataset("VOT2018", [StubVideo("v", truth, tracker=runs)], ["tracker"])
    return AccuracyRobustnessBenchmark(dataset, burnin).eval()["tracker"]


def test_frames_near_a_start_do_not_count():
    run = [[1], *[BOX] * 4, [2], [0], [1], *[BOX] * 2]
    overlaps = evaluate([run], burnin=3)["overlaps"]["v"]
    unknown, known = math.nan, 1.0
    np.testing.assert_array_equal(
        overlaps, [unknown] * 3 + [known] * 2 + [unknown] * 2 + [unknown] * 3
    )


@pytest.mark.parametrize("burnin", [0, 1, 3, 10, 50])
def test_burn_in_equals_a_loop(burnin):
    run = [[1], BOX, BOX, [2], [0], [1], BOX, [1], BOX, BOX, BOX, BOX]
    expected = [
        any(run[start] == [1] and start <= frame < start + burnin for start in range(len(run)))
        for frame in range(len(run))
    ]
    assert burn_in_frames(Regions.pack(run), burnin).tolist() == expected


def test_repetitions_are_averaged_where_they_count():
    first = [[1], BOX, BOX, [2]]
    second = [[1], BOX, HALF, HALF]
    result = evaluate([first, second], burnin=1)
    share = 6 * 11 / (11 * 11)
    np.testing.assert_allclose(result["overlaps"]["v"], [math.nan, 1.0, (1 + share) / 2, share])
    assert result["failures"]["v"] == [1, 0]
    accuracy, robustness, lost = accuracy_robustness_scores(result)
    assert accuracy == pytest.approx(np.mean([1.0, (1 + share) / 2, share]))
    assert (robustness, lost) == (pytest.approx(0.5 / 4 * 100), 0.5)


def test_bounds_of_accuracy_and_eao_each_equal_a_count_of_their_own():
    rng = np.random.default_rng(5)
    truth = [random_polygon(rng, 8, 60, rng.uniform((0, 0), (330, 250))) for _ in range(300)]
    runs = [restart_run(rng, truth, {50, 120}, noise=9) for _ in range(2)]
    runs.append([[1], *[random_polygon(rng, 4, 80, rng.uniform(200, 300, 2)) for _ in truth[1:]]])
    video = StubVideo("v", truth, tracker=runs)
    counted = OverlapCounter().count(video, runs)
    for number, run in enumerate(runs):
        for bounds, got in (((320, 240), counted.for_accuracy), ((319, 239), counted.for_eao)):
            expected = region_overlaps(Regions.pack(run), Regions.pack(truth), bounds)
            np.testing.assert_array_equal(got[number], expected)
    assert any(
        (wide != narrow).any() and np.isfinite(wide).any()
        for wide, narrow in zip(counted.for_accuracy, counted.for_eao, strict=True)
    )


def test_overlaps_are_counted_once_and_again_when_anything_changes():
    runs = [[[1], BOX, BOX]]
    video = StubVideo("v", [BOX] * 3, tracker=runs)
    count = OverlapCounter().count
    first = count(video, runs)
    assert count(video, [list(runs[0])]) is first
    runs[0][1] = HALF  # in place
    assert count(video, runs).for_accuracy[0][1] < 1
    video.gt_traj[1] = HALF
    assert count(video, runs).for_accuracy[0][1] == 1
    assert count(video, runs * 2).for_accuracy.shape == (2, 3)
    video.width = 15
    assert count(video, runs).size == (15, 240)


def test_the_table_marks_gaps_and_names_the_definition(capsys):
    videos = [StubVideo(name, [BOX] * 20, whole=[[[1], *[BOX] * 19]]) for name in ("a", "b")]
    videos[0].pred_trajs["partial"] = [[[1], *[HALF] * 9, [2], *[[0]] * 4, [1], *[HALF] * 4]]
    dataset = StubDataset("VOT2018", videos, ["whole", "partial"])
    benchmark = AccuracyRobustnessBenchmark(dataset, burnin=1)
    result = benchmark.eval()
    eao = {"whole": {"all": 0.4}, "partial": {"all": 0.5}}
    benchmark.show_result(result, eao, show_video_level=True)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in lines[4:6]] == ["partial (1/2)", "whole"]
    assert [cell.strip() for cell in lines[5].split("|")[2:6]] == [
        "1.000",
        "0.000",
        "0.000",
        "0.400",
    ]
    assert lines[7:9] == ["EAO: pysot's definition", "partial has no usable result for b"]
    # A tracker without the sequence has a gap in both tables, of accuracy and of losses.
    assert sum(line.startswith("| b") and line.count(" - ") == 1 for line in lines) == 2


def test_a_tracker_without_any_result_has_no_scores(capsys):
    dataset = StubDataset("VOT2018", [StubVideo("v", [BOX] * 3)], ["none"])
    benchmark = AccuracyRobustnessBenchmark(dataset)
    benchmark.show_result(benchmark.eval())
    assert "none (0/1)" in capsys.readouterr().out


class OfficialSequence(SimpleNamespace):
    """A sequence and the runs on it as the VOT toolkit's analysis asks for them."""

    def __len__(self):
        return len(self.truth)

    def groundtruth(self):
        return [official_region(region) for region in self.truth]


@pytest.mark.parametrize(
    ("seed", "options"),
    [
        (0, {}),
        (1, {"losses": 1}),  # never lost
        (2, {"repetitions": 15, "videos": 3}),
        (3, {"frames": (2, 8), "losses": 4}),  # too short for any frame to count
    ],
)
def test_vot_definition_equals_the_vot_toolkit(seed, options):
    supervised = pytest.importorskip("vot.analysis.supervised", exc_type=ImportError)
    dataset = make_dataset(seed, **options)
    result = AccuracyRobustnessBenchmark(dataset, definition="vot").eval()["tracker"]
    analysis = supervised.AverageAccuracyRobustness()
    experiment = SimpleNamespace(gather=lambda _tracker, sequence: sequence.runs)
    rows = []
    for video in dataset:
        runs = [OfficialRun(run) for run in video.pred_trajs["tracker"]]
        size = (video.width, video.height)
        sequence = OfficialSequence(truth=video.gt_traj, runs=runs, size=size)
        rows.append(analysis.analysis.subcompute(experiment, None, sequence, []))
    accuracy, failures, _, _ = analysis.aggregate(None, [], rows)
    got = accuracy_robustness_scores(result)
    assert got[:2] == (pytest.approx(accuracy, abs=1e-6), pytest.approx(failures, abs=1e-12))
    assert got[2] == pytest.approx(sum(row[1] for row in rows))


@pytest.mark.data
def test_published_scores_of_siammask_on_vot2018(shared):
    folder = shared / "data" / "vot2018"
    dataset = DatasetFactory.create_dataset(name="VOT2018", dataset_root=folder)
    dataset.set_tracker(folder / "results" / "VOT2018", ["SiamMask"])
    result = AccuracyRobustnessBenchmark(dataset).eval()["SiamMask"]
    accuracy, robustness, lost = accuracy_robustness_scores(result)
    assert accuracy == pytest.approx(0.598, abs=5e-4)
    assert robustness == pytest.approx(0.248, abs=5e-4)
    assert lost == 53
