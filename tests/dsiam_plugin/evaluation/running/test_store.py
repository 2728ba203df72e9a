"""Where each protocol's results land and what they look like."""

import json
import math

import numpy as np
import pytest
import running_fakes as fakes

from dsiam_plugin.evaluation.datasets import DatasetFactory
from dsiam_plugin.evaluation.results.files import read_boxes, read_values
from dsiam_plugin.evaluation.results.layout import RESTARTS
from dsiam_plugin.evaluation.running import TrackerSpec, run_dataset
from dsiam_plugin.evaluation.running.jobs import RunJob
from dsiam_plugin.evaluation.running.starts import SRE_VARIATIONS, sre_box
from dsiam_plugin.evaluation.running.store import ResultStore
from dsiam_plugin.evaluation.running.tracking import Track

STILL = TrackerSpec("Still", fakes.Still)


def pysot_dataset(folder, name, frames=8, **extra):
    """One sequence "cup" under a benchmark's name, described by pysot's JSON."""
    fakes.make_sequence(folder / "cup", frames)
    boxes = np.loadtxt(folder / "cup" / "groundtruth_rect.txt", delimiter=",") - [1, 1, 0, 0]
    images = [f"cup/img/{frame + 1:04d}.png" for frame in range(frames)]
    entry = {
        "video_dir": "cup",
        "init_rect": boxes[0].tolist(),
        "img_names": images,
        "gt_rect": boxes.tolist(),
        **extra,
    }
    (folder / f"{name}.json").write_text(json.dumps({"cup": entry}))
    return DatasetFactory.create_dataset(name=name, dataset_root=str(folder))


def run(dataset, results, **options):
    report = run_dataset(dataset, STILL, results, num=0, progress=False, **options)
    assert report.failures == {}
    folder = results / dataset.name / "Still"
    return folder, {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def vot_dataset(folder, frames=8):
    tags = ("camera_motion", "illum_change", "motion_change", "size_change", "occlusion")
    return pysot_dataset(folder, "VOT2018", frames, **{tag: [0] * frames for tag in tags})


def test_restarts(tmp_path):
    dataset = vot_dataset(tmp_path / "data", frames=26)
    folder, files = run(dataset, tmp_path / "results")
    assert files == {
        "baseline/run.json",
        "baseline/cup/cup_001.txt",
        "baseline/cup/cup_time.txt",
    }
    rows = (folder / "baseline" / "cup" / "cup_001.txt").read_text().splitlines()
    # The target moves by (1, 1) and the box stays: on frame 10 the target's upper border, 13, is
    # the box's lower one, 3 + 10.
    assert rows[0] == "1"
    assert rows[1:10] == ["4.0000,3.0000,12.0000,10.0000"] * 9
    assert rows[10:16] == ["2", "0", "0", "0", "0", "1"]
    dataset.load_results(tmp_path / "results" / "VOT2018", ["Still"])
    (repetition,) = dataset["cup"].pred_trajs["Still"]
    assert repetition[10] == [2.0]


def test_repetitions_of_a_deterministic_tracker(tmp_path):
    folder, files = run(vot_dataset(tmp_path / "data"), tmp_path / "results", repetitions=15)
    names = {name for name in files if "cup_0" in name}
    assert names == {f"baseline/cup/cup_00{number}.txt" for number in (1, 2, 3)}
    assert len(read_values(folder / "baseline" / "cup" / "cup_time.txt")) == 8


def test_longterm(tmp_path):
    dataset = pysot_dataset(tmp_path / "data", "VOT2018-LT")
    folder, files = run(dataset, tmp_path / "results")
    assert files == {
        "longterm/run.json",
        "longterm/cup/cup_001.txt",
        "longterm/cup/cup_001_confidence.value",
        "longterm/cup/cup_time.txt",
    }
    rows = (folder / "longterm" / "cup" / "cup_001.txt").read_text().splitlines()
    assert rows == ["1"] + ["4.0,3.0,12.0,10.0"] * 7
    confidence = (folder / "longterm" / "cup" / "cup_001_confidence.value").read_text()
    assert confidence == "\n" + "0.500000\n" * 7
    assert dataset.load_results(tmp_path / "results" / "VOT2018-LT", ["Still"]) == {"Still": {}}


def test_got10k(tmp_path):
    dataset = pysot_dataset(tmp_path / "data", "GOT-10k")
    _, files = run(dataset, tmp_path / "results")
    assert files == {"run.json", "cup/cup_001.txt", "cup/cup_time.txt"}
    assert dataset.load_results(tmp_path / "results" / "GOT-10k", ["Still"]) == {"Still": {}}


def test_temporal_robustness(tmp_path):
    dataset = pysot_dataset(tmp_path / "data", "OTB100", frames=58)
    folder, files = run(dataset, tmp_path / "results", protocol="tre")
    expected = {"tre/run.json"}
    for number in range(1, 21):
        expected |= {f"tre/cup/cup_{number:03d}{end}.txt" for end in ("", "_time")}
    assert files == expected
    for number in range(1, 21):
        boxes = read_boxes(folder / "tre" / "cup" / f"cup_{number:03d}.txt")
        start = 2 * (number - 1)  # 58 frames: every second one
        assert len(boxes) == 58 - start
        np.testing.assert_array_equal(boxes[0], dataset["cup"].gt_traj[start])


def test_spatial_robustness(tmp_path):
    dataset = pysot_dataset(tmp_path / "data", "OTB100")
    folder, files = run(dataset, tmp_path / "results", protocol="SRE")
    assert len(files) == 1 + 2 * 12
    for number, variation in enumerate(SRE_VARIATIONS, start=1):
        boxes = read_boxes(folder / "sre" / "cup" / f"cup_{number:03d}.txt")
        assert len(boxes) == 8
        assert tuple(boxes[0]) == sre_box((4, 3, 12, 10), variation, *fakes.SIZE)


def test_protocols_do_not_meet(tmp_path):
    """Each has its own record, so that all of them fit into one tracker's folder."""
    dataset = pysot_dataset(tmp_path / "data", "OTB100")
    for protocol in ("OPE", "TRE", "SRE"):
        _, files = run(dataset, tmp_path / "results", protocol=protocol)
    assert {name for name in files if name.endswith(".json")} == {
        "run.json",
        "tre/run.json",
        "sre/run.json",
    }


def test_more_repetitions_later_are_refused(tmp_path):
    dataset = vot_dataset(tmp_path / "data")
    run(dataset, tmp_path / "results")
    with pytest.raises(ValueError, match="made with repetitions 1, this run has 3"):
        run(dataset, tmp_path / "results", repetitions=3)
    _, files = run(dataset, tmp_path / "results", repetitions=3, force=True)
    assert "baseline/cup/cup_003.txt" in files
    _, files = run(dataset, tmp_path / "results", force=True)
    assert "baseline/cup/cup_003.txt" not in files


def test_times_are_the_mean_of_repetitions(tmp_path):
    tracks = [Track([(1,), (2,)], [math.nan] * 2, [seconds, 0.25]) for seconds in (0.5, 1.5)]
    job = RunJob("cup", 1, ("a", "b"), ((0, 0, 1, 1),) * 2, "restarts", repetitions=2)
    ResultStore(tmp_path, RESTARTS).write(job, tracks)
    assert (tmp_path / "baseline/cup/cup_time.txt").read_text() == "1.000000\n0.250000\n"
