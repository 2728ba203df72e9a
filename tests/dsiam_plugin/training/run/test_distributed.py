import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_training import tiny_job
from torch import nn

from dsiam_plugin.training.run.checkpoints import load_checkpoint
from dsiam_plugin.training.run.distributed import (
    Group,
    SyncBatchNorm2d,
    process_group,
    synchronised,
)
from dsiam_plugin.training.run.engine import Trainer

REPOSITORY = Path(__file__).resolve().parents[4]


def test_outside_torchrun_there_is_one_process(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with process_group("auto") as group:
        assert (group.rank, group.world, group.is_first) == (0, 1, True)


def test_one_process_keeps_its_batch_normalisation():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    assert synchronised(model, Group()) is model
    assert type(model[1]) is nn.BatchNorm2d


def test_several_processes_convert_nested_normalisations_and_keep_their_names():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(nn.BatchNorm2d(4)))
    before = dict(model.named_parameters())
    synchronised(model, Group(world=2))
    assert isinstance(model[1][0], SyncBatchNorm2d)
    after = dict(model.named_parameters())
    assert before.keys() == after.keys()
    assert all(before[name] is after[name] for name in before)


def test_normalisation_is_torchs_where_one_process_has_the_whole_batch():
    """Values far from zero, where a mean of squares would cancel."""
    torch.manual_seed(0)
    theirs = nn.BatchNorm2d(5)
    nn.init.uniform_(theirs.weight, 0.5, 2)
    nn.init.uniform_(theirs.bias)
    ours = nn.BatchNorm2d(5)
    ours.load_state_dict(theirs.state_dict())
    ours = SyncBatchNorm2d.of(ours, Group())
    values = 300 + torch.randn(3, 5, 4, 6)
    results = []
    for norm in (theirs, ours):
        inputs = values.clone().requires_grad_()
        output = norm(inputs)
        (output * torch.arange(6.0).sin()).sum().backward()
        results.append([output, inputs.grad, norm.weight.grad, norm.bias.grad])
        results[-1] += [norm.running_mean, norm.running_var, norm.num_batches_tracked]
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=2e-4)
    torch.testing.assert_close(theirs.eval()(values), ours.eval()(values))


def torchrun(processes, out, *options):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(processes), str(REPOSITORY / "tests" / "tiny_training.py")]
    return subprocess.run(
        [*command, str(out), *options], env=environment, capture_output=True, text=True, timeout=600
    )


def losses(out):
    with (out / "curve.csv").open() as stream:
        return [float(row["loss"]) for row in csv.DictReader(stream)]


@pytest.mark.integration
def test_two_processes_learn_as_one_with_the_summed_batch(tmp_path):
    Trainer(tiny_job(tmp_path / "one")).run()
    done = torchrun(2, tmp_path / "two")
    assert done.returncode == 0, done.stderr
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-4)
    one, two = (load_checkpoint(tmp_path / name / "last.pt").learner for name in ("one", "two"))
    for name, value in one["model"].items():
        torch.testing.assert_close(two["model"][name], value, rtol=1e-3, atol=1e-5)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("option", "said"),
    [("--broken-rank", "loss is not finite"), ("--damaged-rank", "because another process failed")],
)
def test_where_one_process_fails_all_do(tmp_path, option, said):
    done = torchrun(2, tmp_path, option, "1")
    assert done.returncode != 0
    assert said in done.stderr
    batches = sorted(path.name for path in tmp_path.glob("bad_batch*"))
    shares = ["bad_batch_0.safetensors", "bad_batch_1.safetensors"]  # of the one global batch
    assert batches == (shares if option == "--broken-rank" else [])
    assert load_checkpoint(tmp_path / "last.pt").epoch == 1
