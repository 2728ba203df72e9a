"""Trackers as the command line of `test` names them.

The trackers of `dsiam list` are resolved here, so that all workers have the same settings; torch
is imported for them alone.
"""

import argparse
from typing import Any

from dsiam_plugin.errors import TrackerError
from dsiam_plugin.evaluation.running import TrackerSpec


def tracker_specs(arguments: argparse.Namespace) -> list[TrackerSpec]:
    """The specification of each tracker of the command line.

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
        _named_spec(text)
        if text in factories
        else plugin_spec(
            text,
            weights=arguments.weights,
            config=arguments.config,
            device=arguments.device,
            precision=arguments.precision,
            backend=arguments.backend,
            on_cluster=arguments.address is not None,
        )
        for text in arguments.trackers
    ]
    names = [spec.name for spec in specs]
    for name in names:
        if names.count(name) > 1:
            raise TrackerError(f"two trackers {name!r}; tell them apart as NAME=module:factory")
    return specs


def _named_spec(text: str) -> TrackerSpec:
    """A tracker given as module:factory or file.py:factory, a name and = perhaps before it."""
    name, _, reference = text.rpartition("=")
    return TrackerSpec(name or reference.rpartition(":")[2], reference)


def plugin_spec(
    name: str,
    *,
    label: str = "",
    device: str = "auto",
    on_cluster: bool = False,
    **settings: Any,
) -> TrackerSpec:
    """A tracker of the registry, its settings resolved here so that all workers have the same.

    Args:
        name: In the registry.
        label: Name of its results; the tracker's by default.
        device: As `resolve` takes it.
        on_cluster: It runs on other machines.
        **settings: Weights, configuration, precision and backend, as `resolve` takes them.

    Raises:
        DSiamError: As `resolve`.
    """
    import dsiam_plugin
    from dsiam_plugin.trackers.builders import resolve

    # Ray shows graphics cards only to workers that ask for some, which `--device cuda` does.
    device = "cpu" if on_cluster and device == "auto" else device
    plan = resolve(name, device=device, elsewhere=on_cluster, **settings)
    options = {
        "name": name,
        "weights": str(plan.weights.path.resolve()),
        "config": plan.config,
        "device": plan.device,
        "precision": plan.precision,
        "backend": plan.backend,
    }
    identity = {**plan.identity(), "version": dsiam_plugin.__version__}
    return TrackerSpec(label or name, "dsiam_plugin:build_tracker", options, identity)
