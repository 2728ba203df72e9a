"""The display of a run while it learns: progress bar, log lines, curve and pictures."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from dsiam_plugin.training.joint.learner import Machine, Update
from dsiam_plugin.training.joint.memory import MemoryMeter
from dsiam_plugin.training.run.curves import Averages, Board, Curve
from dsiam_plugin.training.run.recipe import TrainingConfig

logger = logging.getLogger(__name__)

MEASURED_STEPS = 5  # by then every buffer has been allocated once
SECONDS_BETWEEN_LINES = 60.0
MIB = 2**20


class Files:
    """Names of what a run writes in its folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.last = folder / "last.pt"
        self.best = folder / "best.pt"
        self.candidate = folder / "candidate.safetensors"
        self.weights = folder / "weights.safetensors"
        self.curve = folder / "curve.csv"
        self.scores = folder / "validation.csv"
        self.board = folder / "tensorboard"
        self.log = folder / "train.log"
        self.validation = folder / "validation"

    def bad_batch(self, rank: int) -> Path:
        """File in which a process saves a batch whose loss is not finite."""
        return self.folder / f"bad_batch_{rank}.safetensors"


class Records:
    """Shows a run. Only the first process of a group writes and draws."""

    def __init__(
        self, config: TrainingConfig, model: nn.Module, files: Files, machine: Machine, sample: str
    ):
        self.averages = Averages()
        self._config = config
        self._model: Any = model  # with the methods that a stage has
        self._files = files
        self._machine = machine
        self._sample = sample
        self._shows = machine.group.is_first
        self._memory = MemoryMeter(machine.device)
        self._steps = 0
        self._bar: tqdm | None = None
        self._line_at = self._row_at = time.monotonic()

    def open(self, step: int, scored: int) -> Records:
        """Opens the curves' files; use the result as a context manager.

        Args:
            step: Where the run goes on; later rows of the curve are dropped.
            scored: The last validation's step; later rows of scores are dropped.
        """
        if self._shows:
            self._curve = Curve(self._files.curve, step)
            self._scores = Curve(self._files.scores, scored)
            self._board = Board(self._files.board, step)
        return self

    def __enter__(self) -> Records:
        return self

    def __exit__(self, *details: object) -> None:
        self._close_bar()
        if self._shows:
            self._board.close()

    def start_pass(self, epoch: int, step: int, steps: int) -> None:
        """A new bar, of the samples of pass ``epoch``, of which ``step`` steps are done."""
        self._close_bar()
        size = self._config.batch_size
        self._bar = tqdm(
            desc=f"pass {epoch + 1}/{self._config.epochs}",
            total=steps * size,
            initial=step * size,
            unit=f" {self._sample}s",
            disable=None if self._shows else True,
        )

    def add(self, update: Update, step: int) -> None:
        """Counts a step."""
        self.averages.add(update.values)
        self._steps += 1
        if not self._shows:
            return
        if self._bar is not None:
            self._bar.update(self._config.batch_size)
            self._bar.set_postfix(loss=f"{update.values['loss']:.4f}", refresh=False)
        if self._steps == MEASURED_STEPS:
            self._report_memory()
        if self.averages.count >= self._config.log_steps:
            self._write_row(step)
        every = self._config.picture_steps
        if every and step % every == 0:
            self._board.pictures(update.responses, self._model.maps(), step)

    def add_scores(self, means: Mapping[str, float], step: int) -> None:
        """A row of validation scores: each data set's, their mean, seconds."""
        self._scores.add(step, means)
        self._board.scalars({f"validation/{name}": item for name, item in means.items()}, step)

    def _write_row(self, step: int) -> None:
        count, now = self.averages.count, time.monotonic()
        speed = count * self._config.batch_size / max(now - self._row_at, 1e-9)
        with torch.no_grad():
            values = {**self.averages.take(), **self._model.scalars()}
        self._curve.add(step, {**values, f"{self._sample}s_per_s": speed})
        self._board.scalars(values, step)
        self._row_at = now
        if now - self._line_at >= SECONDS_BETWEEN_LINES:
            self._line_at = now
            logger.info("step %d: loss %.4f, %.1f %ss/s", step, values["loss"], speed, self._sample)

    def _report_memory(self) -> None:
        growth = self._memory.growth()
        if growth is not None:
            share = self._config.batch_size // self._machine.group.world
            logger.info("memory: %.0f MiB a %s", growth / share / MIB, self._sample)

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
