"""What ``dsiam reproduce`` runs: OTB as ``dsiam test`` does, VOT by the VOT toolkit."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import dsiam_plugin
from dsiam_plugin.commands.command import complain
from dsiam_plugin.commands.test import print_report
from dsiam_plugin.commands.tracker_specs import plugin_spec
from dsiam_plugin.commands.vot_runs import set_aside
from dsiam_plugin.errors import CheckpointError, DatasetError, ResultsError, VOTError
from dsiam_plugin.evaluation.reporting.outputs import Outputs
from dsiam_plugin.evaluation.reporting.trackers import find_trackers
from dsiam_plugin.evaluation.reproduction.book import Book, add_one_pass, add_restarts
from dsiam_plugin.evaluation.reproduction.material import PAPERS, Material, gather
from dsiam_plugin.evaluation.reproduction.ours import (
    HEADLINE,
    Network,
    OwnRun,
    load_networks,
    own_runs,
)
from dsiam_plugin.evaluation.reproduction.paper import digitised_curves
from dsiam_plugin.evaluation.reproduction.restarts import evaluate_vot, open_vot
from dsiam_plugin.evaluation.results.conversion import convert_results
from dsiam_plugin.evaluation.running import TrackerSpec, run_dataset
from dsiam_plugin.io.messages import one_line
from dsiam_plugin.models.weights import ENVIRONMENT_VARIABLE
from dsiam_plugin.vot import results as vot_results
from dsiam_plugin.vot import workspace as vot_workspace

EXIT_FAILED = 1


def reproduce(arguments: argparse.Namespace) -> int:
    """Runs what is missing and writes the report; 1 where something could not be run."""
    _check(arguments)
    networks = load_networks(arguments.weights)
    book = Book(arguments.out, _head(networks))
    try:
        failed = _one_pass(book, arguments, networks) + _restarts(book, arguments, networks)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "interrupted; finished sequences are kept, the same command goes on"
        ) from None
    book.left_out += failed
    for path in book.write():
        print(f"wrote {path}")
    for line in book.left_out:
        print(f"left out: {line}")
    return EXIT_FAILED if failed else 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuses what cannot work before anything is run."""
    if not arguments.data and arguments.vot is None:
        raise DatasetError("nothing to run on; expected --data OTB=DIR or --vot DIR")
    Outputs(plots=arguments.out).check()
    if arguments.vot is not None:
        open_vot(arguments.vot)
    if arguments.results is not None:
        find_trackers(arguments.results, PAPERS)
        digitised_curves(arguments.results)


def _head(networks: Sequence[Network]) -> list[str]:
    named = (f"{item.label} (sha256 {item.weights.sha256[:12]})" for item in networks)
    return [
        f"dsiam {dsiam_plugin.__version__}, {time.strftime('%Y-%m-%d')}; networks: "
        f"{', '.join(named)}."
    ]


def _one_pass(book: Book, arguments: argparse.Namespace, networks: Sequence[Network]) -> list[str]:
    """Runs OTB and adds its sections; returns a line for each failure."""
    if not arguments.data:
        book.left_out.append("all on OTB: no sequences are named (--data OTB=DIR)")
        return []
    material = gather(arguments.data, arguments.frames)
    frames = sum(len(video) for video in material.run)
    book.head.append(f"OTB: {len(material.run)} sequences, {frames} frames in all.")
    results, done, failed = arguments.out / "results", [], []
    for run in own_runs(networks):
        try:
            spec = _spec(run, arguments)
        except CheckpointError as error:  # the tracker is for other weights
            book.left_out.append(f"{run.name}: {error}")
            continue
        how = f"Convolutions: {spec.options['precision']} on {spec.options['device']}."
        book.head += [how] if how not in book.head else []
        failed += _run(spec, material, arguments)
        done.append(run)
    add_one_pass(
        book, material, networks, done, results / material.run.name, arguments.results,
        max(1, arguments.num),
    )  # fmt: skip
    return failed


def _spec(run: OwnRun, arguments: argparse.Namespace) -> TrackerSpec:
    return plugin_spec(
        run.variant,
        label=run.name,
        weights=str(run.network.weights.path),
        config=run.settings,
        device=arguments.device,
        precision=arguments.precision,
    )


def _run(spec: TrackerSpec, material: Material, arguments: argparse.Namespace) -> list[str]:
    """Runs one tracker as ``dsiam test`` does; returns a line for each failure."""
    try:
        report = run_dataset(
            material.run, spec, arguments.out / "results", num=arguments.num, force=arguments.force
        )
    except ResultsError as error:
        raise ResultsError(str(error).replace("--tracker_path", "OUT")) from None
    print_report(report)
    return [f"{spec.name} on {video}: {why}" for video, why in report.failures.items()]


def _restarts(book: Book, arguments: argparse.Namespace, networks: Sequence[Network]) -> list[str]:
    """Runs VOT-2015 and adds its sections; returns a line for each failure."""
    what = "Table 1 and Fig. 8"
    if arguments.vot is None:
        book.left_out.append(f"{what}: no sequences are named (--vot DIR)")
        return []
    dataset, mark = open_vot(arguments.vot)
    if find_spec("vot") is None:
        return [f"{what}: the VOT toolkit is not installed (pip install 'dsiam-plugin[vot]')"]
    folder = arguments.out / "results" / dataset.name
    names, failed = [], []
    for network in networks:
        for tracker in _fitting(network, arguments):
            try:
                source = _run_vot(tracker, network, arguments)
            except VOTError as error:
                complain("reproduce", str(error))
                failed.append(one_line(error)[:300])
                continue
            names.append(network.name(tracker))
            convert_results(source, folder / names[-1], "vot-text", "pysot-vot")
    if names:
        interval = vot_workspace.eao_interval(vot_workspace.sequence_lengths(arguments.vot))
        evaluation = evaluate_vot(dataset, folder, names, interval, arguments.filter_seconds)
        book.head.append(f"VOT: {len(dataset)} sequences, whole, by the VOT toolkit.")
        add_restarts(book, evaluation, mark, arguments.filter_seconds)
    return failed


def _fitting(network: Network, arguments: argparse.Namespace) -> list[str]:
    """The trackers to run on VOT that can be built with a network."""
    found = []
    for run in own_runs([network]):
        if run.variant in HEADLINE and not run.preset:
            with suppress(CheckpointError):
                _spec(run, arguments)
                found.append(run.variant)
    return found


def _run_vot(tracker: str, network: Network, arguments: argparse.Namespace) -> Path:
    """Runs one tracker by the VOT toolkit, as `make evaluate` does; returns its results.

    Raises:
        VOTError: A sequence has no result.
    """
    workspace = arguments.out / "vot" / network.label
    environment = {
        **os.environ,
        ENVIRONMENT_VARIABLE: str(network.weights.path.resolve()),
        "DSIAM_PRECISION": arguments.precision,
        "VOT_RESULTS_BINARY": "0",
        "VOT_PERSISTENT_CACHE": "0",
    }
    vot_workspace.prepare_workspace(workspace, arguments.vot)
    set_aside(workspace, [tracker], environment)
    if vot_results.missing_sequences(workspace, tracker):
        command = [sys.executable, "-m", "vot", "evaluate", "--workspace", str(workspace), tracker]
        subprocess.run(command, env=environment, check=False)  # its status says nothing
    missing = vot_results.missing_sequences(workspace, tracker)
    if missing:
        raise VOTError(
            f"{tracker} with {network.label}: {', '.join(missing)} without results\n"
            f"{vot_results.log_tail(workspace, tracker)}"
        )
    return workspace / "results" / tracker
