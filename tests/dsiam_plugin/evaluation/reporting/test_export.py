import csv
import json
import math

import pytest

from dsiam_plugin.evaluation.reporting.export import write_csv, write_json

SUMMARY = {
    "dataset": "OTB2013",
    "trackers": {
        "A": {
            "success": 0.5,
            "sequences": 2,
            "attributes": {"FM": {"success": math.nan, "sequences": 0}},
            "videos": {"Boy": {"success": 0.25}},
        }
    },
}


def test_json_keeps_the_structure_and_has_no_nan(tmp_path):
    write_json(tmp_path / "s.json", SUMMARY)
    text = (tmp_path / "s.json").read_text()
    read = json.loads(text, parse_constant=pytest.fail)
    assert read["trackers"]["A"]["attributes"]["FM"] == {"success": None, "sequences": 0}
    assert read["trackers"]["A"]["videos"] == {"Boy": {"success": 0.25}}


def test_csv_has_a_row_a_scope(tmp_path):
    write_csv(tmp_path / "s.csv", SUMMARY)
    with (tmp_path / "s.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["tracker", "scope", "name", "success", "sequences"],
        ["A", "all", "OTB2013", "0.5", "2"],
        ["A", "attribute", "FM", "", "0"],
        ["A", "video", "Boy", "0.25", ""],
    ]


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "s.json"
    path.write_text("old")
    with pytest.raises(TypeError):
        write_json(path, {"dataset": object()})
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
