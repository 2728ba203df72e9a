import pytest

from dsiam_plugin.io import user_cache
from dsiam_plugin.io.user_cache import cache_folder, recall, remember


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("DSIAM_CACHE", str(tmp_path / "a" / "b"))
    return tmp_path / "a" / "b"


def test_what_is_remembered_is_recalled(folder):
    assert recall("x.json") == {}
    remember("x.json", "one", {"a": 1.5})
    remember("x.json", "two", {})
    assert recall("x.json") == {"one": {"a": 1.5}, "two": {}}


def test_oldest_entries_go(monkeypatch):
    monkeypatch.setattr(user_cache, "MOST_ENTRIES", 2)
    for key in ("a", "b", "a", "c"):
        remember("x.json", key, {})
    assert list(recall("x.json")) == ["a", "c"]


@pytest.mark.parametrize("text", ["", "[1]", '{"a": 3}', '{"a": {"b": "c"}}', "{" * 5000])
def test_damaged_file_counts_as_empty(folder, text):
    folder.mkdir(parents=True)
    (folder / "x.json").write_text(text)
    assert recall("x.json") == {}


@pytest.mark.parametrize(
    ("system", "variable", "expected"),
    [
        ("linux", "XDG_CACHE_HOME", "X/dsiam"),
        ("win32", "LOCALAPPDATA", "X/dsiam"),
        ("darwin", "HOME", "X/Library/Caches/dsiam"),
    ],
)
def test_folder_of_each_system(monkeypatch, system, variable, expected):
    monkeypatch.delenv("DSIAM_CACHE")
    monkeypatch.setattr(user_cache.sys, "platform", system)
    monkeypatch.setenv(variable, "X")
    assert cache_folder().as_posix() == expected
