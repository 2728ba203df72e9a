"""Fields of configurations, each with the values it may hold, and the one validator.

>>> @dataclass(frozen=True)
... class Example:
...     context: float = number(0.5, "[0, 10]")
...     name: str = choice("sgd", ("sgd", "adamw"))
>>> validate(Example(context=11.0))
['context: 11.0, expected a number in [0, 10]']
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from dsiam_plugin.errors import ConfigError, DSiamError
from dsiam_plugin.io.messages import excerpt

_RULE = "rule"
_MOST_CHARACTERS = 470  # of a message
_INTERVAL = re.compile(r"([\[(])(.+), (.+)([\])])")


@dataclass(frozen=True)
class Rule:
    """Which values a field may hold."""

    expected: str
    holds: Callable[[Any], bool]

    def problems(self, key: str, value: Any) -> Iterator[str]:
        """A line for each number of the value, which may be a mapping or a list, against it."""
        if isinstance(value, Mapping):
            for name, item in value.items():
                yield from self.problems(f"{key}.{name}", item)
        elif isinstance(value, list | tuple):
            for item in value:
                yield from self.problems(key, item)
        elif value is not None and not self.holds(value):
            yield f"{key}: {excerpt(value)}, expected {self.expected}"


def number(default: Any, interval: str, *, odd: bool = False) -> Any:
    """A field whose numbers lie in an interval.

    Args:
        default: A number, None, a tuple, or a function that makes a mapping.
        interval: As mathematicians write it: ``[0, 1)`` holds 0 and not 1.
        odd: Whether they must be odd as well.
    """
    parts = _INTERVAL.fullmatch(interval)
    if parts is None:
        raise ValueError(f"interval {interval!r}: expected one such as [0, 1)")
    low, high = float(parts[2]), float(parts[3])
    with_low, with_high = parts[1] == "[", parts[4] == "]"

    def holds(value: float) -> bool:
        above = value >= low if with_low else value > low
        below = value <= high if with_high else value < high
        return above and below and not (odd and value % 2 == 0)

    return _field(default, Rule(f"{'an odd' if odd else 'a'} number in {interval}", holds))


def choice(default: Any, known: Sequence[str]) -> Any:
    """A field whose text, or every text of whose list, is one of those known."""
    expected = " or ".join(filter(None, (", ".join(known[:-1]), known[-1])))
    return _field(default, Rule(expected, lambda value: value in known))


def validate(config: Any, section: str = "") -> list[str]:
    """One line for each value that breaks its field's rule; empty if all is well.

    A dataclass may have a method ``problems`` that yields lines about values that do not go
    together.

    Args:
        config: A dataclass; dataclasses in its fields are checked likewise.
        section: What messages put before a key.
    """
    prefix = f"{section}." if section else ""
    found: list[str] = []
    for item in fields(config):
        value, key = getattr(config, item.name), f"{prefix}{item.name}"
        if is_dataclass(value):
            found += validate(value, key)
        elif _RULE in item.metadata:
            found += item.metadata[_RULE].problems(key, value)
    together = getattr(config, "problems", None)
    return found + [f"{prefix}{line}" for line in together()] if together else found


def refuse(problems: Sequence[str], name: str = "", error: type[DSiamError] = ConfigError) -> None:
    """Raise an error with all problems in one line, if there are any; so many as fit."""
    if not problems:
        return
    message, *others = problems
    message = f"{name}: {message}" if name else message
    for position, problem in enumerate(others):
        if len(message) + len(problem) > _MOST_CHARACTERS:
            message += f"; and {len(others) - position} more"
            break
        message += f"; {problem}"
    raise error(message)


def _field(default: Any, rule: Rule) -> Any:
    if callable(default):
        return field(default_factory=default, metadata={_RULE: rule})
    return field(default=default, metadata={_RULE: rule})
