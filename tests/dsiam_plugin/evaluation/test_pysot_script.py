"""A script written for pysot's interface runs unchanged."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import toolkit_data as data

SEQUENCES = {"Deer": data.moving_boxes(71, 1), "Couple": data.moving_boxes(140, 2)}


@pytest.fixture
def arguments(tmp_path):
    """Data sets of the three kinds, each with results of `Exact` and of another tracker."""
    results = {kind: tmp_path / "results" / kind for kind in ("otb", "vot", "lt")}
    data.write_pysot_json(tmp_path, "OTB2013", SEQUENCES)
    for name, boxes in SEQUENCES.items():
        data.write_frames(tmp_path / name / "img", boxes)
    data.write_results(results["otb"], "Exact", SEQUENCES)
    data.write_results(results["otb"], "Off", {k: v + [3, 0, 0, 0] for k, v in SEQUENCES.items()})

    boxes = data.moving_boxes(120, 3)
    truth = data.polygons(boxes)
    tags = {"walk": {"occlusion": [1] * 120}}
    data.write_pysot_json(tmp_path, "VOT2018", {"walk": truth}, tags=tags)
    data.write_restarts(results["vot"], "Exact", "walk", [[[1], *truth[1:]]])
    lossy = [[1], *truth[1:3], [2], *[[0]] * 4, [1], *truth[9:]]
    data.write_restarts(results["vot"], "Lossy", "walk", [lossy])

    data.write_pysot_json(tmp_path, "VOT2018-LT", {"walk": boxes}, tags={})
    for name in ("Exact", "Other"):
        folder = results["lt"] / name / "longterm" / "walk"
        data.write_rows(folder / "walk_001.txt", [[1.0], *boxes[1:]])
        data.write_rows(folder / "walk_001_confidence.value", np.linspace(0, 1, 120)[:, None])
    return [word for kind in results for word in (f"--{kind}", str(tmp_path), str(results[kind]))]


def test_a_script_written_for_pysot_runs_unchanged(arguments, repository):
    script = repository / "tests" / "pysot_style_script.py"
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        env={**os.environ, "PYTHONPATH": str(repository)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *tables, last = done.stdout.splitlines()
    found = json.loads(last)
    # An exact box passes every threshold but the last; 3 of 12 px off it is 9/15, above twelve.
    assert found["otb"]["Exact"]["Deer"] == [21, pytest.approx(20 / 21)]
    assert found["otb"]["Off"]["Couple"] == [21, pytest.approx(12 / 21)]
    assert found["vot"]["Exact"] == [{"walk": [0]}, {"all": 1.0, "occlusion": 1.0}]
    assert found["vot"]["Lossy"][0] == {"walk": [1]}
    assert found["lt"] == dict.fromkeys(["Exact", "Other"], ["f1", "precision", "recall"])
    assert found["frames"]["Deer"] == [71, [48, 64, 3], SEQUENCES["Deer"][0].tolist()]
    assert sum("Exact" in line and "0.952" in line for line in tables) >= 1
