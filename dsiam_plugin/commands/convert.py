"""`python -m toolkit.bin.convert`: a tracker's results from one toolkit's files to another's."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dsiam_plugin.commands.command import run_command
from dsiam_plugin.evaluation.results.conversion import FORMATS, convert_results

_FORMAT_HELP = """\
formats:
  pysot       <sequence>.txt, x,y,w,h                     one pass
  got10k      <sequence>.txt, three decimals              one pass
  got10k-runs  <sequence>/<sequence>_001.txt, likewise    one pass
  pytracking  <sequence>.txt, tabs, whole pixels          one pass
  otb-mat     <sequence>_<tracker>.mat (extra: mat)       one pass
  pysot-vot   baseline/<sequence>/<sequence>_001.txt      restarts
  vot-text    the same files, as the VOT toolkit names it restarts
  vot-binary  baseline/<sequence>/<sequence>_001.bin      restarts

On OTB got10k, pytracking and otb-mat count pixels from 1 and pysot from 0; x and y are shifted.
Exit status: 0 converted, 2 bad input.
"""


def build_parser() -> argparse.ArgumentParser:
    """The command line's options."""
    parser = argparse.ArgumentParser(
        prog="dsiam convert",
        description="Convert the results of one tracker between the files of the toolkits.",
        epilog=_FORMAT_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("source", metavar="INPUT", type=Path, help="the tracker's folder")
    add("target", metavar="OUTPUT", type=Path, help="the tracker's new folder")
    for flag, name in (("--from", "source_format"), ("--to", "target_format")):
        add(flag, dest=name, required=True, choices=FORMATS, metavar="FORMAT")
    add("--dataset", help="benchmark the results are of (default: by the names)")
    add("--tracker", help="tracker in the names of .mat files, of several")
    add("--corners", action="store_true", help="rows of INPUT are x1,y1,x2,y2 and not x,y,w,h")
    for flag in ("--input_base", "--output_base"):
        parser.add_argument(
            flag, flag.replace("_", "-"), type=int, choices=(0, 1),
            help="number of the first pixel (default: the format's)",
        )  # fmt: skip
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = vars(build_parser().parse_args(argv))
    return run_command("convert", lambda: _run(**options))


def _run(source: Path, target: Path, **options: Any) -> int:
    done = convert_results(source, target, **options)
    print(f"{source} -> {target}: {len(done.names)} results of {len(set(done.names))} sequences")
    if done.tracker != source.name:
        print(f"the files are called after the tracker {done.tracker}")
    if done.input_base != done.output_base:
        print(f"pixels were counted from {done.input_base}, now from {done.output_base}")
    return 0
