"""The table of benchmarks, `dsiam_plugin/evaluation/datasets/data/benchmarks.json`.

Everything that differs between benchmarks stands there or in the sequence tables beside it.
"""

import difflib
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

from dsiam_plugin.errors import DatasetError

MIN_SIMILARITY = 0.5  # below this a "did you mean" misleads


@dataclass(frozen=True)
class Benchmark:
    """One benchmark: its names and what differs between benchmarks."""

    name: str  # the name shown in tables
    family: str  # which dataset class loads it, a key of `factory.FAMILIES`
    aliases: tuple[str, ...] = ()  # other names users give it
    facts: str | None = None  # base name of the sequence table in `datasets/data`, if there is one
    # The larger benchmark whose metadata file holds this one's sequences too
    part_of: str | None = None
    # Shortest and longest run, in frames, over which the expected average overlap is averaged; None
    # where the challenge defined none
    eao_interval: tuple[int, int] | None = None
    # How many videos the benchmark has; None where it is not settled here
    sequences: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The name and its aliases."""
        return (self.name, *self.aliases)


def _load_table() -> tuple[Benchmark, ...]:
    resource = resources.files(__package__) / "data" / "benchmarks.json"
    rows = json.loads(resource.read_text(encoding="utf-8"))
    return tuple(Benchmark(**{key: _frozen(value) for key, value in row.items()}) for row in rows)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


BENCHMARKS = _load_table()


def find_benchmark(name: str) -> Benchmark | None:
    """The benchmark of that name or alias, letter case aside; None where there is none."""
    key = name.casefold()
    for benchmark in BENCHMARKS:
        if key in {known.casefold() for known in benchmark.names}:
            return benchmark
    return None


def get_benchmark(name: str) -> Benchmark:
    """The benchmark of that name or alias, letter case aside.

    Raises:
        DatasetError: There is none; the message names the nearest ones.
    """
    benchmark = find_benchmark(name)
    if benchmark is None:
        raise DatasetError(unknown_name_message(name))
    return benchmark


def unknown_name_message(name: str) -> str:
    """One line that says `name` is no benchmark and which name was probably meant."""
    listed = ", ".join(benchmark.name for benchmark in BENCHMARKS)
    nearest = _nearest_name(name)
    hint = f"did you mean {nearest!r}?" if nearest else "no name is near it."
    return f"unknown data set {name!r}: {hint} Known: {listed}, or a folder of sequences"


def _nearest_name(name: str) -> str | None:
    """The most similar name or alias; of equally similar ones that with the same letters."""

    def similarity(known: str) -> tuple[float, bool]:
        ratio = difflib.SequenceMatcher(None, name.casefold(), known.casefold()).ratio()
        return ratio, sorted(name.casefold()) == sorted(known.casefold())

    best = max((known for b in BENCHMARKS for known in b.names), key=similarity)
    return best if similarity(best)[0] >= MIN_SIMILARITY else None
