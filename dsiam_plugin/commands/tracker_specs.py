"""Trackers as the command line of `test` names them.

The only module of the toolkit that knows the trackers of `dsiam_plugin`; it imports the package
where it needs it and not before.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from dsiam_plugin.errors import TrackerError
from dsiam_plugin.evaluation.running import TrackerSpec

if TYPE_CHECKING:
    from dsiam_plugin.models.weights import Weights


def tracker_specs(arguments: argparse.Namespace) -> list[TrackerSpec]:
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
    from dsiam_plugin.config.files import load_config
    from dsiam_plugin.config.variants import find_variant
    from dsiam_plugin.models.weights import load_weights

    found = load_weights(arguments.weights)
    trained = found.config.get("tracker")  # as build_tracker resolves them
    config = load_config(arguments.config, find_variant(name).config, trained)
    weights = str(found.path.resolve())
    device, precision = _resolve_device(arguments, found, config.model.layers)
    options = {
        "name": name,
        "weights": weights,
        "config": arguments.config,
        "device": device,
        "precision": precision,
        "backend": arguments.backend,
    }
    identity = {
        "weights": weights,
        "config": asdict(config),
        "device": device.partition(":")[0],
        "precision": precision,
        "backend": arguments.backend,
        "version": dsiam_plugin.__version__,
    }
    return TrackerSpec(name, "dsiam_plugin:build_tracker", options, identity)


def _resolve_device(
    arguments: argparse.Namespace, weights: "Weights", levels: Sequence[str]
) -> tuple[str, str]:
    """Names of the device and the precision that "auto" stands for."""
    from dsiam_plugin.errors import DeviceError
    from dsiam_plugin.models.resolve import resolve_names

    on_cluster = arguments.address is not None
    # Ray shows graphics cards only to workers that ask for some, which `--device cuda` does.
    device = "cpu" if on_cluster and arguments.device == "auto" else arguments.device
    try:
        return resolve_names(arguments.backend, device, arguments.precision, weights, levels)
    except DeviceError:
        if on_cluster:  # its nodes may have what this machine lacks
            return device, arguments.precision
        raise
