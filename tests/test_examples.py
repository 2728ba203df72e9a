"""The scripts of examples/, run as they stand."""

import re
import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def output(capsys, monkeypatch):
    def run(name):
        monkeypatch.setattr(sys, "argv", [name])
        monkeypatch.setenv("DSIAM_WEIGHTS", "")
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_every_example_is_run_here():
    tested = Path(__file__).read_text(encoding="utf-8")
    assert all(f'output("{path.name}")' in tested for path in EXAMPLES.glob("*.py"))


def test_a_clip_is_followed(output):
    rows = output("track_clip.py").splitlines()
    assert len(rows) == 9
    assert all(row.endswith("lost False") for row in rows)
    sides = [float(row.split(" ")[0].split(",")[2]) for row in rows]
    assert max(sides) < 1.2 * min(sides)


def test_several_targets_are_followed(output):
    rows = [row.split(" ") for row in output("several_targets.py").splitlines()]
    assert [len(row) - 1 for row in rows] == [2, 2, 2, 3, 3, 3]
    found = [[float(number) for number in box.split(",")] for box in rows[-1][1:]]
    moved = (12, 6)  # six steps
    for box, place in zip(found, [(20, 20), (150, 30), (60, 110)], strict=True):
        expected = [place[0] + moved[0], place[1] + moved[1], 32, 32]
        assert box == pytest.approx(expected, abs=3)


def test_a_folder_is_evaluated(output):
    text = output("evaluate_folder.py")
    scores = dict(re.findall(r"\| (\w+) +\| +(0\.\d{3}) \| +\d\.\d{3} \| +- \|", text))
    assert scores.keys() == {"SiamFC", "DSiam"}
    assert all(float(score) > 0.6 for score in scores.values())
