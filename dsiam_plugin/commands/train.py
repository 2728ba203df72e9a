"""``dsiam train``: train the network on packed data."""

import argparse
import sys
from pathlib import Path
from typing import Any


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declares ``dsiam train``."""
    parser = subparsers.add_parser(
        "train",
        help="train the network on packed data",
        description="Train by a recipe. Under torchrun, with all its processes together.",
    )
    parser.set_defaults(run=run)
    _add_what(parser)
    _add_validation(parser)
    _add_how(parser)


def _add_what(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("recipe", metavar="RECIPE", help="YAML file; see toolkit_configs/train_*")
    add(
        "--data",
        metavar="NAME=PACK",
        action="append",
        required=True,
        help="a folder that `dsiam data curate` wrote, and its name (repeatable)",
    )
    add("--out", metavar="DIR", type=Path, required=True, help="folder of the run")
    add("--resume", action="store_true", help="go on from the last checkpoint in DIR, if any")
    add("--weights", metavar="FILE", type=Path, help="weights to start from (default: fresh ones)")
    add(
        "--set",
        metavar="KEY=VALUE",
        dest="settings",
        action="append",
        default=[],
        help="replace a value of the recipe, as optimizer.lr=0.01 (repeatable)",
    )


def _add_validation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--validate",
        metavar="DIR",
        action="append",
        default=[],
        help="a data set in OTB's layout to validate on, beside the synthetic one (repeatable)",
    )
    parser.add_argument(
        "--stills", metavar="DIR", help="photographs with segments for the synthetic sequences"
    )


def _add_how(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    add("--precision", help="auto, float32, bfloat16 or float16")
    add("--epochs", metavar="N", type=int, help="passes over the data")
    add(
        "--workers",
        metavar="N",
        type=int,
        default=0,
        help="processes that prepare batches (default: 0, a thread)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Trains; 0, or 128 + the signal's number where one stopped the run."""
    from dsiam_plugin.training.run.interrupts import Stopped
    from dsiam_plugin.training.run.recipe import load_training, merged, parse_changes
    from dsiam_plugin.training.run.setup import Request, parse_data, train

    changes = merged(parse_changes(arguments.settings), _shortcuts(arguments))
    request = Request(
        config=load_training(arguments.recipe, changes),
        data=parse_data(arguments.data),
        out=arguments.out,
        resume=arguments.resume,
        weights=arguments.weights,
        device=arguments.device,
        workers=arguments.workers,
        command=_command(arguments),
    )
    try:
        weights = train(request)
    except Stopped as stopped:
        sys.stderr.write(f"dsiam: {stopped}; --resume goes on\n")
        return stopped.status
    if weights is not None:
        print(f"best weights: {weights}")
        print(f"try them:     dsiam track VIDEO --weights {weights}")
    return 0


def _shortcuts(arguments: argparse.Namespace) -> dict[str, Any]:
    """Values of the recipe that have options of their own."""
    top = {"precision": arguments.precision, "epochs": arguments.epochs}
    changes: dict[str, Any] = {key: value for key, value in top.items() if value is not None}
    validation: dict[str, Any] = {}
    if arguments.validate:
        validation["folders"] = arguments.validate
    if arguments.stills:
        validation["stills"] = arguments.stills
    return {**changes, "validation": validation} if validation else changes


def _command(arguments: argparse.Namespace) -> str:
    """The command line for the weights' header, without the folders of this machine."""
    words = ["dsiam train", Path(arguments.recipe).name]
    for item in arguments.data:
        name, _, folder = item.partition("=")
        words.append(f"--data {name}={Path(folder).name}")
    words += [f"--weights {arguments.weights.name}"] if arguments.weights else []
    words += [f"--validate {Path(folder).name}" for folder in arguments.validate]
    words += [f"--stills {Path(arguments.stills).name}"] if arguments.stills else []
    words += [f"--epochs {arguments.epochs}"] if arguments.epochs is not None else []
    words += [f"--precision {arguments.precision}"] if arguments.precision else []
    return " ".join([*words, *(f"--set {setting}" for setting in arguments.settings)])
