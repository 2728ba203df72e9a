"""From a name to a tracker that is ready to run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsiam_plugin.config_files import load_config
from dsiam_plugin.devices import resolve_device, resolve_precision
from dsiam_plugin.network import build_network
from dsiam_plugin.targets import TargetTracker
from dsiam_plugin.tracker import DSiamTracker
from dsiam_plugin.variants import find_variant
from dsiam_plugin.weights import load_weights


def build_tracker(
    name: str,
    *,
    weights: str | Path | None = None,
    config: str | Path | Mapping[str, Any] | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> TargetTracker:
    """Build a tracker of the registry.

    Args:
        name: One of :func:`dsiam_plugin.tracker_names`.
        weights: File of any supported format; None takes ``$DSIAM_WEIGHTS``, else the embedded
            weights.
        config: YAML file or mapping that overrides the variant's configuration.
        device: ``auto`` (a GPU if there is one), ``cpu``, ``cuda`` or ``cuda:N``.
        precision: Of the convolutions: ``auto`` (bfloat16 where the processor computes in it),
            ``float32``, ``bfloat16`` or, on a GPU, ``float16``.

    Raises:
        ConfigError: Unknown name, or a configuration with unknown keys or values out of range.
        CheckpointError: Weights that are missing, corrupt or of another network.
        DeviceError: A device or precision this machine does not have.
    """
    variant = find_variant(name)
    resolved = load_config(config, variant.config)
    place = resolve_device(device)
    dtype = resolve_precision(precision, place)
    network = build_network(
        resolved.model, resolved.fusion, load_weights(weights), resolved.crop, place, dtype
    )
    if place.type == "cuda":
        from dsiam_plugin.gpu.tracker import DeviceTracker

        return DeviceTracker(network, resolved, name)
    return DSiamTracker(network, resolved, name)
