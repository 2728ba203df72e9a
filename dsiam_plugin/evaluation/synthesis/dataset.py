"""A whole synthetic data set: which sequences, written completely or not at all."""

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.evaluation.synthesis.attributes import ATTRIBUTES, measure, sequence_labels
from dsiam_plugin.evaluation.synthesis.layouts import LAYOUTS, Layout, SequenceFacts, write_lines
from dsiam_plugin.evaluation.synthesis.scenes import Pictures, build_scene, open_pictures, render
from dsiam_plugin.evaluation.synthesis.script import Stage
from dsiam_plugin.io.files import atomic_folder, check_destination

MANIFEST = "synthesis.json"
MIN_FRAMES = 10  # below, effects come and go between two frames
MIN_SIDES = (160, 120)
MIXED_AT_MOST = 4


@dataclass(frozen=True)
class SynthesisConfig:
    """What to make.

    Attributes:
        sequences: How many, at least 1.
        frames: Frames of each, at least 10.
        seed: Not negative; with a sequence's index it seeds that sequence.
        width, height: Frame size in pixels, at least 160x120.
        layout: ``otb`` or ``vot``.
        stills: Folder of photographs with segments; procedural pictures where None.
        attributes: OTB attributes to show.
    """

    sequences: int = len(ATTRIBUTES)
    frames: int = 100
    seed: int = 0
    width: int = 480
    height: int = 360
    layout: str = "otb"
    stills: Path | None = None
    attributes: tuple[str, ...] = ATTRIBUTES

    def __post_init__(self) -> None:
        """Check all values.

        Raises:
            DatasetError: Naming every value that is out of range.
        """
        problems = []
        if self.sequences < 1:
            problems.append(f"sequences is {self.sequences}; expected at least 1")
        if self.frames < MIN_FRAMES:
            problems.append(f"frames is {self.frames}; expected at least {MIN_FRAMES}")
        if self.seed < 0:
            problems.append(f"seed is {self.seed}; expected 0 or more")
        if self.width < MIN_SIDES[0] or self.height < MIN_SIDES[1]:
            least = "{}x{}".format(*MIN_SIDES)
            problems.append(f"size is {self.width}x{self.height}; expected at least {least}")
        if self.layout not in LAYOUTS:
            problems.append(f"layout is {self.layout!r}; expected {' or '.join(LAYOUTS)}")
        unknown = [name for name in self.attributes if name not in ATTRIBUTES]
        if unknown or not self.attributes:
            expected = " ".join(ATTRIBUTES)
            problems.append(f"attributes are {unknown or 'none'}; expected some of {expected}")
        if problems:
            raise DatasetError("; ".join(problems))

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
    """What sequence ``index`` (from 0) shows.

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
    layout: Layout = LAYOUTS[config.layout]
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

    Args:
        out: Folder to make; parents are made too.
        config: What to make.
        force: Replace an earlier synthetic data set there.
        progress: Wraps the iteration over the sequences, for a progress bar.

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
