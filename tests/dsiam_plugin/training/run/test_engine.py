import csv
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_training import CONFIG, TinyDataset, tiny_job

from dsiam_plugin.errors import CheckpointError, TrainingError
from dsiam_plugin.models.weight_files import read_parts
from dsiam_plugin.training.joint.learner import NotFiniteError
from dsiam_plugin.training.run.checkpoints import load_checkpoint
from dsiam_plugin.training.run.engine import Trainer
from dsiam_plugin.training.run.interrupts import Stopped
from dsiam_plugin.training.run.validation import Scores

TINY = Path(__file__).resolve().parents[3] / "tiny_training.py"


def trained(out, **other):
    trainer = Trainer(tiny_job(out, **other))
    trainer.run()
    return trainer


def parameters(path):
    return load_checkpoint(path).learner["model"]


def assert_equal_runs(one: Path, other: Path):
    ours, theirs = parameters(one / "last.pt"), parameters(other / "last.pt")
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    curves = []
    for folder in (one, other):
        with (folder / "curve.csv").open() as stream:
            rows = list(csv.DictReader(stream))
        curves.append([{k: v for k, v in row.items() if k != "samples_per_s"} for row in rows])
    assert curves[0] == curves[1]
    assert len(curves[0]) == 15  # 3 passes of 10 steps, two steps a row


class Breaking(TinyDataset):
    """Sends this process a signal while it makes a batch."""

    def batch(self, epoch, step, *share):
        if (epoch, step) == (1, 6):
            os.kill(os.getpid(), signal.SIGTERM)
        return super().batch(epoch, step, *share)


def test_learns(tmp_path):
    trained(tmp_path)
    with (tmp_path / "curve.csv").open() as stream:
        losses = [float(row["loss"]) for row in csv.DictReader(stream)]
    assert losses[-1] < losses[0] / 3


def test_resumed_after_a_signal_equals_unbroken(tmp_path):
    trained(tmp_path / "one")
    with pytest.raises(Stopped) as caught:
        trained(tmp_path / "two", dataset=Breaking())
    assert caught.value.status == 143
    stopped = load_checkpoint(tmp_path / "two" / "last.pt")
    assert stopped.epoch == 1
    assert 0 < stopped.step < 10  # batches are made ahead, so not exactly where the signal came
    again = Trainer(tiny_job(tmp_path / "two"))
    again.resume()
    again.run()
    assert_equal_runs(tmp_path / "one", tmp_path / "two")


def test_handlers_of_signals_are_put_back(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    trained(tmp_path)
    assert signal.getsignal(signal.SIGTERM) == before


def test_resuming_needs_a_checkpoint(tmp_path):
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        Trainer(tiny_job(tmp_path)).resume()


def test_other_configuration_is_refused_with_its_keys(tmp_path):
    trained(tmp_path)
    other = replace(CONFIG, seed=7, optimizer=replace(CONFIG.optimizer, lr=0.2))
    with pytest.raises(CheckpointError, match=r"optimizer.lr 0.2 instead of 0.1; seed 7 instead"):
        Trainer(tiny_job(tmp_path, other)).resume()
    with pytest.raises(CheckpointError, match="data x 'ab' instead of None"):
        Trainer(tiny_job(tmp_path, data={"x": "ab"})).resume()


def test_how_often_checkpoints_are_written_may_change(tmp_path):
    trained(tmp_path)
    Trainer(tiny_job(tmp_path, replace(CONFIG, checkpoint_steps=1))).resume()


def test_nan_stops_the_run_and_saves_the_batch(tmp_path):
    with pytest.raises(NotFiniteError) as caught:
        trained(tmp_path, dataset=TinyDataset(broken=4))
    path = tmp_path / "bad_batch_0.safetensors"
    assert str(path) in str(caught.value)
    assert "pass 2, step 4" in str(caught.value)
    batch = load_file(path)
    assert batch["pictures"].shape == (4, 8, 8, 3)
    assert batch["pictures"].isnan().all()
    kept = load_checkpoint(tmp_path / "last.pt")
    assert (kept.epoch, kept.step) == (1, 3)
    assert all(item.isfinite().all() for item in kept.learner["model"].values())


def test_batch_larger_than_the_data(tmp_path):
    with pytest.raises(TrainingError, match="3 samples a pass: expected at least one batch of 4"):
        Trainer(tiny_job(tmp_path, dataset=TinyDataset(3)))


def test_full_disk_keeps_the_old_checkpoint(tmp_path, monkeypatch):
    trainer = trained(tmp_path)
    before = (tmp_path / "last.pt").read_bytes()

    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(CheckpointError, match="No space left on device.*earlier checkpoint is"):
        trainer._save(tmp_path / "last.pt")
    assert (tmp_path / "last.pt").read_bytes() == before
    assert not list(tmp_path.glob(".last*"))


def test_best_weights_are_those_of_the_best_score(tmp_path):
    scores = iter([0.4, 0.6, 0.5])
    seen = []

    def validate(path, each_frame):
        each_frame()
        seen.append({name: item.clone() for name, item in load_file(path).items()})
        return Scores(next(scores), {"a": {"s": 0.5}}, 1.0)

    config = replace(CONFIG, validation=replace(CONFIG.validation, every=1))
    trained(tmp_path, config=config, validate=validate)
    weights = read_parts(tmp_path / "weights.safetensors")
    assert torch.equal(weights["tensors"]["conv.weight"].float(), seen[1]["conv.weight"].float())
    assert not torch.equal(seen[1]["conv.weight"], seen[2]["conv.weight"])
    assert weights["config"]["origin"]["auc"] == 0.6
    assert weights["config"]["origin"]["passes"] == 2
    assert load_checkpoint(tmp_path / "best.pt").best == 0.6
    assert load_checkpoint(tmp_path / "last.pt").best == 0.6
    rows = (tmp_path / "validation.csv").read_text().splitlines()
    assert rows == ["step,a,mean,seconds", "10,0.5,0.4,1", "20,0.5,0.6,1", "30,0.5,0.5,1"]


def test_interrupted_validation_is_made_again(tmp_path):
    calls = []

    def validate(path, each_frame):
        calls.append(path)
        if len(calls) == 1:
            os.kill(os.getpid(), signal.SIGINT)
        each_frame()
        return Scores(0.5, {"a": {"s": 0.5}}, 1.0)

    config = replace(CONFIG, epochs=1, validation=replace(CONFIG.validation, every=1))
    with pytest.raises(Stopped) as caught:
        trained(tmp_path, config=config, validate=validate)
    assert caught.value.status == 130
    again = Trainer(tiny_job(tmp_path, config, validate=validate))
    again.resume()
    again.run()
    assert len(calls) == 2
    assert len((tmp_path / "validation.csv").read_text().splitlines()) == 2


def test_without_validation_the_last_weights_are_written(tmp_path):
    trainer = trained(tmp_path)
    stored = read_parts(tmp_path / "weights.safetensors")["tensors"]["conv.weight"].float()
    last = trainer.learner.model.conv.weight.detach()
    assert torch.allclose(stored, last, rtol=1e-3)


def start(out, *options):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(TINY.parents[1])}
    command = [sys.executable, str(TINY), str(out), "--samples", "1600", *options]
    return subprocess.Popen(command, env=environment)


@pytest.mark.integration
def test_killed_run_resumes_to_the_same_parameters(tmp_path):
    assert start(tmp_path / "one").wait(300) == 0
    process = start(tmp_path / "two")
    curve = tmp_path / "two" / "curve.csv"
    deadline = time.monotonic() + 120
    while not (curve.is_file() and len(curve.read_bytes().splitlines()) > 100):
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert load_checkpoint(tmp_path / "two" / "last.pt").epoch < 2
    assert start(tmp_path / "two", "--resume").wait(300) == 0
    ours, theirs = (parameters(tmp_path / name / "last.pt") for name in ("one", "two"))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    lines = [
        [line.rsplit(",", 1)[0] for line in (tmp_path / name / "curve.csv").read_text().split()]
        for name in ("one", "two")
    ]
    assert lines[0] == lines[1]
