"""From a name to what will run, and from that to a tracker."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.config.files import checked, load_config
from dsiam_plugin.config.variants import find_variant
from dsiam_plugin.errors import DeviceError
from dsiam_plugin.models.backends.conversion import find_conversion
from dsiam_plugin.models.devices import PRECISIONS, has_bfloat16
from dsiam_plugin.models.network import build_network, check_backbone, choose_head
from dsiam_plugin.models.resolve import resolve_names
from dsiam_plugin.models.weights import Weights, load_weights
from dsiam_plugin.trackers.host import DSiamTracker
from dsiam_plugin.trackers.targets import TargetTracker

Settings = str | Path | Mapping[str, Any] | TrackerConfig | None


@dataclass(frozen=True)
class TrackerPlan:
    """A tracker that is not built yet: all that decides its boxes, with nothing left open.

    Attributes:
        name: One of :func:`dsiam_plugin.tracker_names`.
        config: All constants, those that the weights bring among them.
        weights: The network's.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        precision: The convolutions'.
        backend: What computes them.
    """

    name: str
    config: TrackerConfig
    weights: Weights
    device: str
    precision: str
    backend: str

    def identity(self) -> dict[str, Any]:
        """Plain values that are equal for equal boxes, for a record.

        The digest is that of the weights' numbers, so it is the same in every format of file.
        """
        return {
            "weights": {"sha256": _digest(self.weights)},
            "config": asdict(self.config),
            "head": list(choose_head(self.config.model, self.config.fusion, self.weights)),
            "device": self.device.partition(":")[0],
            "precision": self.precision,
            "backend": self.backend,
        }


def resolve(
    name: str,
    *,
    weights: str | Path | None = None,
    config: Settings = None,
    device: str = "auto",
    precision: str = "auto",
    backend: str = "torch",
    elsewhere: bool = False,
) -> TrackerPlan:
    """The plan that :func:`build_tracker` builds.

    Args:
        name: As there, and so are the other options but the last.
        weights: File, or None for the usual one.
        config: What overrides the variant's configuration.
        device: May be ``auto``.
        precision: May be ``auto``.
        backend: What computes the convolutions.
        elsewhere: The tracker is for other machines, which may have a device or precision that
            this one lacks.

    Raises:
        DSiamError: As :func:`build_tracker`.
    """
    found = weights_of(name, config, weights)
    resolved = resolve_config(name, config, found)
    check_backbone(resolved.model, found)
    try:
        device, precision = resolve_names(backend, device, precision, found, resolved.model.layers)
    except DeviceError:
        if not elsewhere:
            raise
    return TrackerPlan(name, resolved, found, device, precision, backend)


def weights_of(name: str, config: Settings = None, path: str | Path | None = None) -> Weights:
    """The weights that a tracker runs with: those of a file, or the usual ones of its kind.

    Raises:
        CheckpointError: As :func:`dsiam_plugin.models.weights.load_weights`.
        ConfigError: As :func:`resolve_config`.
    """
    if not isinstance(config, TrackerConfig):
        config = load_config(config, find_variant(name).config)
    return load_weights(path, config.model.box_head)


def resolve_config(name: str, config: Settings, weights: Weights) -> TrackerConfig:
    """The constants that a tracker runs with, those of a joint training among them.

    Args:
        name: One of :func:`dsiam_plugin.tracker_names`.
        config: What overrides the variant's configuration, or a whole one.
        weights: May bring constants; of another network than the configuration's they bring none.

    Raises:
        ConfigError: Unknown name, or a configuration with unknown keys or values out of range.
    """
    variant = find_variant(name)
    if isinstance(config, TrackerConfig):
        return checked(config, "config")
    plain, trained = load_config(config, variant.config), weights.config.get("tracker")
    if trained is None or plain.model.backbone != weights.backbone:
        return plain
    return load_config(config, variant.config, trained)


def build_tracker(
    name: str,
    *,
    weights: str | Path | None = None,
    config: Settings = None,
    device: str = "auto",
    precision: str = "auto",
    backend: str = "torch",
) -> TargetTracker:
    """A tracker of the registry.

    Args:
        name: One of :func:`dsiam_plugin.tracker_names`.
        weights: File of any supported format; None takes ``$DSIAM_WEIGHTS``, else the embedded
            weights.
        config: YAML file or mapping that overrides the variant's configuration, or a whole one
            that is taken as it is.
        device: ``auto`` (a GPU if there is one), ``cpu``, ``cuda`` or ``cuda:N``.
        precision: The convolutions': ``float32``, ``bfloat16``, on a GPU ``float16``, on a CPU
            ``int8``; ``auto``: the fastest here, measured, whose features are true.
        backend: What computes the convolutions: ``torch``, or on a CPU ``onnxruntime`` or
            ``openvino`` (extra ``onnx``).

    Raises:
        ConfigError: Unknown name, or a configuration with unknown keys or values out of range.
        CheckpointError: Weights that are missing, corrupt or of another network.
        DeviceError: A device or precision that this machine or the backend does not have.
        MissingDependencyError: A backend whose package is not installed.
    """
    plan = resolve(
        name, weights=weights, config=config, device=device, precision=precision, backend=backend
    )
    config, place = plan.config, torch.device(plan.device)
    convert = find_conversion(backend, plan.precision)
    dtype = PRECISIONS[plan.precision] if convert is None else torch.float32
    network = build_network(config.model, config.fusion, plan.weights, config.crop, place, dtype)
    if convert is not None:
        network.backbone = convert(network.backbone, network.layers)
        if plan.precision != "float32" and has_bfloat16(place):
            network.cast_boxes(torch.bfloat16)
    if place.type == "cuda":
        from dsiam_plugin.trackers.device.tracker import DeviceTracker

        return DeviceTracker(network, config, name)
    return DSiamTracker(network, config, name)


def _digest(weights: Weights) -> str:
    """Sha256 of the names, shapes and numbers of all tensors."""
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.tensors.items()):
        digest.update(f"{name} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
