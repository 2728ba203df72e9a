"""`python -m toolkit.bin.test`, also `dsiam test`: run trackers on a benchmark.

The only module of the toolkit that knows the trackers of `dsiam_plugin`; it imports the package
where it needs it and not before.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict

from toolkit.datasets import DatasetFactory
from toolkit.datasets.dataset import Dataset
from toolkit.errors import ResultsError, ToolkitError, TrackerError
from toolkit.running import RunReport, TrackerSpec, run_dataset, score_robustness
from toolkit.running.protocols import ROBUSTNESS

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPT = 130  # 128 + SIGINT, as shells report it


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Arguments after the program's name; those of the process by default.

    Returns:
        0, or 1 where a sequence or a tracker failed, 2 for bad input, 130 for an interrupt.
    """
    from dsiam_plugin.errors import DSiamError

    arguments = build_parser().parse_args(argv)
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        _complain("interrupted; finished sequences are kept, the same command goes on")
        return EXIT_INTERRUPT
    except (ToolkitError, DSiamError) as error:
        _complain(f"error: {error}")
        return EXIT_BAD_INPUT


def build_parser() -> argparse.ArgumentParser:
    """The parser of this command."""
    from dsiam_plugin.commands.options import tracker_options

    parser = argparse.ArgumentParser(
        prog="dsiam test",
        parents=[tracker_options()],
        description="Run trackers on a benchmark. Finished sequences are kept and skipped.",
    )
    _add_what(parser)
    _add_how(parser.add_argument_group("execution"))
    return parser


def _add_what(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-d", "--dataset", required=True, metavar="NAME", help="benchmark, or folder of sequences"
    )
    parser.add_argument(
        "--dataset_dir",
        metavar="DIR",
        help="its folder (default: here, $DSIAM_DATASETS/NAME, testing_dataset/NAME)",
    )
    parser.add_argument(
        "-t",
        "--trackers",
        nargs="+",
        required=True,
        metavar="TRACKER",
        help="a name that `dsiam list` shows, or [NAME=]module:factory",
    )
    parser.add_argument(
        "-p",
        "--tracker_path",
        default="results",
        metavar="DIR",
        help="where results go (default: %(default)s)",
    )
    parser.add_argument(
        "--protocol",
        metavar="P",
        help="OPE, TRE or SRE; VOT (restarts); LT (default: the benchmark's own)",
    )
    parser.add_argument(
        "--sequences", "--video", nargs="+", metavar="NAME", help="only these (default: all)"
    )
    parser.add_argument(
        "--repetitions",
        type=_positive,
        default=1,
        metavar="N",
        help="of each sequence with VOT; three equal ones end them (default: %(default)s)",
    )
    parser.add_argument(
        "--force", action="store_true", help="discard results that stand there already"
    )


def _add_how(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "-n",
        "--num",
        type=_natural,
        default=1,
        metavar="N",
        help="worker processes; 0 runs in this one (default: %(default)s)",
    )
    group.add_argument(
        "--threads",
        type=_positive,
        default=1,
        metavar="N",
        help="of each worker; more can change the last bits of results (default: %(default)s)",
    )
    group.add_argument(
        "--address", metavar="RAY", help="run on a Ray cluster: auto, local or an address"
    )


def _run(arguments: argparse.Namespace) -> int:
    """Run all trackers; one that cannot be run is reported, and the others go on."""
    dataset = DatasetFactory.create_dataset(
        name=arguments.dataset, dataset_root=arguments.dataset_dir
    )
    if dataset.missing_videos and not arguments.sequences:
        total = len(dataset) + len(dataset.missing_videos)
        _complain(
            f"{dataset.dataset_root} has {len(dataset)} of the {total} sequences of "
            f"{dataset.name}; missing: {', '.join(dataset.missing_videos)}"
        )
    status = 0
    for tracker in _tracker_specs(arguments):
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
            _complain(f"error: {error}")
            status = EXIT_FAILED
            continue
        _print_report(report)
        if report.protocol in {protocol.name for protocol in ROBUSTNESS}:
            _print_robustness(dataset, arguments.tracker_path, report)
        if report.failures:
            status = EXIT_FAILED
    return status


def _tracker_specs(arguments: argparse.Namespace) -> list[TrackerSpec]:
    """How to build each tracker of the command line.

    Raises:
        TrackerError: Two have the same name, or options are given that none of them takes.
    """
    factories = [text for text in arguments.trackers if ":" in text]
    if factories == arguments.trackers and (arguments.weights or arguments.config):
        raise TrackerError(
            f"{', '.join(factories)}: a factory finds its settings itself; --weights and "
            "--config are for the trackers that `dsiam list` shows"
        )
    specs = [
        _named_spec(text) if text in factories else _plugin_spec(text, arguments)
        for text in arguments.trackers
    ]
    names = [spec.name for spec in specs]
    for name in names:
        if names.count(name) > 1:
            raise TrackerError(f"two trackers {name!r}; tell them apart as NAME=module:factory")
    return specs


def _named_spec(text: str) -> TrackerSpec:
    """A tracker given as module:factory or NAME=module:factory."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # `python -m` finds modules there; `dsiam` should as well
    name, _, reference = text.rpartition("=")
    return TrackerSpec(name or reference.rpartition(":")[2], reference)


def _plugin_spec(name: str, arguments: argparse.Namespace) -> TrackerSpec:
    """A tracker of the registry, its settings resolved here so that all workers have the same.

    Raises:
        DSiamError: The name is unknown, or the settings do not fit it or this machine.
    """
    import dsiam_plugin
    from dsiam_plugin.config_files import load_config
    from dsiam_plugin.variants import find_variant
    from dsiam_plugin.weights import find_weights

    config = load_config(arguments.config, find_variant(name).config)
    weights = str(find_weights(arguments.weights).resolve())
    device, precision = _resolve_device(arguments)
    options = {
        "name": name,
        "weights": weights,
        "config": arguments.config,
        "device": device,
        "precision": precision,
    }
    identity = {
        "weights": weights,
        "config": asdict(config),
        "device": device.partition(":")[0],
        "precision": precision,
        "version": dsiam_plugin.__version__,
    }
    return TrackerSpec(name, "dsiam_plugin:build_tracker", options, identity)


def _resolve_device(arguments: argparse.Namespace) -> tuple[str, str]:
    """Names of the device and the precision that "auto" stands for."""
    from dsiam_plugin.devices import resolve_device, resolve_precision
    from dsiam_plugin.errors import DeviceError

    on_cluster = arguments.address is not None
    # Ray shows graphics cards only to workers that ask for some, which `--device cuda` does.
    device = "cpu" if on_cluster and arguments.device == "auto" else arguments.device
    try:
        place = resolve_device(device)
    except DeviceError:
        if on_cluster:  # its nodes may have what this machine lacks
            return device, arguments.precision
        raise
    precision = resolve_precision(arguments.precision, place)
    return str(place), str(precision).removeprefix("torch.")


def _print_report(report: RunReport) -> None:
    parts = {
        f"{report.finished} done at {report.fps:.1f} fps": report.finished,
        f"{report.skipped} done before": report.skipped,
        f"{len(report.failures)} failed": report.failures,
    }
    counts = ", ".join(part for part, there in parts.items() if there) or "nothing to do"
    print(f"{report.tracker} on {report.dataset}, {report.protocol}: {counts}")
    for label, problem in report.failures.items():
        print(f"  {label}: {problem}")


def _print_robustness(dataset: Dataset, tracker_path: str, report: RunReport) -> None:
    """Scores of a protocol that `dsiam eval` does not read."""
    if report.finished + report.skipped == 0:
        return
    score = score_robustness(dataset, tracker_path, report.tracker, report.protocol)
    counts = f"{score.runs}/{score.planned} runs"
    print(f"  success {score.success:.3f}, precision {score.precision:.3f} over {counts}")


def _complain(message: str) -> None:
    sys.stderr.write(f"dsiam test: {message}\n")


def _natural(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is negative, expected 0 or more")
    return number


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too small, expected 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
