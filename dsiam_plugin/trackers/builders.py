"""From a name to a tracker that is ready to run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from dsiam_plugin.config.files import load_config
from dsiam_plugin.config.variants import find_variant
from dsiam_plugin.models.backends.conversion import find_conversion
from dsiam_plugin.models.devices import PRECISIONS
from dsiam_plugin.models.network import build_network
from dsiam_plugin.models.resolve import resolve_names
from dsiam_plugin.models.weights import load_weights
from dsiam_plugin.trackers.host import DSiamTracker
from dsiam_plugin.trackers.targets import TargetTracker


def build_tracker(
    name: str,
    *,
    weights: str | Path | None = None,
    config: str | Path | Mapping[str, Any] | None = None,
    device: str = "auto",
    precision: str = "auto",
    backend: str = "torch",
) -> TargetTracker:
    """Build a tracker of the registry.

    Args:
        name: One of :func:`dsiam_plugin.tracker_names`.
        weights: File of any supported format; None takes ``$DSIAM_WEIGHTS``, else the embedded
            weights.
        config: YAML file or mapping that overrides the variant's configuration.
        device: ``auto`` (a GPU if there is one), ``cpu``, ``cuda`` or ``cuda:N``.
        precision: Of the convolutions: ``float32``, ``bfloat16``, on a GPU ``float16``, on a CPU
            ``int8``; ``auto``: the fastest here, measured, whose features are true.
        backend: What computes the convolutions: ``torch``, or on a CPU ``onnxruntime`` or
            ``openvino`` (extra ``onnx``).

    Raises:
        ConfigError: Unknown name, or a configuration with unknown keys or values out of range.
        CheckpointError: Weights that are missing, corrupt or of another network.
        DeviceError: A device or precision that this machine or the backend does not have.
        MissingDependencyError: A backend whose package is not installed.
    """
    variant = find_variant(name)
    found = load_weights(weights)
    resolved = load_config(config, variant.config, found.config.get("tracker"))
    device, precision = resolve_names(backend, device, precision, found, resolved.model.layers)
    place, convert = torch.device(device), find_conversion(backend, precision)
    dtype = PRECISIONS[precision] if convert is None else torch.float32
    network = build_network(resolved.model, resolved.fusion, found, resolved.crop, place, dtype)
    if convert is not None:
        network.backbone = convert(network.backbone, network.layers)
    if place.type == "cuda":
        from dsiam_plugin.trackers.device.tracker import DeviceTracker

        return DeviceTracker(network, resolved, name)
    return DSiamTracker(network, resolved, name)
