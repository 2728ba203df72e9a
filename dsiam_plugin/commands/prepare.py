"""`python -m toolkit.bin.prepare`: from a raw download to a data set that is ready to use.

Exit status 0 where every sequence is complete, 1 where some are missing or damaged (the complete
ones are written all the same), 2 where nothing could be done.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from dsiam_plugin.commands.command import run_command
from dsiam_plugin.evaluation.datasets.checking import Report, check_download
from dsiam_plugin.evaluation.datasets.pysot_layout import write_metadata
from dsiam_plugin.evaluation.datasets.registry import BENCHMARKS, Benchmark, get_benchmark


def build_parser() -> argparse.ArgumentParser:
    """The command line's options."""
    names = ", ".join(benchmark.name for benchmark in BENCHMARKS)
    parser = argparse.ArgumentParser(
        prog="dsiam prepare",
        description="Check a raw download, list every gap, and write metadata as pysot reads it.",
        epilog=f"Data sets: {names}. Exit status: 0 complete, 1 gaps, 2 nothing done.",
    )
    add = parser.add_argument
    add("name", metavar="NAME", help="data set, such as OTB2013 or VOT2018")
    add("folder", metavar="DIR", type=Path, help="folder of the raw download")
    add("--output", metavar="FILE", type=Path, help="metadata file (default: DIR/NAME.json)")
    add("--dry_run", "--dry-run", action="store_true", help="check only, write nothing")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = build_parser().parse_args(argv)
    return run_command("prepare", lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    benchmark = get_benchmark(options.name)
    report = check_download(benchmark, options.folder)
    output = options.output or options.folder / f"{options.name}.json"
    if report.videos and not options.dry_run:
        write_metadata(output, report.videos)
    _print_report(benchmark, report)
    if not options.dry_run:
        print(f"wrote {output}" if report.videos else "nothing written: no sequence is complete")
    return 0 if report.complete else 1


def _print_report(benchmark: Benchmark, report: Report) -> None:
    frames = sum(len(entry["gt_rect"]) for entry in report.videos.values())
    print(
        f"{benchmark.name}: {len(report.videos)} of {report.expected} sequences complete, "
        f"{frames} frames"
    )
    for note in report.notes:
        print(f"  note: {note}")
    for problem in report.problems:
        print(f"  gap: {problem}")
