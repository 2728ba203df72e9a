"""``dsiam reproduce``: the paper's tables and figures from runs made here, in one report."""

import argparse
import re
from pathlib import Path

from dsiam_plugin.commands.argument_types import positive_seconds, workers

FRAMES = 150  # of each sequence by default: all trackers run in half an hour on two cores
CORES = 2


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declares ``dsiam reproduce``."""
    parser = subparsers.add_parser(
        "reproduce",
        help="run, evaluate and report what the paper shows",
        description="Runs what is missing, evaluates it and writes OUT/report.html and report.pdf. "
        "Results stand in OUT/results; the same command goes on where it was stopped.",
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("out", type=Path, metavar="OUT", help="folder for results, figures and the report")
    add("--data", type=_data, action="append", default=[], metavar="OTB=DIR",
        help="sequences of OTB, in any layout; may be repeated")  # fmt: skip
    add("--vot", type=Path, metavar="DIR", help="sequences of VOT-2015, in the toolkit's layout")
    add("--results", type=Path, metavar="DIR",
        help="published raw results, OTB2013/<tracker>/<sequence>.txt")  # fmt: skip
    add("--weights", type=Path, action="append", default=[], metavar="FILE",
        help="network to run besides the package's own; may be repeated")  # fmt: skip
    add("--frames", type=_frames, default=FRAMES, metavar="N",
        help="first frames of each OTB sequence, or all (default: %(default)s)")  # fmt: skip
    add("--filter_seconds", type=positive_seconds, metavar="S",
        help="seconds of VOT's filter operation on this machine: speeds in EFO")  # fmt: skip
    add("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    add("--precision", default="auto", help="of the convolutions, as in `dsiam test`")
    add("-n", "--num", type=workers, default=CORES, metavar="N",
        help="worker processes (default: %(default)s)")  # fmt: skip
    add("--force", action="store_true", help="discard results that stand in OUT")


def run(arguments: argparse.Namespace) -> int:
    """Runs everything; 0, or 1 where a run failed and its part is missing in the report."""
    from dsiam_plugin.commands.reproduce_runs import reproduce

    return reproduce(arguments)


def _data(text: str) -> Path:
    kind, sign, folder = text.partition("=")
    if not (sign and folder and kind.upper() in ("OTB", "OTB2013", "OTB100")):
        raise argparse.ArgumentTypeError(f"{text:.80}: expected OTB=DIR")
    return Path(folder)


def _frames(text: str) -> int | None:
    if text == "all":
        return None
    if not re.fullmatch(r"[0-9]{1,7}", text) or int(text) < 2:
        raise argparse.ArgumentTypeError(f"{text:.40}: expected a number from 2, or all")
    return int(text)
