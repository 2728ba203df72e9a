"""The command ``dsiam``: picks a sub-command and turns expected errors into one line.

Importing this module loads neither torch nor OpenCV; the sub-commands do when they run.
"""

import argparse
import sys
from collections.abc import Sequence

from dsiam_plugin import __version__
from dsiam_plugin.commands import (
    data,
    doctor,
    export,
    forward,
    listing,
    reproduce,
    track,
    train,
    vot_runs,
    weights,
)
from dsiam_plugin.commands.command import run_command

COMMANDS = (track, listing, weights, export, doctor, vot_runs, reproduce, data, train)


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``dsiam``: its exit status.

    0 means success, 1 that a check failed, 2 bad input, 130 an interrupt. Errors that users can
    act on become ``dsiam: error: ...`` on stderr; a defect of the program keeps its traceback.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    return run_command("", lambda: _dispatch(arguments))


def build_parser() -> argparse.ArgumentParser:
    """The parser of all sub-commands."""
    parser = argparse.ArgumentParser(
        prog="dsiam",
        description="DSiam trackers: track videos, evaluate on benchmarks, inspect weights.",
    )
    parser.add_argument("--version", action="version", version=f"dsiam {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(subparsers)
    forward.add_parsers(subparsers)
    return parser


def _dispatch(arguments: list[str]) -> int:
    """Run the sub-command. Forwarded ones parse their own arguments, ``--help`` included."""
    forwarded = forward.target(arguments)
    if forwarded is not None:
        return forward.run(*forwarded)
    parser = build_parser()
    parsed, extra = parser.parse_known_args(arguments)
    if extra:
        explain = getattr(parsed, "explain_extra", lambda words: "")
        parser.error(explain(extra) or f"unrecognized arguments: {' '.join(extra)}")
    return parsed.run(parsed)
