import pickle

import pytest
import torch

from dsiam_plugin.errors import CheckpointError
from dsiam_plugin.training.run.checkpoints import (
    Checkpoint,
    check_same_run,
    load_checkpoint,
    save_checkpoint,
)

CHECKPOINT = Checkpoint(
    config={"lr": 0.1, "nested": {"seed": 3}, "checkpoint_s": 5.0},
    data={"clips": "abc"},
    epoch=2,
    step=7,
    learner={"model": {"w": torch.tensor([1.0, 2.0])}, "optimizer": {"state": {}}},
    averages={"sums": {"loss": 1.5}, "count": 3},
    best=0.5,
)


def test_is_read_back_unchanged(tmp_path):
    path = tmp_path / "last.pt"
    save_checkpoint(CHECKPOINT, path)
    found = load_checkpoint(path)
    assert torch.equal(found.learner["model"]["w"], CHECKPOINT.learner["model"]["w"])
    for name in ("config", "data", "epoch", "step", "averages", "best"):
        assert getattr(found, name) == getattr(CHECKPOINT, name)
    assert [item.name for item in tmp_path.iterdir()] == ["last.pt"]


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_a_truncated_file_is_named(tmp_path, keep):
    path = tmp_path / "last.pt"
    save_checkpoint(CHECKPOINT, path)
    content = path.read_bytes()
    path.write_bytes(content[: keep if isinstance(keep, int) else int(keep * len(content))])
    with pytest.raises(CheckpointError, match="last.pt: not a readable .pt file"):
        load_checkpoint(path)


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('unpickled')",))


@pytest.mark.parametrize("write", [torch.save, lambda item, path: path.write_bytes(item)])
def test_code_in_a_file_is_never_run(tmp_path, write):
    path = tmp_path / "last.pt"
    write(Trap() if write is torch.save else pickle.dumps(Trap()), path)
    with pytest.raises(CheckpointError, match="not a readable .pt file"):
        load_checkpoint(path)


def test_other_files_of_torch_are_refused(tmp_path):
    path = tmp_path / "last.pt"
    torch.save({"w": torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match="not a checkpoint of this program"):
        load_checkpoint(path)


def test_another_configuration_is_refused_with_every_difference(tmp_path):
    config = {"lr": 0.2, "nested": {"seed": 4}, "checkpoint_s": 9.0}
    with pytest.raises(CheckpointError) as caught:
        check_same_run(CHECKPOINT, config, {"clips": "abd"}, tmp_path)
    message = str(caught.value)
    assert "lr 0.2 instead of 0.1; nested.seed 4 instead of 3; data clips 'abd'" in message
    assert "checkpoint_s" not in message


def test_the_same_configuration_passes(tmp_path):
    check_same_run(CHECKPOINT, CHECKPOINT.config, CHECKPOINT.data, tmp_path)
