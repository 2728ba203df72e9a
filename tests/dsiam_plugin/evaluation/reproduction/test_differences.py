"""Paired differences against an independent computation."""

import statistics

import pytest

from dsiam_plugin.evaluation.reproduction.differences import (
    difference,
    difference_table,
    sequence_table,
)

FIRST = {"a": 0.9, "b": 0.5, "c": 0.4, "d": 0.7, "e": 0.3, "only": 1.0}
SECOND = {"a": 0.2, "b": 0.4, "c": 0.5, "d": 0.7, "e": 0.3, "other": 0.0}


def test_means_errors_and_shares():
    found = difference("x - y", FIRST, SECOND)
    values = [0.7, 0.1, 0.0, 0.0, -0.1]
    assert list(found.values) == ["a", "b", "d", "e", "c"]
    assert list(found.values.values()) == pytest.approx(values)
    assert found.mean == pytest.approx(statistics.mean(values))
    assert found.error == pytest.approx(statistics.stdev(values) / 5**0.5)
    assert found.median == pytest.approx(0.0)
    assert found.share == pytest.approx(0.8 / 0.7)  # the four largest of all
    assert "more than the whole gain" in found.finding()


def test_the_finding_names_where_the_gain_sits():
    second = {**SECOND, "c": 0.35}
    line = difference("x - y", FIRST, second).finding()
    assert line.startswith("x - y: +0.170 +- 0.134 over 5 sequences, median +0.050; ")
    assert line.endswith("a +0.70, b +0.10, c +0.05, d +0.00, 100% of the whole gain.")


def test_a_loss_has_no_share_and_no_sequence_no_difference():
    assert "of the whole gain" not in difference("", SECOND, FIRST).finding()
    assert difference("", {"a": 1.0}, {"b": 1.0}) is None


def test_the_table_counts_what_is_beside():
    ((title, count, mean, median, better, worse, most, least),) = difference_table(
        [difference("x - y", FIRST, SECOND)]
    ).rows
    assert (title, count, mean, median) == ("x - y", 5, "+0.140 +- 0.144", "+0.000")
    assert (better, worse, most, least) == (2, 1, "a +0.70", "c -0.10")


def test_sequences_are_averaged_over_those_that_all_have():
    table = sequence_table("t", {"x": FIRST, "y": SECOND}, ["a", "b", "only"])
    assert table.columns == ("Sequence", "x", "y")
    assert table.rows[2] == ("only", 1.0, None)
    assert table.rows[3] == ("mean of 2", pytest.approx(0.7), pytest.approx(0.3))
