"""Text, JSON and YAML: the place where the bytes of others become values.

Every function bounds what it reads (bytes, nesting, values) and answers whatever is wrong with one
line of the caller's own error class, below 500 characters: what came, where, what was expected.
A caller that has a value from here need not guard against its type again.

The shapes are described in `shapes`.
"""

import json
import math
import os
import stat
from collections.abc import Mapping
from typing import Any

from dsiam_plugin.errors import DSiamError
from dsiam_plugin.io.messages import fail
from dsiam_plugin.io.shapes import check_shape

MAX_TEXT = 64 << 20  # bytes: a million rows of results, or a large table
MAX_YAML = 1 << 20  # PyYAML takes about 10 s for as much
MAX_VALUES = 100_000  # of a YAML file once its aliases are written out


def read_text(
    path: str | os.PathLike,
    error: type[DSiamError],
    expected: str = "a text file",
    limit: int = MAX_TEXT,
) -> str:
    """Text of a UTF-8 file, without a byte order mark.

    Raises:
        DSiamError: The file cannot be read, is larger than `limit` or not UTF-8.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe may be waited for without end
            fail(error, path, "a folder, pipe or device", expected)
        with open(path, "rb") as stream:
            data = stream.read(limit + 1)
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the path
        reason = getattr(problem, "strerror", None) or problem
        fail(error, path, f"cannot be read ({reason})", expected)
    if len(data) > limit:
        fail(error, path, f"more than {limit} bytes", expected)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        fail(error, path, f"not UTF-8 text (byte {problem.start})", expected)


def read_json(
    path: str | os.PathLike,
    error: type[DSiamError],
    expected: str = "a JSON file",
    shape: Any = dict,
    limit: int = MAX_TEXT,
) -> Any:
    """Value of a JSON file that has a given shape; arguments and errors as `parse_json`."""
    return parse_json(read_text(path, error, expected, limit), path, error, expected, shape)


def parse_json(
    text: str,
    source: str | os.PathLike,
    error: type[DSiamError],
    expected: str = "a JSON object",
    shape: Any = dict,
) -> Any:
    """Value of a JSON text that has a given shape.

    NaN is taken, because pysot's metadata has it; Infinity is not.

    Raises:
        DSiamError: The text is no JSON, nested too deeply or of another shape.
    """
    try:
        value = json.loads(text, parse_constant=_constant)
        if "\\ud" in text.casefold():
            json.dumps(value, ensure_ascii=False).encode()  # half a character cannot be written
    except RecursionError:
        fail(error, source, "nested too deeply", expected)
    except ValueError as problem:
        fail(error, source, f"not JSON ({problem})", expected)
    return check_shape(value, shape, source, error, expected)


def read_yaml(
    path: str | os.PathLike,
    error: type[DSiamError],
    expected: str = "a YAML file",
    shape: Any = dict,
) -> Any:
    """Value of a YAML file that has a given shape; arguments and errors as `parse_yaml`."""
    return parse_yaml(read_text(path, error, expected, MAX_YAML), path, error, expected, shape)


def parse_yaml(
    text: str,
    source: str | os.PathLike,
    error: type[DSiamError],
    expected: str = "a YAML mapping",
    shape: Any = dict,
) -> Any:
    """Value of a YAML text that has a given shape; None for an empty one if the shape allows it.

    Raises:
        DSiamError: The text is no YAML, nested too deeply, holds more than `MAX_VALUES` values
            (aliases written out) or is of another shape.
    """
    import yaml  # 20 ms, and most commands read none

    try:
        value = yaml.safe_load(text)
    except RecursionError:
        fail(error, source, "nested too deeply", expected)
    except (
        yaml.YAMLError,
        ValueError,
        TypeError,
        ArithmeticError,
        LookupError,
        AttributeError,
    ) as problem:
        fail(error, source, f"not YAML ({problem})", expected)
    if not _is_small(value):
        fail(error, source, f"more than {MAX_VALUES} values, aliases written out", expected)
    return check_shape(value, shape, source, error, expected)


def _constant(name: str) -> float:
    if name == "NaN":
        return math.nan
    raise ValueError(f"{name} is no number here")


def _is_small(value: Any) -> bool:
    """True where a parsed value has at most `MAX_VALUES` parts, shared ones counted each time."""
    count, pending = 0, [value]
    while pending:
        part = pending.pop()
        children: list = []
        if isinstance(part, Mapping):
            children = [*part.keys(), *part.values()]
        elif isinstance(part, (list, tuple, set)):
            children = list(part)
        count += 1 + len(children)
        if count > MAX_VALUES:
            return False
        pending += children
    return True
