"""`python -m toolkit.bin.eval`, also `dsiam eval`: score results, draw plots, write a report."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dsiam_plugin.commands.command import run_command
from dsiam_plugin.commands.eval_options import parse_arguments
from dsiam_plugin.evaluation.datasets import DatasetFactory
from dsiam_plugin.evaluation.reporting.evaluate import evaluate
from dsiam_plugin.evaluation.reporting.evaluation import Evaluation, Options, gap_lines, title_of
from dsiam_plugin.evaluation.reporting.outputs import Outputs
from dsiam_plugin.evaluation.reporting.pictures import check_sequences
from dsiam_plugin.evaluation.reporting.trackers import find_trackers


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Returns:
        0, 2 for bad input, 130 for an interrupt, 141 for a closed pipe. Results that are missing
        for some sequences are listed and marked, and are no error.
    """
    arguments = parse_arguments(argv)
    return run_command("eval", lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    dataset = DatasetFactory.create_dataset(
        name=arguments.dataset, dataset_root=arguments.dataset_dir
    )
    if arguments.carry_last:
        dataset.carry_last_boxes()
    folder, trackers = find_trackers(
        arguments.tracker_path, dataset.name, arguments.trackers, arguments.tracker_prefix
    )
    drawn = arguments.vis or arguments.plots or arguments.sequences
    name = "_".join(filter(None, (title_of(dataset), arguments.protocol)))
    plots = (arguments.plots or Path("plots") / name) if drawn else None
    outputs = Outputs(arguments.json, arguments.csv, plots, arguments.sequences)
    outputs.check()
    check_sequences(dataset, arguments.sequences)
    options = Options(
        processes=arguments.num,
        eao=arguments.eao,
        interval=tuple(arguments.eao_interval) if arguments.eao_interval else None,
        pysot_path=arguments.pysot_path,
        protocol=arguments.protocol,
        filter_seconds=arguments.filter_seconds,
    )
    evaluation = evaluate(dataset, folder, trackers, options)
    _print(evaluation, arguments)
    for path in outputs.write(evaluation):
        print(f"wrote {path}")
    return 0


def _print(evaluation: Evaluation, arguments: argparse.Namespace) -> None:
    tables = [*evaluation.tables]
    if arguments.attributes:
        tables += evaluation.attribute_tables
    if arguments.show_video_level:
        tables += evaluation.video_tables
    for table in tables:
        print(table.text(color=sys.stdout.isatty()), end="\n\n")
    most = None if arguments.show_video_level else 3
    for line in gap_lines(evaluation.dataset, evaluation.gaps, most):
        print(line)
