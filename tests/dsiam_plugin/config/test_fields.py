import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass

import pytest

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.config.fields import choice, number, refuse, validate
from dsiam_plugin.errors import ConfigError, DatasetError
from dsiam_plugin.evaluation.synthesis.dataset import SynthesisConfig
from dsiam_plugin.training.data.selection import CurationConfig
from dsiam_plugin.training.run.recipe import CONFIGS


@dataclass(frozen=True)
class Part:
    share: float = number(0.5, "[0, 1)")
    count: int = number(3, "(1, 7]", odd=True)
    rates: float | Mapping[str, float] = number(1.0, "[0, 2]")
    sizes: tuple[int, ...] = number((), "[1, 9]")
    limit: float | None = number(None, "[0, 1]")
    kind: str = choice("a", ("a", "b", "c"))

    def problems(self):
        if self.share > 0.8 and self.kind == "a":
            yield "share: too much for a"


@dataclass(frozen=True)
class Whole:
    part: Part = Part()


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ({}, []),
        ({"share": 0.0, "limit": 1.0, "rates": {"x": 2.0}, "sizes": (1, 9), "count": 7}, []),
        ({"share": 1.0, "kind": "b"}, ["part.share: 1.0, expected a number in [0, 1)"]),
        ({"share": float("nan")}, ["part.share: nan, expected a number in [0, 1)"]),
        ({"count": 4}, ["part.count: 4, expected an odd number in (1, 7]"]),
        ({"count": 1}, ["part.count: 1, expected an odd number in (1, 7]"]),
        ({"rates": {"x": 1.0, "y": 3.0}}, ["part.rates.y: 3.0, expected a number in [0, 2]"]),
        ({"sizes": (1, 10)}, ["part.sizes: 10, expected a number in [1, 9]"]),
        ({"limit": -0.1}, ["part.limit: -0.1, expected a number in [0, 1]"]),
        ({"kind": "d"}, ["part.kind: 'd', expected a, b or c"]),
        ({"share": 0.9}, ["part.share: too much for a"]),
    ],
)
def test_every_value_is_held_against_its_rule(values, lines):
    assert validate(Whole(Part(**values))) == lines


def all_classes(config):
    """The dataclass and those of its fields."""
    hints = typing.get_type_hints(config)
    nested = [hints[item.name] for item in fields(config) if is_dataclass(hints[item.name])]
    return {config}.union(*(all_classes(one) for one in nested))


@pytest.mark.parametrize(
    "config", [TrackerConfig, *CONFIGS.values(), SynthesisConfig, CurationConfig]
)
def test_every_number_of_a_configuration_has_a_rule(config):
    for one in all_classes(config):
        ruled = {item.name for item in fields(one) if item.metadata}
        for name, hint in typing.get_type_hints(one).items():
            if re.search(r"\b(int|float)\b", str(hint)):
                assert name in ruled, f"{one.__name__}.{name}"


def test_a_message_has_what_fits_and_counts_the_rest():
    with pytest.raises(DatasetError) as caught:
        refuse([f"{key}: wrong {'x' * 50}" for key in range(90)], "file", DatasetError)
    message = str(caught.value)
    assert message.startswith("file: 0: wrong")
    assert len(message) < 500
    shown = message.count(": wrong")
    assert message.endswith(f"; and {90 - shown} more")
    refuse([])
    with pytest.raises(ConfigError, match="^alone$"):
        refuse(["alone"])
