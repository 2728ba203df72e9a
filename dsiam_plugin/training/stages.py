"""The two stages: which data and which model a configuration stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from dsiam_plugin.training.config import TrainingConfig
from dsiam_plugin.training.pack import Pack, open_pack
from dsiam_plugin.training.pairs import PairDataset
from dsiam_plugin.training.prefetch import Dataset
from dsiam_plugin.training.siamese import SiameseModel


@dataclass(frozen=True)
class Stage:
    """How a stage is put together.

    Attributes:
        sample: What one sample is called.
        dataset: From packs and configuration to batches.
        model: From a configuration and the file to start from, or None for fresh parameters. The
            model takes a batch and returns ``loss`` (), further () values to log and
            ``responses`` to show; it has ``parameter_groups``, ``to_weights``, ``scalars`` and
            ``maps``.
    """

    sample: str
    dataset: Callable[[Sequence[Pack], Any], Dataset]
    model: Callable[[Any, Path | None], nn.Module]


def _pairs(packs: Sequence[Pack], config: Any) -> Dataset:
    return PairDataset(packs, config.pairs, config.seed)


def _siamese(config: Any, weights: Path | None) -> nn.Module:
    return SiameseModel(config.model)


STAGES = {"siamfc": Stage("pair", _pairs, _siamese)}


def open_dataset(paths: Sequence[Path], config: TrainingConfig) -> Dataset:
    """The stage's batches from folders of packs; a worker process calls it for itself."""
    return STAGES[config.stage].dataset([open_pack(path) for path in paths], config)
