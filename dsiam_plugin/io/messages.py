"""One-line messages about what others wrote, of a bounded length and without control characters."""

import os
import unicodedata
from collections.abc import Mapping
from typing import Any, NoReturn

from dsiam_plugin.errors import DSiamError

MAX_MESSAGE = 480  # characters, the name of the command not counted
_SHOWN = 60  # characters of a value in a message
_PATH, _EXPECTED = 200, 120  # characters of the other parts


def fail(
    error: type[DSiamError], source: str | os.PathLike, reason: object, expected: str = ""
) -> NoReturn:
    """Raise one line "source: reason; expected ...", at most `MAX_MESSAGE` characters."""
    begin = f"{shortened(_printable(os.fspath(source)), _PATH)}: " if source else ""
    end = f"; expected {shortened(expected, _EXPECTED)}" if expected else ""
    room = MAX_MESSAGE - len(begin) - len(end)
    raise error(f"{begin}{shortened(one_line(reason), room)}{end}") from None


def excerpt(value: Any, width: int = _SHOWN) -> str:
    """A value as one short printable line, for messages."""
    if isinstance(value, (Mapping, list, tuple, set)):
        return f"{type(value).__name__} of {len(value)}"
    if isinstance(value, (str, bytes)):
        text = repr(value[: width + 1])
    elif isinstance(value, int) and abs(value) >= 1 << 64:
        text = "a huge number"  # Python refuses to write out very long ones
    else:
        text = repr(value)
    return text if len(text) <= width + 2 else f"{text[:width]}..."


def one_line(text: object) -> str:
    """The text with blanks for line ends and without other control characters."""
    return _printable(" ".join(str(text).split()))


def _printable(text: str) -> str:
    return "".join(sign for sign in text if unicodedata.category(sign) != "Cc")


def shortened(text: str, width: int) -> str:
    """The text, or its beginning and end where it is longer than `width`."""
    if len(text) <= width:
        return text
    half = (width - 3) // 2
    return f"{text[:half]}...{text[-half:]}"
