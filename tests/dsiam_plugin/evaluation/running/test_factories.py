import sys

import pytest

from dsiam_plugin.errors import TrackerError
from dsiam_plugin.evaluation.running.factories import load_factory


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory, which Python does not search."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def test_a_file(here):
    (here / "tools").mkdir()
    (here / "tools" / "own-tracker.py").write_text("class Mine:\n    class Inner: pass\n")
    before = list(sys.path)
    for name in ("tools/own-tracker.py", str(here / "tools" / "own-tracker.py")):
        assert load_factory(f"{name}:Mine.Inner").__name__ == "Inner"
    assert sys.path == before


def test_a_module_of_the_working_directory(here):
    (here / "lonely_tracker.py").write_text("def make(): return 7\n")
    before = list(sys.path)
    factory = load_factory("lonely_tracker:make")
    assert factory() == 7
    assert load_factory("lonely_tracker:make") is factory
    assert sys.path == before


@pytest.mark.parametrize("init", [True, False])
def test_a_package_of_the_working_directory(here, init):
    package = here / f"own_package_{init}"
    (package / "deep").mkdir(parents=True)
    if init:
        (package / "__init__.py").write_text("")
    (package / "parts.py").write_text("SIZE = 3\n")
    (package / "deep" / "tracker.py").write_text(
        f"from {package.name}.parts import SIZE\ndef make(): return SIZE\n"
    )
    assert load_factory(f"{package.name}.deep.tracker:make")() == 3


def test_what_is_installed_comes_first(here):
    (here / "json.py").write_text("dumps = 7\n")
    assert load_factory("json:dumps") is sys.modules["json"].dumps


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("plain", "expected module:factory or file.py:factory"),
        (":x", "expected module:factory"),
        ("absent_module:x", "there is no module 'absent_module'"),
        ("absent.py:x", "absent.py: there is no such file"),
        ("broken.py:x", "broken.py: there is no module 'nothing_such'"),
        ("json:nothing", "json has no 'nothing'"),
        ("json:dumps.__name__", "str cannot be called"),
        (".x:y", "x"),
    ],
)
def test_what_is_not_there(here, reference, said):
    (here / "broken.py").write_text("import nothing_such\n")
    with pytest.raises(TrackerError, match=said):
        load_factory(reference)
    assert "broken" not in sys.modules


def test_errors_of_the_module_are_its_own(here):
    (here / "raises.py").write_text("1 / 0\n")
    for reference in ("raises.py:x", "raises:x"):
        with pytest.raises(ZeroDivisionError):
            load_factory(reference)
