"""The command line of `test`."""

import argparse

from dsiam_plugin.commands.argument_types import positive, workers
from dsiam_plugin.commands.options import add_threads, tracker_options


def build_parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    parser = argparse.ArgumentParser(
        prog="dsiam test",
        parents=[tracker_options()],
        description="Run trackers on a benchmark. Finished sequences are kept and skipped.",
    )
    _add_what(parser)
    _add_selection(parser)
    _add_how(parser.add_argument_group("execution"))
    return parser


def _add_what(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("-d", "--dataset", required=True, metavar="NAME", help="benchmark, or folder of sequences")
    add(
        "--dataset_dir",
        metavar="DIR",
        help="its folder (default: here, $DSIAM_DATASETS/NAME, testing_dataset/NAME)",
    )
    add(
        "-t",
        "--trackers",
        nargs="+",
        required=True,
        metavar="TRACKER",
        help="a name that `dsiam list` shows, [NAME=]module:factory or [NAME=]FILE.py:factory",
    )
    add(
        "-p",
        "--tracker_path",
        default="results",
        metavar="DIR",
        help="where results go (default: %(default)s)",
    )


def _add_selection(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--protocol",
        metavar="P",
        help="OPE, TRE or SRE; VOT (restarts); LT (default: the benchmark's own)",
    )
    add("--sequences", "--video", nargs="+", metavar="NAME", help="only these (default: all)")
    add(
        "--repetitions",
        type=positive,
        default=1,
        metavar="N",
        help="of each sequence with VOT; three equal ones end them (default: %(default)s)",
    )
    add("--force", action="store_true", help="discard results that stand there already")


def _add_how(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "-n",
        "--num",
        type=workers,
        default=1,
        metavar="N",
        help="worker processes; 0 runs in this one (default: %(default)s)",
    )
    add_threads(group, "of each worker, or of this process with -n 0", default=1)
    add("--address", metavar="RAY", help="run on a Ray cluster: auto, local or an address")
