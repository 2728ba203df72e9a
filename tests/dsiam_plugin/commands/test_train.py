import csv
import logging

import pytest
import torch
from clip_data import write_pack
from seeded_network import CHANNELS, write_weights
from tiny_training import write_sequence

from dsiam_plugin.commands.main import main
from dsiam_plugin.models.weights import load_weights

STAGE_ONE = f"""
stage: siamfc
epochs: 2
batch_size: 2
precision: float32
log_steps: 1
picture_steps: 1
optimizer: {{lr: 1e-3, lr_end: 1e-4}}
validation: {{every: 1, sequences: 1, frames: 10}}
model: {{channels: {list(CHANNELS)}}}
pairs: {{pairs: 4}}
"""
STAGE_TWO = """
stage: dsiamm
epochs: 1
batch_size: 1
precision: float32
log_steps: 1
validation: {every: 0}
clips: {clips: 2, length: 3}
"""
STAGE_BOX_CLIPS = """
stage: dsiambox
epochs: 1
batch_size: 1
precision: float32
log_steps: 1
picture_steps: 1
validation: {every: 0}
clips: {clips: 1, length: 3}
"""
STAGE_BOX = """
stage: box
epochs: 1
batch_size: 2
precision: float32
validation: {every: 0}
model: {cells: 9, channels: 8, hidden: 4}
pairs: {pairs: 2, search_size: 191, variants: true}
"""


@pytest.fixture
def pack(tmp_path):
    return write_pack(tmp_path / "pack").path


@pytest.fixture
def train(tmp_path, pack):
    """Runs `dsiam train` on a recipe's text and the pack; gives its exit status."""

    def run(recipe, *options, data=None):
        path = tmp_path / "recipe.yaml"
        path.write_text(recipe)
        named = f"patches={pack}" if data is None else data
        out = tmp_path / "run"
        return main(["train", str(path), "--data", named, "--out", str(out), *options])

    return run


def test_stage_one_from_recipe_to_tracker(train, tmp_path, capsys):
    assert train(STAGE_ONE, "--device", "cpu", "--set", "seed=3") == 0
    printed = capsys.readouterr().out
    weights = load_weights(tmp_path / "run" / "weights.safetensors")
    assert f"dsiam track VIDEO --weights {weights.path}" in printed
    assert [len(weights.tensors[f"conv{n}.weight"]) for n in range(1, 6)] == list(CHANNELS)
    origin = weights.config["origin"]
    assert origin["recipe"]["seed"] == 3
    assert origin["command"] == "dsiam train recipe.yaml --data patches=pack --set seed=3"
    assert len(origin["data"]["patches"]) == 64
    assert 0 <= origin["auc"] <= 1
    assert str(tmp_path) not in str(origin)
    with (tmp_path / "run" / "curve.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"]
    log = (tmp_path / "run" / "train.log").read_text()
    assert "data patches: 3 tracks, 15 crops" in log
    assert "validation AUC" in log
    assert not logging.getLogger("dsiam_plugin.training").handlers


def test_the_header_names_no_folder_of_the_machine(train, tmp_path):
    sequence = tmp_path / "own" / "Patch"
    write_sequence(sequence)
    assert train(STAGE_ONE, "--epochs", "1", "--validate", str(sequence.parent)) == 0
    origin = load_weights(tmp_path / "run" / "weights.safetensors").config["origin"]
    assert str(tmp_path) not in str(origin)
    assert origin["recipe"]["validation"]["folders"] == ["own"]
    assert set(origin["validation"]) == {"own", "synthetic"}
    assert "--validate own" in origin["command"]


def test_a_finished_run_is_kept_and_may_be_resumed_for_nothing(train, tmp_path, capsys):
    assert train(STAGE_ONE, "--epochs", "1") == 0
    before = (tmp_path / "run" / "weights.safetensors").read_bytes()
    assert train(STAGE_ONE, "--epochs", "1") == 2
    assert "holds a run already; --resume goes on with it" in capsys.readouterr().err
    assert train(STAGE_ONE, "--epochs", "1", "--resume") == 0
    assert (tmp_path / "run" / "weights.safetensors").read_bytes() == before
    assert train(STAGE_ONE, "--epochs", "2", "--resume") == 2
    assert "another configuration: epochs 2 instead of 1" in capsys.readouterr().err


def test_stage_one_may_start_from_weights(train, tmp_path):
    start = write_weights(tmp_path / "start.npz")
    still = ["--set", "optimizer.lr=1e-12", "--set", "optimizer.lr_end=1e-12"]
    assert train(STAGE_ONE, "--weights", str(start), *still, "--set", "validation.every=0") == 0
    weights = load_weights(tmp_path / "run" / "weights.safetensors")
    assert weights.head == pytest.approx(load_weights(start).head, rel=1e-5)
    # Two steps of running statistics are between the two.
    ours, theirs = (item.tensors["conv1.weight"] for item in (weights, load_weights(start)))
    assert torch.nn.functional.cosine_similarity(ours.flatten(), theirs.flatten(), dim=0) > 0.99


def test_stage_two_starts_from_weights(train, tmp_path):
    start = write_weights(tmp_path / "start.npz")
    assert train(STAGE_TWO, "--weights", str(start)) == 0
    weights = load_weights(tmp_path / "run" / "weights.safetensors")
    assert weights.tensors["fusion.conv5"].shape == (17, 17)
    assert "lambda_v" in weights.config["tracker"]["transform"]


def test_stage_two_needs_weights(train, capsys):
    assert train(STAGE_TWO) == 2
    assert "starts from weights of stage one" in capsys.readouterr().err


def test_the_box_stage_notes_that_it_starts_from_the_embedded_weights(train, tmp_path):
    assert train(STAGE_BOX) == 0
    weights = load_weights(tmp_path / "run" / "weights.safetensors")
    assert weights.has_box_head
    assert weights.config["origin"]["data"]["(weights)"] == load_weights().sha256


def test_the_box_network_goes_on_through_time_from_the_package_s(train, tmp_path):
    assert train(STAGE_BOX_CLIPS) == 0
    weights = load_weights(tmp_path / "run" / "weights.safetensors")
    start = load_weights(box_head=True)
    assert weights.tensors.keys() == start.tensors.keys()
    assert weights.config["origin"]["data"]["(weights)"] == start.sha256


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("{raw}", "expected NAME=FOLDER"),
        ("raw={raw}", "not a pack (no pack.json); `dsiam data curate` makes one"),
        ("raw={raw}/nothing", "not a pack"),
    ],
)
def test_raw_data_is_refused_with_the_remedy(train, tmp_path, capsys, data, said):
    (tmp_path / "raw").mkdir()
    assert train(STAGE_ONE, data=data.format(raw=tmp_path / "raw")) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_name_twice(train, pack, capsys):
    assert train(STAGE_ONE, "--data", f"patches={pack}") == 2
    assert "'patches' comes twice" in capsys.readouterr().err


def test_a_recipe_with_mistakes(train, capsys):
    assert train("stage: siamfc\nepoch: 3\n", "--set", "optimizer.lrr=1") == 2
    message = capsys.readouterr().err
    assert "epoch: unknown key, did you mean 'epochs'?" in message
    assert "optimizer.lrr: unknown key, did you mean 'lr'?" in message
