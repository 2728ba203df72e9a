"""`python -m toolkit.bin.test`, also `dsiam test`: run trackers on a benchmark."""

import argparse
from collections.abc import Sequence

from dsiam_plugin.commands.command import complain, run_command
from dsiam_plugin.commands.run_options import build_parser
from dsiam_plugin.commands.tracker_specs import tracker_specs
from dsiam_plugin.errors import ResultsError, TrackerError
from dsiam_plugin.evaluation.datasets import DatasetFactory
from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.running import RunReport, TrackerSpec, run_dataset, score_robustness
from dsiam_plugin.evaluation.running.protocols import ROBUSTNESS

EXIT_FAILED = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        0, or 1 where a sequence or a tracker failed, 2 for bad input, 130 for an interrupt, 141
        for a closed pipe.
    """
    arguments = build_parser().parse_args(argv)
    return run_command("test", lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    """The exit status of running all trackers; the others go on where one cannot be run."""
    dataset = DatasetFactory.create_dataset(
        name=arguments.dataset, dataset_root=arguments.dataset_dir
    )
    if dataset.missing_videos and not arguments.sequences:
        total = len(dataset) + len(dataset.missing_videos)
        complain(
            "test",
            f"{dataset.dataset_root} has {len(dataset)} of the {total} sequences of "
            f"{dataset.name}; missing: {', '.join(dataset.missing_videos)}",
        )
    try:
        complete = [_run_tracker(dataset, spec, arguments) for spec in tracker_specs(arguments)]
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "interrupted; finished sequences are kept, the same command goes on"
        ) from None
    return 0 if all(complete) else EXIT_FAILED


def _run_tracker(dataset: Dataset, tracker: TrackerSpec, arguments: argparse.Namespace) -> bool:
    """True if all went well; what became of the tracker's runs is printed."""
    try:
        report = run_dataset(
            dataset,
            tracker,
            arguments.tracker_path,
            protocol=arguments.protocol,
            sequences=arguments.sequences,
            repetitions=arguments.repetitions,
            num=arguments.num,
            threads=arguments.threads,
            address=arguments.address,
            gpus=1 if arguments.device.startswith("cuda") else 0,
            force=arguments.force,
        )
    except (ResultsError, TrackerError) as error:
        complain("test", f"error: {error}")
        return False
    print_report(report)
    if report.protocol in {protocol.name for protocol in ROBUSTNESS}:
        _print_robustness(dataset, arguments.tracker_path, report)
    return not report.failures


def print_report(report: RunReport) -> None:
    """Prints what became of a tracker's runs."""
    parts = {
        f"{report.finished} done at {report.fps:.1f} fps": report.finished,
        f"{report.skipped} done before": report.skipped,
        f"{len(report.failures)} failed": report.failures,
    }
    counts = ", ".join(part for part, there in parts.items() if there) or "nothing to do"
    print(f"{report.tracker} on {report.dataset}, {report.protocol}: {counts}")
    for label, problem in report.failures.items():
        print(f"  {label}: {problem}")
    if report.unscored:
        print(f"  not scored: {len(report.unscored)} sequences, only their first box is annotated")


def _print_robustness(dataset: Dataset, tracker_path: str, report: RunReport) -> None:
    """Scores of the runs that are there; `dsiam eval` asks for all runs of a sequence."""
    if report.finished + report.skipped == 0 or all(video.has_start_box_only for video in dataset):
        return
    score = score_robustness(dataset, tracker_path, report.tracker, report.protocol)
    counts = f"{score.runs}/{score.planned} runs"
    print(f"  success {score.success:.3f}, precision {score.precision:.3f} over {counts}")
