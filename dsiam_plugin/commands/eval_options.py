"""The command line of `eval`; pysot's short flags and pysot-toolkit's names work as well."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from dsiam_plugin.commands.argument_types import positive, positive_seconds


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The arguments, checked against each other; ends the process with status 2 on bad ones."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if (arguments.engine == "pysot") != (arguments.pysot_path is not None):
        parser.error("--engine pysot and --pysot-path DIR go together")
    if arguments.protocol and arguments.sequences:
        parser.error(f"--sequences shows single runs, which --protocol {arguments.protocol} pools")
    if arguments.protocol and arguments.carry_last:
        parser.error(f"--carry-last is for the usual runs, not for those of {arguments.protocol}")
    return arguments


def build_parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    parser = argparse.ArgumentParser(
        prog="dsiam eval",
        description="Score tracking results on a benchmark. Annotations are enough, unless "
        "pictures of sequences are asked for.",
    )
    _add_what(parser)
    _add_outputs(parser.add_argument_group("output"))
    return parser


def _add_what(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("-d", "--dataset", required=True, metavar="NAME", help="benchmark, or folder of sequences")
    add("--dataset_dir", metavar="DIR", help="its folder (default: here, $DSIAM_DATASETS/NAME, "
        "testing_dataset/NAME)")  # fmt: skip
    add("-p", "--tracker_path", "--tracker_result_dir", default="results", type=Path,
        metavar="DIR", help="holds NAME/<tracker>/ (default: %(default)s)")  # fmt: skip
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--trackers", nargs="+", metavar="TRACKER", help="which (default: all)")
    chosen.add_argument("-t", "--tracker_prefix", default="", metavar="P", help="those named P...")
    add("--protocol", type=str.upper, choices=("TRE", "SRE"),
        help="score OTB's temporal or spatial robustness (default: the usual runs)")  # fmt: skip
    add("--carry-last", "--carry_last", action="store_true",
        help="take invalid rows for the last valid box, as OTB's own toolkit")  # fmt: skip
    add("-n", "--num", type=positive, default=1, metavar="N", help="processes (default: 1)")
    add("--eao", choices=("pysot", "vot"), default="pysot",
        help="definition of the expected average overlap (default: %(default)s)")  # fmt: skip
    add("--eao_interval", nargs=2, type=positive, metavar=("LOW", "HIGH"),
        help="lengths of runs it is the mean over (default: the benchmark's)")  # fmt: skip
    add("--engine", choices=("toolkit", "pysot"), default="toolkit",
        help="whose classes compute (default: %(default)s)")  # fmt: skip
    add("--pysot-path", "--pysot_path", type=Path, metavar="DIR", help="checkout for that engine")
    add("--filter_seconds", type=positive_seconds, metavar="S",
        help="seconds of VOT's filter operation on that machine: speeds in EFO")  # fmt: skip


def _add_outputs(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("-s", "--show_video_level", action="store_true", help="print a row a sequence")
    add("--attributes", action="store_true", help="print a column an attribute")
    add("--vis", action="store_true", help="draw plots and an HTML report")
    add("--plots", type=Path, metavar="DIR", help="where, implies --vis (default: plots/NAME)")
    add("--sequences", nargs="+", default=(), metavar="SEQ",
        help="draw overlap and frames of these too, implies --vis; needs images")  # fmt: skip
    add("--json", type=Path, metavar="FILE", help="write the scores")
    add("--csv", type=Path, metavar="FILE", help="write the scores, a row a sequence")
