"""The frame of every command's work: exit status, interrupts, closed pipes."""

import os
import sys
from collections.abc import Callable

from dsiam_plugin.errors import DSiamError
from dsiam_plugin.io.environment import prepare_libraries
from dsiam_plugin.io.messages import MAX_MESSAGE, one_line, shortened

EXIT_BAD_INPUT = 2
EXIT_INTERRUPT = 130  # 128 + SIGINT, as shells report it
EXIT_BROKEN_PIPE = 141  # 128 + SIGPIPE: the reader of the output has gone


def run_command(name: str, work: Callable[[], int]) -> int:
    """Run a command; errors that users can act on become one line on stderr.

    Returns:
        The status of `work`; 2 for bad input, 130 for an interrupt, 141 where the reader of the
        output has gone.
    """
    prepare_libraries()
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
        complain(name, f"error: {message_of(error)}")
        return EXIT_BAD_INPUT


def complain(name: str, message: str) -> None:
    """Write a line to stderr, the command's name before it."""
    sys.stderr.write(f"{' '.join(filter(None, ('dsiam', name)))}: {message}\n")


def message_of(error: Exception) -> str:
    """The message as one line of bounded length; the system's name their file first."""
    text = str(error) or type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        named = "" if error.filename is None else f"{error.filename}: "
        text = f"{named}{error.strerror}"
    return shortened(one_line(text), MAX_MESSAGE)
