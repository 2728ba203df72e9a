"""The stages: which data and which model a configuration stands for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.config.files import load_config
from dsiam_plugin.config.variants import find_variant
from dsiam_plugin.errors import CheckpointError
from dsiam_plugin.models.weights import Weights, load_weights
from dsiam_plugin.training.box.rollout import BoxClipModel
from dsiam_plugin.training.box.stage import BoxModel
from dsiam_plugin.training.data.clips import ClipDataset
from dsiam_plugin.training.data.pack import Pack, open_pack
from dsiam_plugin.training.data.pairs import PairDataset
from dsiam_plugin.training.data.prefetch import Dataset
from dsiam_plugin.training.joint.stage import ClipModel
from dsiam_plugin.training.run.recipe import (
    BoxClipsTraining,
    BoxTraining,
    DSiamMTraining,
    SiamFCTraining,
    TrainingConfig,
    merged,
)
from dsiam_plugin.training.run.warm_start import start_from
from dsiam_plugin.training.siamese.stage import SiameseModel

PAIRS_TO_MEASURE = 32  # enough for the mean and variance of every channel's cells


@dataclass(frozen=True)
class Start:
    """The beginning of a model."""

    weights: Weights | None  # to start from; None for fresh parameters
    dataset: Dataset  # the stage's batches


@dataclass(frozen=True)
class Stage:
    """The parts of a stage."""

    sample: str  # what one sample is called
    dataset: Callable[[Sequence[Pack], Any], Dataset]  # from packs and configuration to batches
    # From a configuration and a start to a module that takes a batch and returns `loss` (), further
    # () values to log and `responses` to show; it has `parameter_groups`, `to_weights`, `scalars`
    # and `maps`
    model: Callable[[Any, Start], nn.Module]
    default_start: Callable[[], Weights | None] = lambda: None  # where no weights are named


def open_dataset(paths: Sequence[Path], config: TrainingConfig) -> Dataset:
    """The stage's batches from folders of packs; a worker process calls it for itself."""
    return STAGES[config.stage].dataset([open_pack(path) for path in paths], config)


def _pairs(packs: Sequence[Pack], config: SiamFCTraining | BoxTraining) -> Dataset:
    return PairDataset(packs, config.pairs, config.seed)


def _siamese(config: SiamFCTraining, start: Start) -> nn.Module:
    model = SiameseModel(config.model)
    if start.weights is not None:
        start_from(model, start.weights, start.dataset.batch(0, 0, PAIRS_TO_MEASURE))
    return model


def _box(config: BoxTraining, start: Start) -> nn.Module:
    assert start.weights is not None
    return BoxModel(config.model, start.weights, start.dataset.batch(0, 0, PAIRS_TO_MEASURE))


def _clips(packs: Sequence[Pack], config: DSiamMTraining | BoxClipsTraining) -> Dataset:
    return ClipDataset(packs, config.clips, config.seed)


def _joint(config: DSiamMTraining, start: Start) -> nn.Module:
    if start.weights is None:
        raise CheckpointError(
            "stage dsiamm: starts from weights of stage one; name a file of them with --weights"
        )
    return ClipModel(start.weights, _unrolled(config, start.weights), config.dynamic)


def _box_clips(config: BoxClipsTraining, start: Start) -> nn.Module:
    assert start.weights is not None
    tracker = _unrolled(config, start.weights)
    return BoxClipModel(config.model, config.rollout, start.weights, tracker)


def _unrolled(config: DSiamMTraining | BoxClipsTraining, weights: Weights) -> TrackerConfig:
    learnt = weights.config.get("tracker", {})  # of an earlier joint training
    settings = merged(learnt, config.tracker.settings)
    return load_config(settings, find_variant(config.tracker.variant).config)


STAGES = {
    "siamfc": Stage("pair", _pairs, _siamese),
    "dsiamm": Stage("clip", _clips, _joint),
    "dsiambox": Stage("clip", _clips, _box_clips, partial(load_weights, box_head=True)),
    "box": Stage("pair", _pairs, _box, load_weights),
}
