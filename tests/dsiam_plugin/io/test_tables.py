import math

import pytest

from dsiam_plugin.io.tables import Table, ranked, tracker_label


def test_a_table_is_boxed_and_aligned():
    table = Table("OTB2013", ("Tracker", "Success"), (("KCF (49/51)", 0.5141), ("B", None)))
    assert table.text().splitlines() == [
        "OTB2013",
        "+-------------+---------+",
        "| Tracker     | Success |",
        "+-------------+---------+",
        "| KCF (49/51) |   0.514 |",
        "| B           |       - |",
        "+-------------+---------+",
    ]


def test_integers_keep_their_form_and_nan_is_a_gap():
    table = Table("", ("A", "Lost", "EAO"), (("x", 53, math.nan),), note="EAO as pysot defines it")
    lines = table.text().splitlines()
    assert lines[3] == "| x |   53 |   - |"
    assert lines[-1] == "EAO as pysot defines it"


def test_low_numbers_are_red_only_where_colour_is_asked_for():
    table = Table("", ("Video", "T"), (("Ironman", 0.2), ("Boy", 0.8)), low=0.5)
    assert "\x1b[31m0.200\x1b[0m" in table.text(color=True)
    assert "\x1b[31m0.800" not in table.text(color=True)
    assert "\x1b" not in table.text()


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="row 1 of table 'T' has 1 cells, its heading 2"):
        Table("T", ("a", "b"), (("x", 1), ("y",)))


def test_gaps_are_marked_in_the_name():
    assert tracker_label("KCF", 49, 51) == "KCF (49/51)"
    assert tracker_label("KCF", 51, 51) == "KCF"


def test_ranking_puts_nan_last_and_breaks_ties_by_name():
    assert ranked({"n": math.nan, "b": 0.5, "a": 0.5, "c": 0.7}) == ["c", "a", "b", "n"]
