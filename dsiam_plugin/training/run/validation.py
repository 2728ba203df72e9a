"""Validation inside training: how well does a tracker follow with these weights.

The scores are success AUC as in the evaluation's, on synthetic sequences that are made once
a run and on data sets that the user names; never on a benchmark by itself.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dsiam_plugin.errors import ConfigError, TrainingError
from dsiam_plugin.evaluation.synthesis.dataset import MANIFEST, SynthesisConfig, write_dataset
from dsiam_plugin.io.sources import Frame, ImageSource
from dsiam_plugin.trackers.builders import build_tracker
from dsiam_plugin.trackers.follow import Tracker, follow
from dsiam_plugin.training.run.recipe import ValidationConfig

SYNTHETIC = "synthetic"


class Scores(NamedTuple):
    """Result of a validation."""

    # Mean of the data sets' mean success AUC, in [0, 1]; decides which checkpoint is best
    mean: float
    sets: dict[str, dict[str, float]]  # data set to sequence to success AUC
    seconds: float  # what it took

    def set_means(self) -> dict[str, float]:
        """Mean AUC of each data set."""
        return {name: float(np.mean(list(item.values()))) for name, item in self.sets.items()}


class Validator:
    """Tracks fixed sequences with the weights of the moment.

    Raises:
        ConfigError: If there is nothing to validate on.
        TrainingError: If a data set cannot be read.
    """

    def __init__(self, config: ValidationConfig, folder: Path, device: str, precision: str):
        if not config.sequences and not config.folders:
            raise ConfigError(
                "validation: neither sequences nor folders; expected some, or every: 0"
            )
        self.config = config
        self.device = device
        self.precision = precision
        folders = {SYNTHETIC: _synthetic(config, folder)} if config.sequences else {}
        folders |= {Path(name).resolve().name: Path(name) for name in config.folders}
        self._videos = {
            name: _videos(path, 0 if name == SYNTHETIC else config.max_sequences)
            for name, path in folders.items()
        }

    def score(self, weights: Path, each_frame: Callable[[], None]) -> Scores:
        """Tracks everything."""
        start = time.perf_counter()
        tracker = build_tracker(
            self.config.tracker, weights=weights, device=self.device, precision=self.precision
        )
        sets = {}
        for name, videos in self._videos.items():
            limit = None if name == SYNTHETIC else self.config.max_frames or None
            sets[name] = {
                video.name: success_auc(tracker, video, limit, each_frame) for video in videos
            }
        means = [np.mean(list(scores.values())) for scores in sets.values()]
        return Scores(float(np.mean(means)), sets, time.perf_counter() - start)


def success_auc(
    tracker: Tracker, video: Any, frames: int | None, each_frame: Callable[[], None]
) -> float:
    """Success AUC of a tracker on the first frames of one sequence of the toolkit."""
    from dsiam_plugin.evaluation.measures.metrics import success_curve

    truth = np.asarray(video.gt_traj, dtype=float)[:frames]
    images = _announced(ImageSource(video.img_names[: len(truth)]), each_frame)
    steps = follow(tracker, images, lambda image: video.init_rect)
    boxes = np.array([step.box for _, step in steps])
    boxes[0] = truth[0]
    return float(success_curve(truth, boxes).mean())


def _announced(frames: Iterable[Frame], each_frame: Callable[[], None]) -> Iterator[Frame]:
    """The frames, with a call before each one that is tracked."""
    for frame in frames:
        if frame.index > 0:
            each_frame()
        yield frame


def _synthetic(config: ValidationConfig, folder: Path) -> Path:
    """The run's own sequences below ``folder``, made if they are not there yet."""
    stills = None if config.stills is None else Path(config.stills)
    source = "procedural" if stills is None else stills.name
    made = folder / f"{source}_{config.sequences}x{config.frames}_seed{config.seed}"
    if not (made / MANIFEST).is_file():
        wanted = SynthesisConfig(
            sequences=config.sequences, frames=config.frames, seed=config.seed, stills=stills
        )
        write_dataset(made, wanted)
    return made


def _videos(folder: Path, limit: int) -> list[Any]:
    from dsiam_plugin.errors import DSiamError
    from dsiam_plugin.evaluation.datasets.factory import create_dataset

    try:
        videos = list(create_dataset(folder.resolve()))
    except DSiamError as error:
        raise TrainingError(f"validation on {folder}: {error}") from error
    return videos[: limit or None]
