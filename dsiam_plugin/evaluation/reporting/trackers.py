"""Finding the trackers whose results are to be evaluated."""

import difflib
import os
from collections.abc import Sequence
from pathlib import Path

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.datasets.registry import find_benchmark
from dsiam_plugin.evaluation.results.layout import RECORD, holds_results
from dsiam_plugin.io.folders import subfolders
from dsiam_plugin.io.shapes import check_name

SHOWN = 8  # names listed in a message


def find_trackers(
    path: str | os.PathLike[str],
    dataset: str,
    names: Sequence[str] | None = None,
    prefix: str = "",
) -> tuple[Path, list[str]]:
    """Finds the folder of results and the trackers in it.

    Results lie in ``<path>/<data set>/<tracker>`` as pysot keeps them, under the data set's name
    or any of its aliases; ``path`` may also be the data set's folder itself.

    Args:
        path: Where to look.
        dataset: The data set's name.
        names: Trackers to evaluate; None for all whose names begin with ``prefix``.
        prefix: Beginning of the names.

    Returns:
        The folder that holds the trackers' folders, and the names in order.

    Raises:
        ResultsError: The path does not exist, or holds no (or not the named) tracker; the
            message names the folder searched and what is there.
    """
    root = Path(path)
    if not root.is_dir():
        raise ResultsError(f"no results: {root} is not a folder (--tracker_path)")
    folder = _dataset_folder(root, dataset)
    there = _trackers_in(folder, own=folder != root)
    if names:
        for name in names:
            check_name(name, "tracker", ResultsError)
            if not (folder / name).is_dir():
                raise ResultsError(_missing(name, folder, there))
        return folder, list(dict.fromkeys(names))
    found = [name for name in there if name.startswith(prefix)]
    if not found:
        raise ResultsError(_none_found(folder, root, dataset, there, prefix))
    return folder, found


def _trackers_in(folder: Path, own: bool) -> list[str]:
    """Names of the trackers in a folder, those that failed on every sequence too.

    In the data set's own folder every folder is a tracker's, as in pysot; elsewhere those with
    results or a record of a run. None where no folder has results.
    """
    names = subfolders(folder)
    with_results = [name for name in names if holds_results(folder / name)]
    if not with_results:
        return []
    if own:
        return names
    return [name for name in names if name in with_results or (folder / name / RECORD).is_file()]


def _dataset_folder(root: Path, dataset: str) -> Path:
    """Folder of the data set below ``root``, under any of its names, else ``root``."""
    benchmark = find_benchmark(dataset)
    names = [Path(dataset).name, *(benchmark.names if benchmark else ())]
    return next((root / name for name in names if (root / name).is_dir()), root)


def _missing(name: str, folder: Path, there: Sequence[str]) -> str:
    nearest = difflib.get_close_matches(name, there, n=1)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    return f"no tracker {name!r} in {folder}: {hint}there: {_listed(there)}"


def _none_found(folder: Path, root: Path, dataset: str, there: Sequence[str], prefix: str) -> str:
    if there:
        return f"no tracker begins with {prefix!r} in {folder}; there: {_listed(there)}"
    inside = _listed([entry.name for entry in sorted(folder.iterdir())])
    layout = f"{root / Path(dataset).name}/<tracker>/<sequence>.txt"
    return f"no tracker found in {folder}; there: {inside}; expected {layout}"


def _listed(names: Sequence[str]) -> str:
    """Text of at most eight names, and how many more there are."""
    if not names:
        return "nothing"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
