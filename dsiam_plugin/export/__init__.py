"""ONNX files of the embedding network and of the whole tracking step."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from dsiam_plugin.errors import ConfigError
from dsiam_plugin.io.files import atomic_path
from dsiam_plugin.models.backends.sessions import import_runtime
from dsiam_plugin.trackers.builders import build_tracker, weights_of

if TYPE_CHECKING:
    from dsiam_plugin.models.onnx_graph import Graph
    from dsiam_plugin.trackers.targets import TargetTracker

PARTS = ("embed", "init", "step")


def export_onnx(
    path: str | Path,
    name: str,
    *,
    part: str = "step",
    weights: str | Path | None = None,
    config: str | Path | None = None,
    precision: str = "float32",
) -> None:
    """Writes a part of a tracker as an ONNX file (docs/export.md).

    The file's metadata say which tracker, part and precision it is, the sha256 of the weights and
    the whole configuration as JSON.

    Args:
        path: Of the file, whose name ends in .onnx.
        name: One of :func:`dsiam_plugin.tracker_names`.
        part: ``embed``: crops to features. ``init``: the first frame. ``step``: every other frame.
        weights: As in :func:`dsiam_plugin.build_tracker`.
        config: Likewise.
        precision: Of the convolutions: ``float32`` or ``int8``.

    Raises:
        ConfigError: Another suffix, an unknown part, precision or name, or a bad configuration.
        CheckpointError: Weights that are missing, corrupt or of another network.
        MissingDependencyError: Without the extra ``onnx``.
        OSError: The file cannot be written.
    """
    if Path(path).suffix.lower() != ".onnx":
        raise ConfigError(f"{path}: expected a name that ends in .onnx")
    if part not in PARTS:
        raise ConfigError(f"part {part!r}: expected {', '.join(PARTS)}")
    import_runtime("onnx")
    found = weights_of(name, config, weights)
    tracker = build_tracker(
        name, weights=found.path, config=config, device="cpu", precision="float32"
    )
    metadata = {
        "tracker": name,
        "part": part,
        "precision": precision,
        "weights_sha256": found.sha256,
        "config": json.dumps(asdict(tracker.config), sort_keys=True),
    }
    model = _graph(tracker, part, precision).model(metadata)
    with atomic_path(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))


def _graph(tracker: TargetTracker, part: str, precision: str) -> Graph:
    from dsiam_plugin.models.onnx_embedding import Embedder, embedding_graph

    network = tracker.network
    embedder = Embedder(network.backbone, network.layers, precision, network.necks)
    if part == "embed":
        return embedding_graph(embedder)
    import_runtime("onnxscript")
    from dsiam_plugin.export.graphs import module_graph
    from dsiam_plugin.export.modules import FirstFrame, Frame

    module = (FirstFrame if part == "init" else Frame)(network, tracker.config)
    return module_graph(module, embedder)
