"""Shapes of parsed values, and names that may become file names."""

import math

import pytest

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.io.messages import excerpt, fail
from dsiam_plugin.io.shapes import check_name, check_shape

SEQUENCES = {str: {"first_frame": int, "attributes?": ([str], None), "boxes?": [[float]]}}


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"David": {"first_frame": 300, "attributes": None, "else": object()}},
        {"David": {"first_frame": 300, "attributes": ["IV"], "boxes": [[1, 2.5, math.nan, 0]]}},
    ],
)
def test_a_value_of_the_shape_is_returned(value):
    assert check_shape(value, SEQUENCES, "s.json", DatasetError) is value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "s.json: None; expected an object"),
        ({"David": 3}, "s.json: David: 3; expected an object"),
        ({"David": {}}, "s.json: David: lacks 'first_frame'; expected 'first_frame' in an object"),
        (
            {"David": {"first_frame": True}},
            "s.json: David.first_frame: True; expected a whole number",
        ),
        (
            {"David": {"first_frame": 1.5}},
            "s.json: David.first_frame: 1.5; expected a whole number",
        ),
        (
            {"David": {"first_frame": 1, "attributes": ["IV", 2]}},
            "s.json: David.attributes.1: 2; expected a text",
        ),
        (
            {"David": {"first_frame": 1, "boxes": [[1, math.inf]]}},
            "s.json: David.boxes.0.1: inf; expected a number",
        ),
        (
            {"David": {"first_frame": 1, "boxes": [[10**400]]}},
            "s.json: David.boxes.0.0: a huge number; expected a number",
        ),
        ({1: {}}, "s.json: key 1; expected a text as key"),
    ],
)  # fmt: skip
def test_the_first_difference_is_named(value, message):
    with pytest.raises(DatasetError) as caught:
        check_shape(value, SEQUENCES, "s.json", DatasetError)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "name", ["Jogging-1", "Human4.2", "ünï 自行車", "a" * 200, "..x", "KCF (ours)"]
)
def test_plain_names_are_kept(name):
    assert check_name(name, "sequence", DatasetError) == name


@pytest.mark.parametrize(
    "name",
    [
        "", " ", ".", "..", "../x", "a/b", "/abs", "a\\b", "C:x", "a\nb", "a\0b", "a\x1b[31m",
        "\ud800", "a" * 201, "é" * 101, None, 3, ["a"], "a\u2028b",
    ],
)  # fmt: skip
def test_names_that_would_become_paths_are_refused(name):
    with pytest.raises(
        DatasetError, match=r"^x\.json: sequence .*; expected a plain name"
    ) as caught:
        check_name(name, "sequence", DatasetError, "x.json")
    assert str(caught.value).isprintable()


def test_messages_are_short_and_of_one_line():
    with pytest.raises(DatasetError) as caught:
        fail(DatasetError, "p" * 4000, "line\nend \x1b[31m" + "r" * 4000, "e" * 4000)
    assert len(str(caught.value)) <= 480
    assert str(caught.value).isprintable()


def test_excerpts_are_short_whatever_the_value():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    for value in ("x" * 10**6, b"\0" * 10**6, deep, 10**5000, {"a": 1}, math.nan, object()):
        assert len(excerpt(value)) < 70
