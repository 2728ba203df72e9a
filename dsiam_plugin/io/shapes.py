"""Checks that parsed values are of the types readers rely on, and names fit to be file names.

A shape says what a parsed value must be:

- a type: ``dict``, ``list``, ``str``, ``bool``, ``int`` (no bool), ``float`` (whole numbers too,
  finite or NaN), ``object`` (anything);
- ``[shape]``: a list of such values;
- ``{str: shape}``: an object whose values are all such;
- ``{"key": shape, "key?": shape}``: an object with these keys, the second one optional; other
  keys are free;
- ``(shape, None)``: any of several, None standing for null.
"""

import math
import os
import re
import unicodedata
from typing import Any

from dsiam_plugin.errors import DSiamError
from dsiam_plugin.io.messages import excerpt, fail

MAX_NAME = 200  # bytes: file systems end at 255, and results append `_001_confidence.value`
Flaw = tuple[tuple, str, str]  # keys and indices of a place, what came, what was expected
_WORDS = {
    dict: "an object", list: "a list", str: "a text", bool: "true or false",
    int: "a whole number", float: "a number",
}  # fmt: skip


def check_shape(
    value: Any, shape: Any, source: str | os.PathLike, error: type[DSiamError], expected: str = ""
) -> Any:
    """The value itself, if it has the shape.

    Raises:
        DSiamError: It has not; the message names the first place that differs.
    """
    flaw = _flaw(value, shape, ())
    if flaw is not None:
        place, reason, wanted = flaw
        if place:
            fail(error, source, f"{'.'.join(map(_key_text, place))}: {reason}", wanted)
        fail(error, source, reason, expected or wanted)
    return value


def check_name(
    name: Any, kind: str, error: type[DSiamError], source: str | os.PathLike = ""
) -> str:
    """The name of a sequence, attribute or tracker, if files may be called after it.

    Raises:
        DSiamError: It is no text, empty, `.` or `..`, longer than `MAX_NAME` bytes, or has a path
            separator, a drive or a control character in it.
    """
    reason = _name_flaw(name)
    if reason:
        fail(error, source, f"{kind} {excerpt(name)} {reason}", "a plain name, no path")
    return name


def _flaw(value: Any, shape: Any, place: tuple) -> Flaw | None:
    """Place, what came and what was expected of the first difference; None where there is none."""
    if isinstance(shape, tuple):
        flaws = [_flaw(value, option, place) for option in shape]
        found = [flaw for flaw in flaws if flaw is not None]
        # A difference further inside belongs to the alternative that was meant.
        return max(found, key=lambda flaw: len(flaw[0])) if len(found) == len(flaws) else None
    if shape is None:
        return None if value is None else (place, excerpt(value), "null")
    if isinstance(shape, list):
        if not isinstance(value, list):
            return place, excerpt(value), "a list"
        parts = (_flaw(part, shape[0], (*place, index)) for index, part in enumerate(value))
        return next((flaw for flaw in parts if flaw is not None), None)
    if isinstance(shape, dict):
        return _flaw_of_object(value, shape, place)
    return (
        None if _is_a(value, shape) else (place, excerpt(value), _WORDS.get(shape, "another value"))
    )


def _flaw_of_object(value: Any, shape: dict, place: tuple) -> Flaw | None:
    if not isinstance(value, dict):
        return place, excerpt(value), "an object"
    odd = next((key for key in value if not isinstance(key, str)), None)
    if odd is not None:
        return place, f"key {excerpt(odd)}", "a text as key"
    for key, inner in shape.items():
        if key is str:
            flaws = (_flaw(part, inner, (*place, name)) for name, part in value.items())
            return next((flaw for flaw in flaws if flaw is not None), None)
        name = key.removesuffix("?")
        if name not in value:
            if key == name:
                return place, f"lacks {name!r}", f"{name!r} in an object"
            continue
        flaw = _flaw(value[name], inner, (*place, name))
        if flaw is not None:
            return flaw
    return None


def _is_a(value: Any, kind: type) -> bool:
    if isinstance(value, bool):
        return kind in (bool, object)
    if kind is float:
        whole = isinstance(value, int) and abs(value) < 1 << 1000
        return whole or (isinstance(value, float) and not math.isinf(value))
    return isinstance(value, kind)


def _key_text(key: object) -> str:
    return excerpt(key).strip("'\"")


def _name_flaw(name: Any) -> str:
    """The reason against a name; "" where it can."""
    if not isinstance(name, str):
        return "is no text"
    if name.strip() in ("", ".", ".."):
        return "names nothing"
    if re.search(r"[/\\]|^[A-Za-z]:", name):
        return "is a path"
    if any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in name):
        return "has a control character in it"
    if len(name.encode()) > MAX_NAME:
        return f"is longer than {MAX_NAME} bytes"
    return ""
