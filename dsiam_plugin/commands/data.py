"""``dsiam data``: training data."""

import argparse

from dsiam_plugin.commands import forward


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declares ``dsiam data`` and its forwarded sub-commands."""
    parser = subparsers.add_parser("data", help="make training data")
    forward.add_parsers(parser.add_subparsers(metavar="COMMAND", required=True), ("data",))
