"""What the paper prints, and curves that were read off it."""

import json

import numpy as np
import pytest

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.reproduction import paper


def write(folder, name, success=21, precision=51):
    (folder / "digitised_fig6").mkdir(exist_ok=True)
    curves = {"success": [0.5] * success, "precision": [0] * precision}
    (folder / "digitised_fig6" / f"{name}.json").write_text(json.dumps(curves))


def test_the_field_is_the_challenges_and_the_papers_own():
    field = paper.field()
    assert len(field) == 62 + 2
    assert {row.tracker: row.eao for row in field[62:]} == {
        "DSiamM, paper": 0.2927,
        "DSiam, paper": 0.2804,
    }


def test_table_1_says_what_the_text_does():
    rows = {row.tracker: row for row in paper.TABLE_1}
    assert len(rows) == 10
    # "much faster than them", "DSiamM much higher accuracy than GOTURN, Staple and SiamFC"
    assert rows["DSiamM"].speed_efo > max(rows[n].speed_efo for n in ("MDNet", "DeepSRDCF"))
    assert all(rows["DSiamM"].accuracy > rows[n].accuracy for n in ("GOTURN", "Staple", "SiamFC"))


def test_peers_go_by_the_folders_of_their_results():
    there = ["SiamFC-3s", "DSiamM-authors", "MEEM"]
    assert paper.split_peers(("DSiamM", "GOTURN", "SiamFC"), there) == (
        ["DSiamM-authors", "SiamFC-3s"],
        ["GOTURN"],
    )


def test_digitised_curves_are_read(tmp_path):
    assert paper.digitised_curves(tmp_path) == {}
    write(tmp_path, "GOTURN")
    curves = paper.digitised_curves(tmp_path)["GOTURN"]
    np.testing.assert_array_equal(curves["success"], np.full(21, 0.5))
    np.testing.assert_array_equal(curves["precision"], np.zeros(51))


def test_curves_of_another_length_are_refused(tmp_path):
    write(tmp_path, "GOTURN", precision=50)
    with pytest.raises(ResultsError, match=r"GOTURN.json: 50 precision rates; expected 51"):
        paper.digitised_curves(tmp_path)
