"""``dsiam vot``: workspaces of the VOT toolkit, before and after ``vot evaluate``."""

import argparse
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from dsiam_plugin.commands.argument_types import positive
from dsiam_plugin.errors import VOTError
from dsiam_plugin.io.messages import excerpt
from dsiam_plugin.io.shapes import check_name
from dsiam_plugin.vot import results as vot_results
from dsiam_plugin.vot import workspace as vot_workspace


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declares ``dsiam vot`` and its sub-commands."""
    parser = subparsers.add_parser("vot", help="prepare VOT workspaces, check and show results")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_prepare(commands)
    check = commands.add_parser("check", help="fail unless every tracker finished every sequence")
    check.set_defaults(run=run_check)
    report = commands.add_parser("report", help="print accuracy, robustness, EAO and fps")
    report.set_defaults(run=run_report)
    report.add_argument(
        "--name", default="evaluate", help="name given to vot analysis and report: %(default)s"
    )
    for command in (check, report):
        command.add_argument("workspace", type=Path, metavar="WORKSPACE")
        command.add_argument("trackers", nargs="+", metavar="TRACKER")


def run_prepare(arguments: argparse.Namespace) -> int:
    """Makes the workspace and sets aside results that other settings gave."""
    _check_trackers(arguments.trackers)
    workspace = arguments.workspace
    print(f"preparing {workspace}", flush=True)
    vot_workspace.prepare_workspace(workspace, arguments.data, arguments.repetitions, arguments.eao)
    if arguments.trackers:
        set_aside(workspace, arguments.trackers)
    print(f"next: vot evaluate --workspace {workspace} TRACKER", flush=True)
    return 0


def set_aside(
    workspace: Path, trackers: Sequence[str], environment: Mapping[str, str] = os.environ
) -> None:
    """Sets aside the trackers' results that something else than would run now gave."""
    from dsiam_plugin.vot.origin import origin_of_results  # loads torch

    origin = origin_of_results(workspace, environment)
    for tracker in trackers:
        moved = vot_results.set_aside_outdated(workspace, tracker, origin)
        if moved is not None:
            print(f"{tracker}: results of other weights, code or sequences moved to {moved}")


def run_check(arguments: argparse.Namespace) -> int:
    """Prints what is missing, with the trackers' logs; 1 if anything is."""
    _check_trackers(arguments.trackers)
    failed = 0
    for tracker in arguments.trackers:
        missing = vot_results.missing_sequences(arguments.workspace, tracker)
        if missing:
            failed = 1
            shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
            sys.stderr.write(
                f"dsiam vot check: {tracker}: {len(missing)} without results ({shown})\n"
                f"{vot_results.log_tail(arguments.workspace, tracker)}\n"
            )
    return failed


def run_report(arguments: argparse.Namespace) -> int:
    """Prints the table and where the report is."""
    _check_trackers(arguments.trackers)
    workspace, name = arguments.workspace, check_name(arguments.name, "name", VOTError)
    scores = vot_results.read_scores(
        workspace, workspace / "analysis" / f"{name}.json", arguments.trackers
    )
    print(vot_results.score_table(scores))
    print(f"report: {workspace / 'reports' / name / 'report.html'}")
    return 0


def _add_prepare(commands: argparse._SubParsersAction) -> None:
    """Declares ``dsiam vot prepare``."""
    parser = commands.add_parser(
        "prepare",
        help="make a workspace ready for vot evaluate",
        description="Without --data, 11 sequences are generated, one an OTB attribute.",
    )
    parser.set_defaults(run=run_prepare)
    add = parser.add_argument
    add("workspace", type=Path, metavar="WORKSPACE")
    add("--data", type=Path, metavar="DIR", help="sequences in VOT's layout")
    add("--repetitions", type=positive, metavar="N", help="runs of each sequence (default: 1)")
    add(
        "--eao",
        type=_interval,
        metavar="LOW,HIGH",
        help="lengths in frames that EAO averages over (default: VOT2015's 108,371 in proportion"
        " to the mean length of the sequences)",
    )
    add(
        "--trackers",
        nargs="+",
        default=(),
        metavar="TRACKER",
        help="set aside these trackers' results unless the same weights, settings, code and"
        " sequences gave them",
    )


def _check_trackers(names: Sequence[str]) -> None:
    """Refuses names that would lead out of the workspace."""
    for name in names:
        check_name(name, "tracker", VOTError)


def _interval(text: str) -> tuple[int, int]:
    """Two lengths in frames, ``LOW,HIGH``."""
    lengths = re.fullmatch(r"([0-9]{1,9}),([0-9]{1,9})", text)
    if not lengths or not 0 < int(lengths[1]) < int(lengths[2]):
        raise argparse.ArgumentTypeError(
            f"{excerpt(text)}; expected LOW,HIGH in frames, as 108,371"
        )
    return int(lengths[1]), int(lengths[2])
