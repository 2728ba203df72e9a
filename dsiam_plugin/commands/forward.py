"""Sub-commands that belong to other parts of the project and parse their own arguments."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from pathlib import Path

from dsiam_plugin.errors import MissingDependencyError

# Words on the command line -> module with main(argv) and what the help says.
TARGETS = {
    ("test",): ("toolkit.bin.test", "run trackers on a benchmark"),
    ("eval",): ("toolkit.bin.eval", "score results: tables, plots, report"),
    ("prepare",): ("toolkit.bin.prepare", "check a dataset and describe it for the toolkit"),
    ("convert",): ("toolkit.bin.convert", "convert result files of other toolkits"),
    ("data", "synthesize"): (
        "dsiam_plugin.training.synthesize",
        "make training sequences from still images",
    ),
    ("data", "curate"): (
        "dsiam_plugin.training.curate",
        "cut the targets of a data set into a pack for training",
    ),
}


def target(arguments: list[str]) -> tuple[str, list[str]] | None:
    """Module and remaining arguments where the command line names a forwarded command."""
    for words, (module, _) in TARGETS.items():
        if tuple(arguments[: len(words)]) == words:
            return module, arguments[len(words) :]
    return None


def run(module: str, arguments: list[str]) -> int:
    """Calls ``main(arguments)`` of the module and returns the exit status."""
    if module.startswith("toolkit."):
        prefer_own_toolkit()
    return importlib.import_module(module).main(arguments) or 0


def add_parsers(subparsers: argparse._SubParsersAction, group: tuple[str, ...] = ()) -> None:
    """Lists the forwarded commands in the help of ``dsiam`` or of one of its groups."""
    for words, (_, text) in TARGETS.items():
        if words[:-1] == group:
            subparsers.add_parser(words[-1], help=text, add_help=False)


def prefer_own_toolkit() -> None:
    """Makes ``import toolkit`` find the package beside this one.

    pysot checkouts carry a package of the same name, and users put them on PYTHONPATH.

    Raises:
        MissingDependencyError: If there is none.
    """
    home = Path(__file__).resolve().parents[2]
    found = importlib.util.find_spec("toolkit")
    places = [] if found is None else list(found.submodule_search_locations or [])
    if home / "toolkit" in [Path(place).resolve() for place in places]:
        return
    if not (home / "toolkit").is_dir():
        raise MissingDependencyError(
            f"no package 'toolkit' beside {home / 'dsiam_plugin'}; expected one (reinstall"
            " dsiam-plugin)"
        )
    sys.path.insert(0, str(home))
