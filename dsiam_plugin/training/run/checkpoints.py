"""Checkpoints of a run: one file each, replaced atomically, never unpickled freely."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch

from dsiam_plugin.errors import CheckpointError
from dsiam_plugin.io.files import atomic_path
from dsiam_plugin.io.shapes import check_shape
from dsiam_plugin.models.torch_files import read_torch
from dsiam_plugin.training.run.recipe import differences

FORMAT = "dsiam-training-1"
_SHAPE = {
    "config": dict,
    "data": {str: str},
    "epoch": int,
    "step": int,
    "learner": dict,
    "averages": {"sums?": {str: float}, "count?": int},
    "best": (float, None),
}
# How often something is stored or shown does not change what is learnt.
FREE_KEYS = ("checkpoint_s", "checkpoint_steps", "picture_steps")


@dataclass(frozen=True)
class Checkpoint:
    """Everything a run needs to go on as if it had never stopped."""

    config: Mapping[str, Any]  # the run's configuration, as plain lists and dicts
    data: Mapping[str, str]  # digest of each pack by its name
    epoch: int  # pass that comes next or is under way, from 0
    step: int  # steps of that pass that are done
    learner: Mapping[str, Any]  # state of model, optimiser and scaler
    averages: Mapping[str, Any] = field(default_factory=dict)  # state of the means under way
    best: float | None = None  # best validation score so far; None before the first


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Writes the file under a temporary name and renames it, so the old one stays on failure.

    Raises:
        CheckpointError: If it cannot be written; a file that was there before is intact.
    """
    content = {item.name: getattr(checkpoint, item.name) for item in fields(checkpoint)}
    buffer = io.BytesIO()  # torch's own writer hides why a disk refuses
    torch.save({"format": FORMAT, **content}, buffer)
    try:
        with atomic_path(path) as temporary:
            temporary.write_bytes(buffer.getbuffer())
    except OSError as error:
        reason = error.strerror or error
        kept = "; the earlier checkpoint is intact" if path.exists() else ""
        raise CheckpointError(f"{path}: cannot be written ({reason}){kept}") from error


def load_checkpoint(path: Path) -> Checkpoint:
    """Reads a checkpoint onto the CPU.

    Raises:
        CheckpointError: If the file is missing, damaged or something else.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such checkpoint")
    content = read_torch(path, CheckpointError, own=True)
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        raise CheckpointError(f"{path}: not a checkpoint of this program ({FORMAT})")
    check_shape(content, _SHAPE, path, CheckpointError)
    return Checkpoint(**{item.name: content[item.name] for item in fields(Checkpoint)})


def check_same_run(
    checkpoint: Checkpoint, config: Mapping[str, Any], data: Mapping[str, str], path: Path
) -> None:
    """Refuses to go on with another configuration or other data.

    Raises:
        CheckpointError: Naming every difference.
    """
    ours = {key: value for key, value in config.items() if key not in FREE_KEYS}
    theirs = {key: value for key, value in checkpoint.config.items() if key not in FREE_KEYS}
    found = differences(ours, theirs)
    found += [f"data {item}" for item in differences(data, checkpoint.data)]
    if found:
        raise CheckpointError(
            f"{path}: a checkpoint of another configuration: {'; '.join(found)}; expected the same"
            " (or another --out)"
        )
