"""Spellings of sequence names: the same target has a different name in every toolkit.

The names used here are pysot's: `Jogging-1`, `Skating2-2`, `Human4-2`.
"""

import re
from collections.abc import Iterable

TOOLKITS = ("pysot", "got10k", "pytracking", "vot")

# Only the folders that hold two targets are spelled in several ways.
_SPELLINGS = {
    "Jogging-1": {"got10k": "Jogging.1", "pytracking": "Jogging_1", "vot": "Jogging1"},
    "Jogging-2": {"got10k": "Jogging.2", "pytracking": "Jogging_2", "vot": "Jogging2"},
    "Skating2-1": {"got10k": "Skating2.1", "pytracking": "Skating2_1", "vot": "Skating2_1"},
    "Skating2-2": {"got10k": "Skating2.2", "pytracking": "Skating2_2", "vot": "Skating2_2"},
    "Human4-2": {"got10k": "Human4", "pytracking": "Human4_2", "vot": "Human4"},
}
_TARGET = re.compile(r"^(?P<folder>.+)-(?P<number>\d)$")


def to_toolkit(name: str, toolkit: str) -> str:
    """The spelling in `toolkit` of the sequence that pysot calls `name`."""
    return _SPELLINGS.get(name, {}).get(toolkit, name)


def match_name(name: str, known: Iterable[str]) -> str | None:
    """The member of `known` that `name` spells in some toolkit's way, letter case aside."""
    known = list(known)
    if name in known:
        return name
    spelled = {spelling.casefold(): video for video in known for spelling in file_names(video)}
    return spelled.get(name.casefold())


def file_names(name: str) -> tuple[str, ...]:
    """Base names, best first, under which published results store sequence `name`.

    Besides the four toolkits' spellings these are the lower-case ones of the OTB authors'
    result archives (`jogging_1`, `fleetface`, `carDark`).
    """
    spelled = [name, *_SPELLINGS.get(name, {}).values()]
    target = _TARGET.match(name)
    if target:
        spelled += [f"{target['folder']}{sign}{target['number']}" for sign in ("_", ".", "")]
    spelled += [word[0].lower() + word[1:] for word in spelled]
    spelled += [word.lower() for word in spelled]
    return tuple(dict.fromkeys(spelled))
