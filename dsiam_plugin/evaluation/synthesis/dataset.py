"""A whole synthetic data set: which sequences, written completely or not at all."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dsiam_plugin.config.fields import choice, number, refuse, validate
from dsiam_plugin.errors import DatasetError
from dsiam_plugin.evaluation.synthesis.attributes import ATTRIBUTES, measure, sequence_labels
from dsiam_plugin.evaluation.synthesis.layouts import (
    LAYOUTS,
    SequenceFacts,
    SequenceLayout,
    write_lines,
)
from dsiam_plugin.evaluation.synthesis.scenes import Pictures, build_scene, open_pictures, render
from dsiam_plugin.evaluation.synthesis.script import Stage
from dsiam_plugin.io.files import atomic_folder, check_destination

MANIFEST = "synthesis.json"
MIXED_AT_MOST = 4


@dataclass(frozen=True)
class SynthesisConfig:
    """The data set to make.

    Attributes:
        sequences: How many.
        frames: Frames of each.
        seed: With a sequence's index it seeds that sequence.
        width, height: Frame size in pixels.
        layout: ``otb`` or ``vot``.
        stills: Folder of photographs with segments; procedural pictures where None.
        attributes: OTB attributes to show.
    """

    sequences: int = number(len(ATTRIBUTES), "[1, 100000]")
    frames: int = number(100, "[10, 100000]")  # with fewer, effects come and go between two
    seed: int = number(0, "[0, 2147483647]")
    width: int = number(480, "[160, 8192]")
    height: int = number(360, "[120, 8192]")
    layout: str = choice("otb", tuple(LAYOUTS))
    stills: Path | None = None
    attributes: tuple[str, ...] = choice(ATTRIBUTES, ATTRIBUTES)

    def __post_init__(self) -> None:
        """Check all values."""
        refuse(validate(self), error=DatasetError)

    def problems(self) -> Iterator[str]:
        """A line if there is no attribute to show."""
        if not self.attributes:
            yield f"attributes: none, expected some of {', '.join(ATTRIBUTES)}"

    @property
    def stage(self) -> Stage:
        """Size of every sequence."""
        depth = LAYOUTS[self.layout].exit_depth
        return Stage(self.frames, self.width, self.height, exit_depth=depth)


@dataclass(frozen=True)
class SequencePlan:
    """One sequence to make: its place in the set, its name and the attributes wanted."""

    index: int
    name: str
    attributes: tuple[str, ...]
    mixed: bool


def plan_sequence(config: SynthesisConfig, index: int) -> SequencePlan:
    """Plan of sequence ``index`` (from 0).

    The first sequences show one attribute each and are named by it; those beyond the number of
    attributes mix two to four of them at random.
    """
    pool = tuple(dict.fromkeys(config.attributes))
    if index < len(pool):
        return SequencePlan(index, pool[index], (pool[index],), mixed=False)
    rng = np.random.default_rng([config.seed, index, 1])
    most = min(MIXED_AT_MOST, len(pool))
    count = int(rng.integers(min(2, most), most + 1))
    chosen = tuple(str(name) for name in rng.choice(pool, size=count, replace=False))
    return SequencePlan(index, f"Mixed{index + 1:04d}", chosen, mixed=True)


def write_sequence(
    folder: Path, plan: SequencePlan, config: SynthesisConfig, pictures: Pictures
) -> SequenceFacts:
    """Render a sequence into ``folder``, which must exist, with the annotations of its layout.

    Raises:
        DatasetError: The frames do not show the attribute that the sequence is named by.
        OSError: A file cannot be written.
    """
    layout: SequenceLayout = LAYOUTS[config.layout]
    rng = np.random.default_rng([config.seed, plan.index])
    scene = build_scene(pictures, config.stage, plan.attributes, rng)
    records = []
    for t in range(config.frames):
        frame = render(scene, t)
        layout.write_frame(folder, t + 1, frame.image)
        records.append(frame.record)
    labels = sequence_labels(measure(records))
    missing = [name for name in plan.attributes if name not in labels]
    if missing and not plan.mixed:
        raise DatasetError(
            f"sequence {plan.name}: {config.frames} frames of {config.width}x{config.height} do not"
            f" show {' '.join(missing)}; expected more frames or a larger size"
        )
    facts = SequenceFacts(plan.name, config.stage, tuple(records), tuple(labels))
    layout.annotate(folder, facts)
    return facts


def write_dataset(
    out: Path,
    config: SynthesisConfig,
    *,
    force: bool = False,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> list[SequenceFacts]:
    """Make a data set in folder ``out``, which appears only when it is complete.

    Returns:
        What is true of each sequence.

    Raises:
        DatasetError: ``out`` is in use, the stills are no good, or the disk is full.
    """
    out = Path(os.path.abspath(out))
    check_destination(out, MANIFEST, "a synthetic data set", force=force)
    pictures = open_pictures(config.stills, config.stage)
    try:
        with atomic_folder(out, replace=True) as fresh:
            facts = fill(fresh, config, pictures, progress)
    except OSError as error:
        raise DatasetError(f"{out}: cannot be written ({error.strerror or error})") from error
    return facts


def fill(
    folder: Path,
    config: SynthesisConfig,
    pictures: Pictures,
    progress: Callable[[Iterable[int]], Iterable[int]],
) -> list[SequenceFacts]:
    """Make all sequences and their index in an empty folder."""
    facts = []
    for index in progress(range(config.sequences)):
        plan = plan_sequence(config, index)
        (folder / plan.name).mkdir()
        facts.append(write_sequence(folder / plan.name, plan, config, pictures))
    LAYOUTS[config.layout].index(folder, facts)
    write_manifest(folder, config, facts)
    return facts


def write_manifest(folder: Path, config: SynthesisConfig, facts: list[SequenceFacts]) -> None:
    """``synthesis.json``: how to make the set again, and the attributes of each sequence."""
    manifest = {
        "sequences": config.sequences,
        "frames": config.frames,
        "seed": config.seed,
        "size": f"{config.width}x{config.height}",
        "layout": config.layout,
        "stills": config.stills.name if config.stills else None,
        "attributes": list(config.attributes),
        "shown": {sequence.name: list(sequence.attributes) for sequence in facts},
    }
    write_lines(folder / MANIFEST, [json.dumps(manifest, indent=1)])
