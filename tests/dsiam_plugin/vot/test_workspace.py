"""Workspaces: registry, stacks, EAO intervals, generated and linked sequences."""

import configparser
import os
import shutil

import pytest
import yaml

from dsiam_plugin.config.variants import tracker_names
from dsiam_plugin.errors import DatasetError, VOTError
from dsiam_plugin.evaluation.synthesis.dataset import write_manifest
from dsiam_plugin.vot import workspace as vot_workspace
from dsiam_plugin.vot.workspace import (
    GENERATED_FRAMES,
    StackSettings,
    eao_interval,
    prepare_workspace,
    registry_text,
)


@pytest.fixture
def data(tmp_path):
    """Two sequences of 196 and 164 frames in VOT's layout, annotations only."""
    folder = tmp_path / "data"
    for name, frames in (("bag", 196), ("motocross1", 164)):
        (folder / name).mkdir(parents=True)
        (folder / name / "groundtruth.txt").write_text("1,2,30,40\n" * frames + "\n")
    (folder / "list.txt").write_text("bag\nmotocross1\n")
    return folder


@pytest.fixture
def without_images(monkeypatch):
    """Replaces the generator by one that writes no images; returns the lengths it was asked for."""
    asked = []

    def write(target, config, force):
        assert force
        asked.append(config.frames)
        (target / "BC").mkdir(parents=True, exist_ok=True)
        (target / "BC" / "groundtruth.txt").write_text("1,2,30,40\n" * config.frames)
        (target / "list.txt").write_text("BC\n")
        write_manifest(target, config, [])

    monkeypatch.setattr("dsiam_plugin.evaluation.synthesis.dataset.write_dataset", write)
    return asked


def test_the_registry_has_a_section_for_every_tracker(repository):
    parser = configparser.ConfigParser()
    parser.read(repository / "trackers.ini")
    assert parser.sections() == list(tracker_names())
    for name in parser.sections():
        section = parser[name]
        assert section["protocol"] == "traxpython"
        assert section["command"] == "dsiam_plugin.vot.client"
        assert section["env_DSIAM_TRACKER"] == name
        assert section["env_DSIAM_DEVICE"] == "auto"
        assert int(section["timeout"]) > 30
        assert not [key for key in section if key.startswith("arg_")]
        assert not [value for value in section.values() if os.path.isabs(value)]


def test_tracked_files_are_what_the_code_writes(repository):
    assert (repository / "trackers.ini").read_text() == registry_text()
    workspace = repository / "vot_workspace"
    config = yaml.safe_load((workspace / "config.yaml").read_text())
    stack = yaml.safe_load((workspace / config["stack"]).read_text())
    low, high = eao_interval([GENERATED_FRAMES])
    made = StackSettings("DSiam generated sequences", low, high, dataset="dsiam-generated")
    assert stack == made.document()
    assert (workspace / config["registry"][0]).resolve() == repository / "trackers.ini"


def test_the_interval_of_vot2015_is_kept_for_its_own_lengths():
    assert eao_interval([300, 416]) == (108, 371)
    assert eao_interval([196, 164]) == (54, 187)
    assert eao_interval([2]) == (1, 2)


def test_data_get_a_workspace_with_their_own_interval(repository, data, tmp_path):
    workspace = tmp_path / "workspace"
    prepare_workspace(workspace, data, repetitions=3)
    config = yaml.safe_load((workspace / "config.yaml").read_text())
    assert config["sequences"] == str(data)
    assert (workspace / config["registry"][0]).resolve() == repository / "trackers.ini"
    experiment = yaml.safe_load((workspace / config["stack"]).read_text())["experiments"][
        "baseline"
    ]
    assert experiment["repetitions"] == 3
    assert experiment["analyses"][1] == {"type": "supervised_eao_score", "low": 54, "high": 187}

    prepare_workspace(workspace, data, interval=(10, 50))
    experiment = yaml.safe_load((workspace / "stack.yaml").read_text())["experiments"]["baseline"]
    assert experiment["repetitions"] == 1
    assert experiment["analyses"][1] == {"type": "supervised_eao_score", "low": 10, "high": 50}


def test_without_the_repository_the_workspace_gets_a_registry(monkeypatch, data, tmp_path):
    monkeypatch.setattr(vot_workspace, "REPOSITORY", tmp_path / "nowhere")
    prepare_workspace(tmp_path / "workspace", data)
    config = yaml.safe_load((tmp_path / "workspace" / "config.yaml").read_text())
    assert config["registry"] == ["trackers.ini"]
    assert (tmp_path / "workspace" / "trackers.ini").read_text() == registry_text()


def test_sequences_are_generated_once_for_each_setting(
    without_images, monkeypatch, tmp_path, caplog
):
    prepare_workspace(tmp_path)
    assert "generating 11 sequences of 80 frames" in caplog.text
    prepare_workspace(tmp_path)
    assert without_images == [GENERATED_FRAMES]
    monkeypatch.setattr(vot_workspace, "GENERATED_FRAMES", 50)
    prepare_workspace(tmp_path)
    assert without_images == [GENERATED_FRAMES, 50]
    stack = yaml.safe_load((tmp_path / "stack.yaml").read_text())
    assert stack["experiments"]["baseline"]["analyses"][1]["high"] == round(371 * 50 / 358)


def test_the_repositorys_workspace_keeps_its_own_stack(without_images, repository, tmp_path):
    workspace = shutil.copytree(repository / "vot_workspace", tmp_path / "w", ignore=only_tracked)
    prepare_workspace(workspace)
    assert without_images == [GENERATED_FRAMES]
    assert not (workspace / "stack.yaml").exists()
    assert (workspace / "sequences" / "list.txt").is_file()


def only_tracked(folder, names):
    return [name for name in names if name not in ("config.yaml", "stacks", "generated.yaml")]


def test_foreign_files_are_not_replaced(tmp_path):
    (tmp_path / "sequences").mkdir()
    (tmp_path / "sequences" / "thesis.txt").write_text("years of work")
    with pytest.raises(DatasetError, match="holds other files"):
        prepare_workspace(tmp_path)
    assert (tmp_path / "sequences" / "thesis.txt").read_text() == "years of work"


def test_workspaces_of_others_keep_their_configuration(data, tmp_path):
    (tmp_path / "config.yaml").write_text("stack: vot2015/rgb\n")
    with pytest.raises(VOTError, match="config.yaml: not made by 'dsiam vot prepare'"):
        prepare_workspace(tmp_path, data)
    with pytest.raises(VOTError, match="expected a new folder"):
        prepare_workspace(tmp_path, repetitions=3)
    assert (tmp_path / "config.yaml").read_text() == "stack: vot2015/rgb\n"
    assert not (tmp_path / "sequences").exists()


def test_data_in_another_layout_are_named(data, tmp_path):
    workspace = tmp_path / "workspace"
    with pytest.raises(
        DatasetError, match=r"missing.list\.txt: .*No such file.*a folder a sequence"
    ):
        prepare_workspace(workspace, tmp_path / "missing")
    (data / "bag" / "groundtruth.txt").unlink()
    with pytest.raises(DatasetError, match=r"bag.groundtruth\.txt: .*No such file"):
        prepare_workspace(workspace, data)
    (data / "bag" / "groundtruth.txt").touch()
    with pytest.raises(DatasetError, match=r"bag.groundtruth\.txt: empty"):
        prepare_workspace(workspace, data)
    (data / "list.txt").write_text("\n")
    with pytest.raises(DatasetError, match=r"list\.txt: no names"):
        prepare_workspace(workspace, data)
    assert not workspace.exists()
