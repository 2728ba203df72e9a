"""The command ``dsiam``: picks a sub-command and turns expected errors into one line.

Importing this module loads neither torch nor OpenCV; the sub-commands do when they run.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from dsiam_plugin import __version__
from dsiam_plugin.commands import (
    data,
    doctor,
    export,
    forward,
    listing,
    track,
    train,
    vot_runs,
    weights,
)
from dsiam_plugin.errors import DSiamError

EXIT_BAD_INPUT = 2
EXIT_INTERRUPT = 130  # 128 + SIGINT, as shells report it
EXIT_BROKEN_PIPE = 141  # 128 + SIGPIPE

COMMANDS = (track, listing, weights, export, doctor, vot_runs, data, train)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs ``dsiam`` and returns its exit status.

    0 means success, 1 that a check failed, 2 bad input, 130 an interrupt. Errors that users can
    act on become ``dsiam: error: ...`` on stderr; a defect of the program keeps its traceback.

    Args:
        argv: Arguments after the program's name; those of the process by default.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    _quiet_opencv()
    try:
        status = _dispatch(arguments)
        sys.stdout.flush()  # so that a closed pipe is noticed here
        return status
    except KeyboardInterrupt as interrupt:
        _complain(str(interrupt) or "interrupted")
        return EXIT_INTERRUPT
    except BrokenPipeError:
        _discard_stdout()
        return EXIT_BROKEN_PIPE
    except Exception as error:
        if not _is_expected(error):
            raise
        _complain(f"error: {_one_line(error)}")
        return EXIT_BAD_INPUT


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
    """Runs the sub-command. Forwarded ones parse their own arguments, ``--help`` included."""
    forwarded = forward.target(arguments)
    if forwarded is not None:
        return forward.run(*forwarded)
    parsed = build_parser().parse_args(arguments)
    return parsed.run(parsed)


def _is_expected(error: Exception) -> bool:
    """Whether the error is the user's to mend rather than a defect.

    The toolkit's base class is looked up only if the toolkit was loaded: an error of its tree
    cannot exist otherwise.
    """
    toolkit_errors = sys.modules.get("toolkit.errors")
    toolkit_error = getattr(toolkit_errors, "ToolkitError", DSiamError)
    return isinstance(error, (DSiamError, toolkit_error, OSError))


def _one_line(error: Exception) -> str:
    """The message without line breaks; file-system errors name their file first."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__


def _complain(message: str) -> None:
    sys.stderr.write(f"dsiam: {message}\n")


def _discard_stdout() -> None:
    """Points stdout nowhere, or the interpreter would complain about the pipe once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _quiet_opencv() -> None:
    """Keeps the warnings of OpenCV and FFmpeg off stderr; ours say the same in one line."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
