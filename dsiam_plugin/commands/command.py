"""The frame of every command's work: exit status, interrupts, closed pipes."""

import os
import sys
from collections.abc import Callable

from dsiam_plugin.errors import DSiamError

EXIT_BAD_INPUT = 2
EXIT_INTERRUPT = 130  # 128 + SIGINT, as shells report it
EXIT_BROKEN_PIPE = 141  # 128 + SIGPIPE: the reader of the output has gone


def run_command(name: str, work: Callable[[], int]) -> int:
    """Run a command; errors that users can act on become one line on stderr.

    Returns:
        The status of `work`; 2 for bad input, 130 for an interrupt, 141 where the reader of the
        output has gone.
    """
    try:
        status = work()
        sys.stdout.flush()  # so that a closed pipe is noticed here
        return status
    except KeyboardInterrupt as interrupt:
        complain(name, str(interrupt) or "interrupted")
        return EXIT_INTERRUPT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # quiet at exit as well
        return EXIT_BROKEN_PIPE
    except (DSiamError, OSError) as error:
        complain(name, f"error: {_one_line(error)}")
        return EXIT_BAD_INPUT


def complain(name: str, message: str) -> None:
    """Write a line to stderr, the command's name before it."""
    sys.stderr.write(f"{' '.join(filter(None, ('dsiam', name)))}: {message}\n")


def _one_line(error: Exception) -> str:
    """The message without line breaks; errors of the file system name their file first."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__
