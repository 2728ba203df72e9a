"""A short form of ``make fuzz``: the same few inputs every time, and hypothesis' own."""

import json
import random

import pytest
from fuzz import api, engine, peers
from fuzz.mutations import damaged
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsiam_plugin.config.files import load_config
from dsiam_plugin.config.variants import find_variant
from dsiam_plugin.errors import ConfigError, DatasetError, DSiamError
from dsiam_plugin.evaluation.datasets.metadata import load_metadata
from dsiam_plugin.io.parsing import parse_yaml

READERS = engine.readers()
SLOW = {"weights .mat": 3, "YAML recipe": 3, "dsiam track": 2, "checkpoint": 2}
COMMANDS = {name for name in READERS if name.startswith("dsiam ")}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
SECTIONS = st.sampled_from(("model", "fusion", "crop", "tracking", "transform", "x"))
KEYS = st.sampled_from(("scales", "context", "search_size", "layers", "regularizer", "preset"))
PLAIN = settings(
    max_examples=30, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip


@pytest.mark.parametrize("name", [name for name in READERS if name not in COMMANDS])
def test_damaged_input_is_refused_in_one_line_or_taken(name, tmp_path):
    if name.endswith(".mat"):
        pytest.importorskip("scipy.io")
    *_, counts = engine.attack(READERS[name], tmp_path, 5, seed=1, most=SLOW.get(name, 12))
    assert counts.inputs > 1 and counts.findings == []


@PLAIN
@given(st.dictionaries(SECTIONS, st.dictionaries(KEYS, JSON) | JSON))
def test_any_mapping_is_a_configuration_or_refused(settings):
    try:
        load_config(settings, find_variant("DSiamM").config)
    except ConfigError as error:
        assert len(str(error)) <= engine.LONGEST_MESSAGE


@PLAIN
@given(JSON)
def test_any_json_is_metadata_or_refused(tmp_path, value):
    (tmp_path / "OTB100.json").write_text(json.dumps(value))
    try:
        load_metadata("OTB100", tmp_path)
    except DatasetError as error:
        assert len(str(error)) <= engine.LONGEST_MESSAGE


@PLAIN
@given(st.text(max_size=60))
def test_any_text_is_yaml_or_refused(text):
    try:
        parse_yaml(text, "a.yaml", ConfigError, shape=(object, None))
    except DSiamError as error:
        assert len(str(error)) <= engine.LONGEST_MESSAGE


def test_a_session_with_a_broken_peer(tmp_path):
    pytest.importorskip("trax")
    assert peers.attack(tmp_path, 10, seed=2, most=1).findings == []


def broken_reader(folder):
    if (folder / "a").read_bytes() != b"0123456789" * 9:
        raise ZeroDivisionError


def chatty_reader(folder):
    if (folder / "a").read_bytes() != b"0123456789" * 9:
        raise ConfigError("x" * 501)


@pytest.mark.parametrize(
    ("read", "found"), [(broken_reader, "ZeroDivisionError"), (chatty_reader, "501 characters")]
)
def test_what_is_neither_clean_nor_taken_is_found(tmp_path, read, found):
    reader = engine.Reader("x", lambda folder: (folder / "a").write_bytes(b"0123456789" * 9), read)
    *_, counts = engine.attack(reader, tmp_path, 5, seed=1, most=25)
    assert counts.findings and found in counts.findings[0]


def test_a_crash_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(engine.sys, "executable", "/bin/false")
    counts = engine.attack_apart("images", tmp_path, 0.6, seed=1)
    assert "status 1" in counts.findings[0]


def test_equal_seeds_damage_alike():
    data = b'{"a": [1, 2], "b": "c"}'
    again = [[damaged(data, random.Random(seed)) for seed in range(50)] for _ in range(2)]
    assert again[0] == again[1] and len(set(again[0])) > 20


def test_odd_arguments_hold_good_ones_as_well():
    assert api.BOXES[0] and len(api.FRAMES) == 2
