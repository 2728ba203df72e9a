"""The training loop: batches in, checkpoints and the best weights out.

Everything random is a pure function of seed, pass and step, and a checkpoint holds the rest. So a
run that was killed at any moment and resumed ends with the same parameters as an unbroken one.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from dsiam_plugin.errors import CheckpointError, TrainingError
from dsiam_plugin.io.files import atomic_path
from dsiam_plugin.io.messages import fail
from dsiam_plugin.models.weights import save_weights
from dsiam_plugin.training.data.prefetch import BatchShare, Dataset, Position, batches, positions
from dsiam_plugin.training.joint.learner import Learner, Machine, NotFiniteError, Update
from dsiam_plugin.training.run.checkpoints import (
    Checkpoint,
    check_same_run,
    load_checkpoint,
    save_checkpoint,
)
from dsiam_plugin.training.run.curves import Averages
from dsiam_plugin.training.run.interrupts import Stopped, StopRequests
from dsiam_plugin.training.run.recipe import TrainingConfig, as_mapping
from dsiam_plugin.training.run.records import Files, Records
from dsiam_plugin.training.run.validation import Scores

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingJob:
    """A training with all its parts."""

    config: TrainingConfig  # the recipe
    model: nn.Module  # takes a batch, returns losses
    make_dataset: Callable[[], Dataset]  # opens the data; must pickle where `workers` is not 0
    samples: int  # samples of one pass
    files: Files  # where everything goes
    machine: Machine  # where and how it computes
    data: Mapping[str, str] = field(default_factory=dict)  # digest of each pack by its name
    # What the weights' header says beside the scores
    origin: Mapping[str, Any] = field(default_factory=dict)
    # Scores a file of weights, calling its second argument before each frame; None for no
    # validation
    validate: Callable[[Path, Callable[[], None]], Scores] | None = None
    workers: int = 0  # processes that prepare batches; 0 for a thread
    sample: str = "sample"  # what one sample is called


class Trainer:
    """One run, from its first step or from its last checkpoint.

    Raises:
        TrainingError: If the batch does not fit the data or the number of processes.
    """

    def __init__(self, job: TrainingJob):
        self.job = job
        self.group = job.machine.group
        self.steps = _steps_of_a_pass(job)
        self.learner = Learner(job.model, job.config, self.steps * job.config.epochs, job.machine)
        self.records = Records(job.config, self.learner.model, job.files, job.machine, job.sample)
        self.position = Position(0, 0)
        self.best: float | None = None
        self._saved_at = time.monotonic()

    def resume(self) -> None:
        """Continues from the last checkpoint of the run's folder.

        Raises:
            CheckpointError: If there is none, it is damaged or of another configuration.
        """
        path = self.job.files.last
        checkpoint = load_checkpoint(path)
        check_same_run(checkpoint, as_mapping(self.job.config), self.job.data, path)
        try:
            self.learner.load_state_dict(checkpoint.learner)
        except Exception as error:  # whatever PyTorch's own loaders raise
            fail(CheckpointError, path, f"its state does not fit this run ({error})")
        self.records.averages = Averages(checkpoint.averages)
        self.position = Position(checkpoint.epoch, checkpoint.step)
        self.best = checkpoint.best

    def run(self) -> None:
        """Trains to the end of the last pass.

        Raises:
            Stopped: On SIGINT or SIGTERM, after a checkpoint was written.
            NotFiniteError: If the loss is not finite; the batch was saved.
            CheckpointError: If the disk is full.
        """
        job, epochs = self.job, self.job.config.epochs
        share = BatchShare(job.config.batch_size, self.group.rank, self.group.world)
        order = positions(self.position, epochs, self.steps)
        with ExitStack() as stack:
            stops = stack.enter_context(StopRequests(self.group))
            source = batches(job.make_dataset, share, order, job.workers)
            stack.enter_context(closing(source))
            stack.enter_context(self.records.open(self._done(), self.position.epoch * self.steps))
            while self.position.epoch < epochs:
                self._learn_pass(source, stops)
                self._end_pass(stops)

    def _learn_pass(self, source: Iterator[Any], stops: StopRequests) -> None:
        epoch, first = self.position
        self.records.start_pass(epoch, first, self.steps)
        for step in range(first, self.steps):
            with self.group.together():
                batch = next(source)
            update = self._learn(batch)
            self.position = Position(epoch, step + 1)
            self.records.add(update, self._done())
            stop = stops.requested()
            if stop or self._checkpoint_is_due():
                self._save(self.job.files.last)
            if stop:
                raise Stopped(stop)

    def _end_pass(self, stops: StopRequests) -> None:
        """Validates where it is due, and keeps the weights if none before were better."""
        epoch, every = self.position.epoch, self.job.config.validation.every
        self._save(self.job.files.last)  # a validation takes long enough to be interrupted
        last = epoch + 1 == self.job.config.epochs
        with self.group.together():
            if self.group.is_first:
                if self.job.validate and (last or (epoch + 1) % every == 0):
                    self._validate(stops)
                elif last and not self.job.validate:
                    self._write_weights(self.job.files.weights, {})
        self.position = Position(epoch + 1, 0)
        self._save(self.job.files.last)

    def _learn(self, batch: Any) -> Update:
        """One step; a batch that breaks it is saved."""
        try:
            return self.learner.update(batch, self._done())
        except NotFiniteError as error:
            path = self.job.files.bad_batch(self.group.rank)
            named = {name: item.contiguous() for name, item in batch._asdict().items()}
            with atomic_path(path) as temporary:
                temporary.write_bytes(save(named))
            epoch, step = self.position
            raise NotFiniteError(
                f"pass {epoch + 1}, step {step}: {error}; nothing was learnt from the batch, which"
                f" is in {path}"
            ) from None

    def _validate(self, stops: StopRequests) -> None:
        files, validate = self.job.files, self.job.validate
        assert validate is not None  # else there is nothing due
        self._write_weights(files.candidate, {})
        scores = validate(files.candidate, stops.raise_own)
        means = {**scores.set_means(), "mean": scores.mean, "seconds": scores.seconds}
        self.records.add_scores(means, self._done())
        better = self.best is None or scores.mean > self.best
        logger.info(
            "pass %d: validation AUC %.4f in %.0f s%s",
            self.position.epoch + 1,
            scores.mean,
            scores.seconds,
            ", the best so far" if better else f" (best {self.best:.4f})",
        )
        if better:
            self.best = scores.mean
            self._write_weights(files.candidate, {"validation": scores.sets, "auc": scores.mean})
            self._save(files.best)
            os.replace(files.candidate, files.weights)
        files.candidate.unlink(missing_ok=True)

    def _write_weights(self, path: Path, scores: Mapping[str, Any]) -> None:
        origin = {**self.job.origin, **scores, "passes": self.position.epoch + 1}
        with torch.no_grad():
            weights = self.learner.model.to_weights(origin)
        save_weights(weights, path, torch.float16)

    def _save(self, path: Path) -> None:
        if not self.group.is_first:
            return
        checkpoint = Checkpoint(
            config=as_mapping(self.job.config),
            data=dict(self.job.data),
            epoch=self.position.epoch,
            step=self.position.step,
            learner=self.learner.state_dict(),
            averages=self.records.averages.state_dict(),
            best=self.best,
        )
        save_checkpoint(checkpoint, path)
        self._saved_at = time.monotonic()

    def _checkpoint_is_due(self) -> bool:
        config, step = self.job.config, self.position.step
        by_steps = config.checkpoint_steps and step % config.checkpoint_steps == 0
        by_time = config.checkpoint_s and time.monotonic() - self._saved_at >= config.checkpoint_s
        return bool(by_steps or by_time)

    def _done(self) -> int:
        """Steps of the whole run that are done."""
        return self.position.epoch * self.steps + self.position.step


def _steps_of_a_pass(job: TrainingJob) -> int:
    """Whole batches of one pass."""
    size, world = job.config.batch_size, job.machine.group.world
    if size % world:
        raise TrainingError(f"batch_size {size}: expected a multiple of the {world} processes")
    if job.samples < size:
        raise TrainingError(
            f"{job.samples} {job.sample}s a pass: expected at least one batch of {size}"
        )
    return job.samples // size
