"""Sub-commands that parse their own arguments, also as modules of their own."""

import argparse
import importlib

# Words on the command line -> module with main(argv) and what the help says.
TARGETS = {
    ("test",): ("dsiam_plugin.commands.test", "run trackers on a benchmark"),
    ("eval",): ("dsiam_plugin.commands.eval", "score results: tables, plots, report"),
    ("prepare",): (
        "dsiam_plugin.commands.prepare",
        "check and describe a data set",
    ),
    ("convert",): ("dsiam_plugin.commands.convert", "convert result files of other toolkits"),
    ("data", "synthesize"): (
        "dsiam_plugin.commands.synthesize",
        "make training sequences from still images",
    ),
    ("data", "curate"): (
        "dsiam_plugin.commands.curate",
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
    return importlib.import_module(module).main(arguments) or 0


def add_parsers(subparsers: argparse._SubParsersAction, group: tuple[str, ...] = ()) -> None:
    """Lists the forwarded commands in the help of ``dsiam`` or of one of its groups."""
    for words, (_, text) in TARGETS.items():
        if words[:-1] == group:
            subparsers.add_parser(words[-1], help=text, add_help=False)
