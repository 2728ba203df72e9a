"""Scores that a challenge has published: the field in which evaluated trackers are ranked."""

import csv
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class PublishedScore:
    """One tracker's line of a challenge's table."""

    tracker: str  # the name there
    accuracy: float  # mean overlap while tracking
    robustness: float  # mean number of failures a sequence
    eao: float  # expected average overlap
    speed_efo: float  # speed in equivalent filter operations, comparable between machines


def published_scores(dataset: str) -> tuple[PublishedScore, ...]:
    """The published table of a challenge, best EAO first; empty where none is packaged.

    Args:
        dataset: The benchmark's name; ``VOT2015`` has a table, of its 62 trackers.
    """
    table = files(__package__) / "data" / f"{dataset}.csv"
    if not table.is_file():
        return ()
    lines = csv.reader(table.read_text(encoding="utf-8").splitlines())
    next(lines)
    return tuple(PublishedScore(name, *map(float, numbers)) for name, *numbers in lines)
