"""Numbers that are worth keeping from one process to the next, in the user's cache folder.

Losing them costs time, never a result: a file that cannot be read counts as empty, one that cannot
be written is left out.
"""

import json
import logging
import os
import sys
from pathlib import Path

from dsiam_plugin.errors import ConfigError, DSiamError
from dsiam_plugin.io.files import write_text
from dsiam_plugin.io.parsing import read_json

ENVIRONMENT_VARIABLE = "DSIAM_CACHE"
MOST_ENTRIES = 200

_LOG = logging.getLogger(__name__)

Entries = dict[str, dict[str, float]]


def cache_folder() -> Path:
    """The folder: ``$DSIAM_CACHE``, else one of this program's where the system keeps caches."""
    if named := os.environ.get(ENVIRONMENT_VARIABLE):
        return Path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME")
    return Path(os.path.expanduser(base or "~/.cache")) / "dsiam"


def recall(name: str) -> Entries:
    """Entries of a cache file, numbers by name each; none where it is missing or damaged."""
    try:
        return read_json(cache_folder() / name, ConfigError, shape={str: {str: float}})
    except DSiamError:
        return {}


def remember(name: str, key: str, numbers: dict[str, float]) -> None:
    """Adds or replaces an entry of a cache file; the oldest ones go when there are many."""
    entries = recall(name)
    entries.pop(key, None)
    entries[key] = numbers
    kept = dict(list(entries.items())[-MOST_ENTRIES:])
    try:
        write_text(cache_folder() / name, json.dumps(kept, indent=1) + "\n")
    except OSError as error:
        _LOG.debug("%s: not written (%s)", cache_folder() / name, error)
