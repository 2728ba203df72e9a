"""Workspaces of the VOT toolkit: configuration, experiment stack and sequences.

The repository's own workspace runs on generated sequences, one an OTB attribute. Any other folder
of sequences in VOT's layout gets a workspace of its own, with the stack written for it.
"""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dsiam_plugin.errors import DatasetError, VOTError
from dsiam_plugin.io.files import write_text
from dsiam_plugin.io.parsing import read_json, read_text

logger = logging.getLogger(__name__)

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = "config.yaml"
REGISTRY = "trackers.ini"
STACK = "stack.yaml"
SEQUENCES = "sequences"
# VOT2015's EAO interval, and the mean length of its 60 sequences that it was chosen for.
VOT2015_INTERVAL = (108, 371)
VOT2015_MEAN_LENGTH = 358
GENERATED_FRAMES = 80

REGISTRY_HEAD = """\
# Trackers for the VOT toolkit: one section a variant, named as in `dsiam list`.
#
# The tracker and its device are environment variables, because the `arg_` values of this file
# reach a tracker only after its hello. Weights come from $DSIAM_WEIGHTS of the shell that runs
# `vot`, else from the package; $DSIAM_CONFIG, $DSIAM_PRECISION and $DSIAM_BACKEND work the same
# way.
# `timeout` (seconds) covers one reply; 30, VOT's default, is short for a busy machine.
"""
REGISTRY_SECTION = """
[{name}]
label = {name}
protocol = traxpython
command = dsiam_plugin.vot.client
timeout = 120
env_DSIAM_TRACKER = {name}
env_DSIAM_DEVICE = auto
"""


@dataclass(frozen=True)
class StackSettings:
    """Settings in which supervised stacks differ."""

    title: str  # shown in the report
    low: int  # low, high: first and last length, in frames, that EAO averages over
    high: int
    repetitions: int = 1  # runs of each sequence. One is enough for trackers that repeat exactly
    dataset: str | None = None  # name or address the toolkit gets missing sequences from, or None

    def document(self) -> dict[str, Any]:
        """The stack as the toolkit reads it: VOT2015's, but for the settings above."""
        analyses = [
            {"type": "supervised_average_ar", "sensitivity": 30},
            {"type": "supervised_eao_score", "low": self.low, "high": self.high},
            {"type": "supervised_eao_curve"},
        ]
        experiment = {
            "type": "supervised",
            "repetitions": self.repetitions,
            "skip_initialize": 5,
            "analyses": analyses,
        }
        head = {"title": self.title, **({"dataset": self.dataset} if self.dataset else {})}
        return {**head, "experiments": {"baseline": experiment}}

    def text(self) -> str:
        """The stack file."""
        return yaml.safe_dump(self.document(), sort_keys=False)


def registry_text() -> str:
    """A ``trackers.ini`` with one section a tracker."""
    from dsiam_plugin.config.variants import tracker_names

    return REGISTRY_HEAD + "".join(REGISTRY_SECTION.format(name=name) for name in tracker_names())


def eao_interval(lengths: Sequence[int]) -> tuple[int, int]:
    """VOT2015's EAO interval in proportion to the mean length of the sequences.

    A fixed interval would lie beyond the end of short sequences, where EAO is not defined.

    >>> eao_interval([358]), eao_interval([196, 164])
    ((108, 371), (54, 187))
    """
    scale = sum(lengths) / len(lengths) / VOT2015_MEAN_LENGTH
    low, high = (max(1, round(scale * bound)) for bound in VOT2015_INTERVAL)
    return low, high


def prepare_workspace(
    workspace: Path,
    data: Path | None = None,
    repetitions: int | None = None,
    interval: tuple[int, int] | None = None,
) -> None:
    """Makes a workspace ready for ``vot evaluate``; what is up to date is left alone.

    A workspace that has a configuration keeps it where none of the settings is given.

    Args:
        workspace: The workspace's folder.
        data: Sequences in VOT's layout; generated ones where None.
        repetitions: Runs of each sequence, 1 where None.
        interval: EAO's low and high in frames; in proportion to the lengths where None.

    Raises:
        DatasetError: The data are not in VOT's layout, or the sequences cannot be generated.
        VOTError: ``workspace`` holds a workspace that was not made here.
    """
    kept = (workspace / CONFIG).is_file() and not (workspace / STACK).is_file()
    settings_given = not (data is None and repetitions is None and interval is None)
    if kept and settings_given:
        raise VOTError(
            f"{workspace / CONFIG}: not made by 'dsiam vot prepare'; expected a new folder"
        )
    if data is None:
        generate_sequences(workspace / SEQUENCES)
    if not kept:
        sequences = (workspace / SEQUENCES if data is None else data).resolve()
        _write_configuration(workspace, sequences, repetitions or 1, interval)


def generate_sequences(folder: str | os.PathLike[str]) -> None:
    """Generates the sequences of the repository's workspace unless they are there.

    The VOT toolkit calls it too, for stacks with the dataset ``dsiam-generated``.

    Args:
        folder: What becomes the ``sequences`` folder; missing, empty or generated earlier.

    Raises:
        DatasetError: The folder holds something else or cannot be written.
    """
    from dsiam_plugin.evaluation.synthesis.dataset import MANIFEST, SynthesisConfig, write_dataset

    target = Path(folder)
    config = SynthesisConfig(frames=GENERATED_FRAMES, layout="vot")
    if not _same_settings(target / MANIFEST, config):
        logger.warning(  # the VOT toolkit shows warnings, and nothing else would be seen for long
            "generating %d sequences of %d frames in %s: once, about a minute",
            config.sequences, config.frames, target,
        )  # fmt: skip
        write_dataset(target, config, force=True)


def sequence_names(sequences: Path) -> list[str]:
    """Names in ``list.txt`` of a folder in VOT's layout.

    Raises:
        DatasetError: There is no such list, or it is empty.
    """
    index = sequences / "list.txt"
    expected = "the VOT toolkit's layout, list.txt and a folder a sequence"
    lines = read_text(index, DatasetError, expected).splitlines()
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise DatasetError(f"{index}: no names; expected one sequence a line")
    return names


def sequence_lengths(sequences: Path) -> list[int]:
    """Number of annotated frames of every sequence, in the order of ``list.txt``.

    Raises:
        DatasetError: A sequence has no ``groundtruth.txt``, or an empty one.
    """
    lengths = []
    for name in sequence_names(sequences):
        path = sequences / name / "groundtruth.txt"
        rows = read_text(path, DatasetError, "one region a frame").splitlines()
        lengths.append(sum(1 for row in rows if row.strip()))
        if not lengths[-1]:
            raise DatasetError(f"{path}: empty; expected one region a frame")
    return lengths


def _write_configuration(
    workspace: Path, sequences: Path, repetitions: int, interval: tuple[int, int] | None
) -> None:
    """``config.yaml`` and ``stack.yaml``, and ``trackers.ini`` where there is none to name."""
    low, high = interval or eao_interval(sequence_lengths(sequences))
    stack = StackSettings(f"Supervised on {sequences.name}", low, high, repetitions)
    registry = REPOSITORY / REGISTRY
    if not registry.is_file():  # installed without the repository
        registry = workspace / REGISTRY
        write_text(registry, registry_text())
    config = {
        "registry": [os.path.relpath(registry.resolve(), workspace.resolve())],
        "stack": STACK,
        "sequences": str(sequences),
    }
    write_text(workspace / STACK, stack.text())
    write_text(workspace / CONFIG, yaml.safe_dump(config, sort_keys=False))


def _same_settings(manifest: Path, config: Any) -> bool:
    """True where the generated data set there was made with this configuration."""
    try:
        made = read_json(manifest, DatasetError)
    except DatasetError:
        return False
    size = f"{config.width}x{config.height}"
    wanted = {"frames": config.frames, "seed": config.seed, "size": size, "layout": config.layout}
    attributes = {"sequences": config.sequences, "attributes": list(config.attributes)}
    return all(made.get(key) == value for key, value in {**wanted, **attributes}.items())
