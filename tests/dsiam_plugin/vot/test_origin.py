"""What results depend on: every file of the package, settings, weights, registry, sequences."""

import os

import pytest

from dsiam_plugin.vot import origin
from dsiam_plugin.vot.origin import digest_folder, origin_of_results


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A workspace with one sequence, and a package of three files."""
    files = {
        "w/config.yaml": "registry: [own, ../trackers.ini]\nsequences: s\n",
        "w/own/trackers.ini": "[A]\n",
        "trackers.ini": "[B]\n",
        "w/s/list.txt": "ball\n",
        "w/s/ball/groundtruth.txt": "1,2,3,4\n",
        "package/__init__.py": "",
        "package/core/deep/step.py": "x = 1\n",
        "package/models/data/dsiam.safetensors": "weights",
        "weights.npz": "others",
        "own.yaml": "tracking: {}\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(origin, "PACKAGE", tmp_path / "package")
    return tmp_path / "w"


@pytest.mark.parametrize(
    ("file", "part"),
    [
        ("package/core/deep/step.py", "code"),
        ("package/models/data/dsiam.safetensors", "code"),
        ("package/core/new.py", "code"),
        ("weights.npz", "weights"),
        ("own.yaml", "config"),
        ("trackers.ini", "registry"),
        ("w/own/trackers.ini", "registry"),
        ("w/s/ball/groundtruth.txt", "sequences"),
    ],
)
def test_a_change_in_any_file_shows_in_its_part_alone(workspace, file, part):
    root = workspace.parent
    environment = {
        "DSIAM_WEIGHTS": str(root / "weights.npz"), "DSIAM_CONFIG": str(root / "own.yaml"),
    }  # fmt: skip
    before = origin_of_results(workspace, environment)
    assert origin_of_results(workspace, environment) == before
    (root / file).write_text("changed")
    after = origin_of_results(workspace, environment)
    assert [name for name in before if before[name] != after[name]] == [part]


def test_a_file_that_moves_is_a_change_and_a_cache_is_none(workspace):
    package = workspace.parent / "package"
    before = digest_folder(package)
    (package / "core" / "__pycache__").mkdir()
    (package / "core" / "__pycache__" / "step.pyc").write_bytes(os.urandom(8))
    assert digest_folder(package) == before
    (package / "core" / "deep" / "step.py").rename(package / "core" / "step.py")
    assert digest_folder(package) != before


def test_the_packages_own_files_are_meant():
    assert (origin.PACKAGE / "vot" / "origin.py").is_file()
    assert (origin.PACKAGE / "models" / "data" / "dsiam.safetensors").is_file()
