"""Foreign text, JSON and YAML become values, or one line of the caller's error."""

import inspect
import json
import math
import os
import sys
from itertools import pairwise

import pytest

from dsiam_plugin.errors import ConfigError, DatasetError
from dsiam_plugin.io.parsing import parse_json, parse_yaml, read_json, read_text, read_yaml

BILLION_LAUGHS = "\n".join(
    ["a: &a [x, x, x, x, x, x, x, x, x]"]
    + [f"{new}: &{new} [{', '.join(['*' + old] * 9)}]" for old, new in pairwise("abcdefghi")]
)  # fmt: skip


def test_text_loses_its_byte_order_mark(tmp_path):
    path = tmp_path / "list.txt"
    path.write_bytes(b"\xef\xbb\xbfball1\n")
    assert read_text(path, DatasetError) == "ball1\n"


@pytest.mark.parametrize("data", [b"\xff\xfeb\0a\0", b"caf\xe9", b"x" * 101])
def test_bytes_that_are_no_text_or_too_many_are_one_line(tmp_path, data):
    path = tmp_path / "list.txt"
    path.write_bytes(data)
    with pytest.raises(DatasetError, match=r"list\.txt: .*; expected names") as caught:
        read_text(path, DatasetError, "names", limit=100)
    assert _is_one_short_line(caught.value)


@pytest.mark.parametrize("name", ["absent.txt", ".", "nul\0.txt"])
def test_a_path_that_cannot_be_read_is_one_line(tmp_path, name):
    with pytest.raises(DatasetError, match="cannot be read") as caught:
        read_text(f"{tmp_path}/{name}", DatasetError)
    assert _is_one_short_line(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[1]", "3", '"text"', "{", "[" * 100_000, '{"a": Infinity}', '{"a": -Infinity}',
        '{"a": "\\ud800"}', "9" * 10_000, '{"' + "k" * 10_000 + '": }',
    ],
)  # fmt: skip
def test_json_that_is_no_object_is_one_line(text):
    with pytest.raises(DatasetError, match=r"^data\.json: .*; expected") as caught:
        parse_json(text, "data.json", DatasetError)
    assert _is_one_short_line(caught.value)


def test_json_keeps_what_pysots_files_hold(tmp_path):
    path = tmp_path / "VOT2018-LT.json"
    path.write_bytes(
        b"\xef\xbb\xbf" + json.dumps({"gt": [math.nan], "name": "\U0001f697"}).encode()
    )
    value = read_json(path, DatasetError)
    assert math.isnan(value["gt"][0])
    assert value["name"] == "\U0001f697"


@pytest.mark.parametrize(
    "text",
    [
        "", "- 1", "a: 2020-99-99", "a: !!int x", "a: !!int ''", BILLION_LAUGHS, "a: &a [*a]",
        "a: !!python/object:os.system x", "{[1]: 2}", "a: \x00", "a: 'b", "a: &b {<<: *c}", "1: 2",
        "a: !!timestamp x", "a: !!float x", "a: !!binary é",
    ],
)  # fmt: skip
def test_yaml_that_is_no_mapping_is_one_line(text):
    with pytest.raises(ConfigError, match=r"^dsiam\.yaml: .*; expected") as caught:
        parse_yaml(text, "dsiam.yaml", ConfigError, shape={str: object})
    assert _is_one_short_line(caught.value)


def test_deep_yaml_is_one_line():
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 150)  # PyYAML takes 2 s to reach the usual one
    try:
        with pytest.raises(ConfigError, match="nested too deeply"):
            parse_yaml("[" * 2_000, "dsiam.yaml", ConfigError)
    finally:
        sys.setrecursionlimit(limit)


def test_yaml_aliases_are_kept_where_they_are_few(tmp_path):
    path = tmp_path / "dsiam.yaml"
    path.write_text("base: &base {rate: 0.5}\nown: {<<: *base, size: 3}\n")
    assert read_yaml(path, ConfigError)["own"] == {"rate": 0.5, "size": 3}


def test_an_empty_yaml_file_is_none_where_the_shape_says_so():
    assert parse_yaml("# nothing\n", "dsiam.yaml", ConfigError, shape=(dict, None)) is None


def _is_one_short_line(error: Exception) -> bool:
    return len(str(error)) < 500 and str(error).isprintable()


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(DatasetError, match=r"a\.json: a folder, pipe or device; expected a JSON"):
        read_json(tmp_path / "a.json", DatasetError)
