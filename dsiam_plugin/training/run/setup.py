"""A whole run from a command line's words: data, model, folder, log, result."""

import hashlib
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import yaml
from tqdm import tqdm

from dsiam_plugin import __version__
from dsiam_plugin.errors import CheckpointError, DatasetError
from dsiam_plugin.io.files import write_text
from dsiam_plugin.models.devices import resolve_device, resolve_precision
from dsiam_plugin.models.weights import Weights, load_weights
from dsiam_plugin.training.data.pack import BOXES, CROPS, INDEX, open_pack
from dsiam_plugin.training.data.prefetch import Dataset, Position
from dsiam_plugin.training.joint.learner import Machine
from dsiam_plugin.training.run.distributed import Group, process_group
from dsiam_plugin.training.run.engine import Trainer, TrainingJob
from dsiam_plugin.training.run.recipe import TrainingConfig, as_mapping
from dsiam_plugin.training.run.records import Files
from dsiam_plugin.training.run.stages import STAGES, Start, open_dataset
from dsiam_plugin.training.run.validation import Validator

logger = logging.getLogger(__name__)

START = "(weights)"  # beside the packs' names


@dataclass(frozen=True)
class Request:
    """A training as the command line asks for it."""

    config: TrainingConfig  # the recipe
    data: Mapping[str, Path]  # name to folder of each pack
    out: Path  # folder of the run
    resume: bool = False  # go on from the folder's last checkpoint, if there is one
    weights: Path | None = None  # file to start from; None for the stage's own start
    device: str = "auto"  # as users name it
    workers: int = 0  # processes that prepare batches; 0 for a thread
    command: str = ""  # the command line, for the weights' header


def train(request: Request) -> Path | None:
    """Trains and returns the file of the best weights; None in all but the first process.

    Raises:
        DSiamError: Data, configuration, folder or machine that do not fit; a loss that is not
            finite; a full disk.
        Stopped: On SIGINT or SIGTERM, after a checkpoint was written.
    """
    with process_group(request.device) as group:
        files = Files(request.out)
        _check_folder(request, files)
        digests = {name: pack_digest(path) for name, path in request.data.items()}
        weights = _start(request)
        if weights is not None:
            digests[START] = weights.sha256
        with _logging(files.log if group.is_first else None):
            trainer = Trainer(_job(request, files, group, digests, weights))
            if request.resume and files.last.is_file():
                trainer.resume()
                logger.info("resuming at pass %d, step %d", *_counted(trainer.position))
            elif group.is_first:
                write_text(files.folder / "config.yaml", _yaml(request.config))
            trainer.run()
        return files.weights if group.is_first else None


def parse_data(words: Sequence[str]) -> dict[str, Path]:
    """Packs by name from ``NAME=FOLDER`` words.

    Raises:
        DatasetError: If a word is something else, a name comes twice, or a folder is no pack.
    """
    data: dict[str, Path] = {}
    for word in words:
        name, separator, folder = word.partition("=")
        if not (name and separator and folder):
            raise DatasetError(f"--data {word!r}: expected NAME=FOLDER")
        if name in data:
            raise DatasetError(f"--data: {name!r} comes twice; expected a name for each pack")
        data[name] = Path(folder)
        if not (data[name] / INDEX).is_file():
            raise DatasetError(
                f"{folder}: not a pack (no {INDEX}); `dsiam data curate` makes one of a data set"
            )
    return data


def pack_digest(folder: Path) -> str:
    """SHA-256 over a pack's index and boxes and the size of its crops."""
    digest = hashlib.sha256()
    for name in (INDEX, BOXES):
        digest.update((folder / name).read_bytes())
    digest.update(str((folder / CROPS).stat().st_size).encode())
    return digest.hexdigest()


def _check_folder(request: Request, files: Files) -> None:
    """Refuses to overwrite an earlier run."""
    if files.last.exists() and not request.resume:
        raise CheckpointError(
            f"{request.out}: holds a run already; --resume goes on with it, another --out keeps it"
        )


def _start(request: Request) -> Weights | None:
    """The weights that the model starts from; None for fresh parameters."""
    if request.weights is None:
        return STAGES[request.config.stage].default_start()
    return load_weights(request.weights)


def _job(
    request: Request,
    files: Files,
    group: Group,
    digests: Mapping[str, str],
    weights: Weights | None,
) -> TrainingJob:
    config, stage = request.config, STAGES[request.config.stage]
    device = group.device if group.world > 1 else resolve_device(request.device)
    machine = Machine(
        device, resolve_precision(config.precision, device), config.channels_last, group
    )
    make_dataset = partial(open_dataset, tuple(request.data.values()), config)
    dataset = make_dataset()
    torch.manual_seed(config.seed)
    model = stage.model(config, Start(weights, dataset))
    _log_start(request, machine, dataset)
    return TrainingJob(
        config=config,
        model=model,
        make_dataset=make_dataset,
        samples=len(dataset),
        files=files,
        machine=machine,
        data=digests,
        origin=_origin(request, digests),
        validate=_validator(request, files, machine),
        workers=request.workers,
        sample=stage.sample,
    )


def _validator(request: Request, files: Files, machine: Machine) -> Any:
    if not request.config.validation.every or not machine.group.is_first:
        return None
    precision = str(machine.dtype).removeprefix("torch.")
    return Validator(
        request.config.validation, files.validation, str(machine.device), precision
    ).score


def _origin(request: Request, digests: Mapping[str, str]) -> dict[str, Any]:
    """The origin of the weights for their header; no folder of this machine."""
    recipe = as_mapping(request.config)
    validation = recipe["validation"]
    validation["folders"] = [Path(folder).name for folder in validation["folders"]]
    validation["stills"] = validation["stills"] and Path(validation["stills"]).name
    return {
        "recipe": recipe,
        "command": request.command,
        "data": dict(digests),
        "versions": {"dsiam-plugin": __version__, "torch": torch.__version__},
    }


def _log_start(request: Request, machine: Machine, dataset: Dataset) -> None:
    packs = {name: open_pack(path) for name, path in request.data.items()}
    for name, pack in packs.items():
        logger.info("data %s: %d tracks, %d crops", name, len(pack.tracks), len(pack.crops))
    skipped = getattr(dataset, "skipped", 0)
    if skipped:
        logger.info("%d tracks are shorter than a clip and left out", skipped)
    logger.info(
        "%s on %s in %s, %d process(es)",
        request.config.stage,
        machine.device,
        str(machine.dtype).removeprefix("torch."),
        machine.group.world,
    )


def _counted(position: Position) -> tuple[int, int]:
    """A position as people count passes, and the steps of that pass that are done."""
    return position.epoch + 1, position.step


def _yaml(config: TrainingConfig) -> str:
    return yaml.safe_dump(as_mapping(config), sort_keys=False)


class _BarHandler(logging.Handler):
    """Writes lines to stderr without breaking the progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record), file=sys.stderr)


@contextmanager
def _logging(log: Path | None) -> Iterator[None]:
    """Sends this package's messages to stderr and to the run's log; nowhere without a log."""
    package = logging.getLogger("dsiam_plugin.training")
    handlers: list[logging.Handler] = [logging.NullHandler()]
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        handlers = [_BarHandler(), logging.FileHandler(log, encoding="utf-8")]
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
        package.addHandler(handler)
    package.setLevel(logging.INFO)
    try:
        yield
    finally:
        for handler in handlers:
            package.removeHandler(handler)
            handler.close()
