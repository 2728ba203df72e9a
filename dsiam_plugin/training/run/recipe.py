"""Configuration of a training run: frozen dataclasses, one YAML file a recipe.

``stage`` names the class that the rest of the file is read into: ``siamfc`` and ``box`` (image
pairs), ``dsiamm`` and ``dsiambox`` (clips, transforms included). The sections of a stage's data
and model are dataclasses of the modules that use them.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from dsiam_plugin.config.fields import choice, number
from dsiam_plugin.config.files import checked, override, plain, read_settings
from dsiam_plugin.errors import ConfigError
from dsiam_plugin.io.messages import excerpt
from dsiam_plugin.io.parsing import parse_yaml
from dsiam_plugin.training.box.network import BoxConfig
from dsiam_plugin.training.box.rollout import RolloutConfig
from dsiam_plugin.training.data.clips import ClipConfig
from dsiam_plugin.training.data.pairs import PairConfig
from dsiam_plugin.training.joint.config import JointConfig
from dsiam_plugin.training.siamese.stage import SiameseConfig

OPTIMIZERS = ("sgd", "adamw")
SCHEDULES = ("log", "cosine", "one_cycle", "constant")


@dataclass(frozen=True)
class OptimizerConfig:
    """Optimiser and learning rate.

    Attributes:
        name: ``sgd`` or ``adamw``.
        lr: Largest learning rate.
        lr_end: The last step's.
        schedule: From ``lr`` to ``lr_end``: ``log`` (equal ratios), ``cosine``, ``one_cycle`` (a
            cosine up over the warm-up, then one down) or ``constant``.
        warm_up: Share of all steps that the learning rate rises in, in [0, 1).
        momentum: Momentum of sgd; adamw's first decay.
        weight_decay: For the groups of parameters that it applies to.
        clip_norm: Largest norm of the whole gradient; 0 for any.
        multipliers: Group of parameters to a factor of the learning rate; replaces the model's
            own for that group. 0 keeps a group as it is.
    """

    name: str = choice("sgd", OPTIMIZERS)
    lr: float = number(1e-2, "(0, 1e6]")
    lr_end: float = number(1e-5, "(0, 1e6]")
    schedule: str = choice("log", SCHEDULES)
    warm_up: float = number(0.0, "[0, 1)")
    momentum: float = number(0.9, "[0, 1)")
    weight_decay: float = number(5e-4, "[0, 1e6]")
    clip_norm: float = number(0.0, "[0, 1e9]")
    multipliers: Mapping[str, float] = number(dict, "[0, 1e6]")

    def problems(self) -> Iterator[str]:
        """A line if the schedule needs a warm-up."""
        if self.schedule == "one_cycle" and not self.warm_up:
            yield f"warm_up: {self.warm_up}, expected > 0 for one_cycle"


@dataclass(frozen=True)
class ValidationConfig:
    """Tracking with the weights of the moment, whose success AUC keeps the best checkpoint.

    Attributes:
        every: Passes between two validations; 0 for none.
        tracker: Variant that tracks.
        sequences: Synthetic sequences, made once a run; 0 for none.
        frames: Frames of each.
        seed: Seed of the synthetic sequences.
        stills: Folder of photographs with segments to make them from; procedural where None.
        folders: Further data sets in OTB's layout.
        max_sequences: Sequences used of each of those; 0 for all.
        max_frames: Frames used of each of their sequences; 0 for all.
    """

    every: int = number(1, "[0, 1e6]")
    tracker: str = "SiamFC"
    sequences: int = number(11, "[0, 1e5]")
    frames: int = number(60, "[10, 1e5]")
    seed: int = number(1000, "[0, 2147483647]")
    stills: str | None = None
    folders: tuple[str, ...] = ()
    max_sequences: int = number(0, "[0, 1e6]")
    max_frames: int = number(0, "[0, 1e9]")


@dataclass(frozen=True)
class TrainingConfig:
    """Settings that every stage has.

    Attributes:
        stage: Name of the stage.
        seed: Seed of the data's order, the augmentation and fresh parameters.
        epochs: Passes over the data.
        batch_size: Samples of a step, over all processes together.
        precision: Type of the convolutions: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
        channels_last: Memory layout of the network; faster on nearly every processor.
        checkpoint_s: Seconds between two checkpoints within a pass; 0 for none.
        checkpoint_steps: Steps between them; 0 for none.
        log_steps: Steps averaged into one row of the curve.
        picture_steps: Steps between two pictures of responses and fusion maps; 0 for none.
        optimizer: How parameters move.
        validation: How checkpoints are compared.
    """

    stage: str = ""
    seed: int = number(0, "[0, 2147483647]")
    epochs: int = number(50, "[1, 1e6]")
    batch_size: int = number(8, "[1, 65536]")
    precision: str = "auto"
    channels_last: bool = True
    checkpoint_s: float = number(600.0, "[0, 1e9]")
    checkpoint_steps: int = number(0, "[0, 1e9]")
    log_steps: int = number(50, "[1, 1e9]")
    picture_steps: int = number(1000, "[0, 1e9]")
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)


@dataclass(frozen=True)
class SiamFCTraining(TrainingConfig):
    """Stage one: SiamFC's network from image pairs."""

    stage: str = "siamfc"
    model: SiameseConfig = field(default_factory=SiameseConfig)
    pairs: PairConfig = field(default_factory=PairConfig)


@dataclass(frozen=True)
class BoxTraining(TrainingConfig):
    """Stage one of the box head: from image pairs, starting at a network that can compare."""

    stage: str = "box"
    model: BoxConfig = field(default_factory=BoxConfig)
    pairs: PairConfig = field(default_factory=PairConfig)


@dataclass(frozen=True)
class UnrolledTracker:
    """The tracker that a training on clips unrolls, and where its numbers start.

    Attributes:
        variant: One of :func:`dsiam_plugin.tracker_names`.
        settings: What to change in it, in the shape of the trackers' YAML files.
    """

    variant: str = "DSiamM"
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DSiamMTraining(TrainingConfig):
    """Stage two: features, transforms and fusion together, through time on clips.

    Attributes:
        tracker: What is unrolled.
        clips: How clips are drawn.
        dynamic: Loss, truncation and learning-rate multipliers.
    """

    stage: str = "dsiamm"
    tracker: UnrolledTracker = field(default_factory=UnrolledTracker)
    clips: ClipConfig = field(default_factory=ClipConfig)
    dynamic: JointConfig = field(default_factory=JointConfig)


@dataclass(frozen=True)
class BoxClipsTraining(TrainingConfig):
    """Stage two of the box head: on clips that the tracker itself follows.

    Attributes:
        tracker: What follows them.
        clips: How clips are drawn.
        model: The loss; channels and cells are those of the weights it starts from.
        rollout: How far clips are followed.
    """

    stage: str = "dsiambox"
    tracker: UnrolledTracker = field(default_factory=partial(UnrolledTracker, "DSiamBox"))
    clips: ClipConfig = field(default_factory=ClipConfig)
    model: BoxConfig = field(default_factory=BoxConfig)
    rollout: RolloutConfig = field(default_factory=RolloutConfig)


CONFIGS: dict[str, type[TrainingConfig]] = {
    "siamfc": SiamFCTraining,
    "dsiamm": DSiamMTraining,
    "box": BoxTraining,
    "dsiambox": BoxClipsTraining,
}


def load_training(
    source: str | Path | Mapping[str, Any], changes: Mapping[str, Any] | None = None
) -> TrainingConfig:
    """Reads a recipe.

    Raises:
        ConfigError: One message with all unknown keys, wrong types and values out of range.
    """
    name = "config"
    if not isinstance(source, Mapping):
        name, source = str(source), read_settings(source)
    given = merged(source, changes or {})
    stage = given.get("stage")
    if not isinstance(stage, str) or stage not in CONFIGS:
        raise ConfigError(f"{name}: stage: {excerpt(stage)}, expected one of {', '.join(CONFIGS)}")
    problems: list[str] = []
    return checked(override(CONFIGS[stage](), given, "", problems), name, problems)


def parse_changes(settings: Sequence[str]) -> dict[str, Any]:
    """Nested mapping of ``section.key=value`` settings; values are YAML.

    Raises:
        ConfigError: If one has no ``=`` or its value is not YAML.
    """
    changes: dict[str, Any] = {}
    for setting in settings:
        path, separator, text = setting.partition("=")
        if not separator or not path:
            raise ConfigError(f"--set {excerpt(setting)}: expected section.key=value")
        value = parse_yaml(text, f"--set {path}", ConfigError, "a YAML value", (object, None))
        for key in reversed(path.split(".")):
            value = {key: value}
        changes = merged(changes, value)
    return changes


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with the values of ``changes``, mappings merged all the way down."""
    result = dict(base)
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def as_mapping(config: TrainingConfig) -> dict[str, Any]:
    """The configuration as :func:`load_training` reads it, of plain lists and dicts."""
    return plain(dataclasses.asdict(config))


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Dotted keys whose values differ, with both values."""
    found = []
    for key in sorted(ours.keys() | theirs.keys()):
        one, other = ours.get(key), theirs.get(key)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            found += differences(one, other, f"{prefix}{key}.")
        elif one != other:
            found.append(f"{prefix}{key} {one!r} instead of {other!r}")
    return found
