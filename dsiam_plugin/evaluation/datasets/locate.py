"""Finding the folder of a data set."""

import os
from collections.abc import Iterable
from pathlib import Path

from dsiam_plugin.errors import DatasetError

DATASETS_VARIABLE = "DSIAM_DATASETS"
DEFAULT_FOLDER = "testing_dataset"  # pysot's


def candidate_roots(names: Iterable[str]) -> list[Path]:
    """Folders in which a data set is looked for when none is given, in that order.

    Args:
        names: The benchmark's name and aliases.

    Returns:
        The current folder, `$DSIAM_DATASETS/<name>` and `testing_dataset/<name>`.
    """
    names = list(names)
    roots = [Path.cwd()]
    if os.environ.get(DATASETS_VARIABLE):
        roots += [Path(os.environ[DATASETS_VARIABLE]) / name for name in names]
    return roots + [Path(DEFAULT_FOLDER) / name for name in names]


def not_found(name: str, looked: Iterable[Path], expected: str) -> DatasetError:
    """The error that lists where a data set was looked for."""
    places = ", ".join(str(folder) for folder in looked)
    hint = "" if os.environ.get(DATASETS_VARIABLE) else f"; ${DATASETS_VARIABLE} is not set"
    return DatasetError(f"{name} not found: looked in {places} for {expected}{hint}")
