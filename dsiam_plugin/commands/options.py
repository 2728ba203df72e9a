"""The options that every command building a tracker shares."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dsiam_plugin.trackers.targets import TargetTracker

DEFAULT_TRACKER = "DSiamM"


def tracker_options() -> argparse.ArgumentParser:
    """A parent parser with ``--weights --config --device --precision --backend``."""
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("network")
    add = group.add_argument
    add(
        "--weights",
        metavar="FILE",
        help="network weights (default: $DSIAM_WEIGHTS, else those of the package)",
    )
    add("--config", metavar="YAML", help="settings that override the tracker's own")
    add("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    add(
        "--precision",
        default="auto",
        help="of the convolutions: float32, bfloat16, float16 (GPU only), int8 (CPU only) or auto:"
        " the fastest here, measured, whose features are true (default: %(default)s)",
    )
    add(
        "--backend",
        default="torch",
        help="what computes them: torch, onnxruntime or openvino (default: %(default)s)",
    )
    return parser


def build(arguments: argparse.Namespace, name: str) -> TargetTracker:
    """The named tracker with the parsed options.

    Raises:
        DSiamError: An unknown name, weights, configuration or device that do not fit.
    """
    from dsiam_plugin import build_tracker

    return build_tracker(
        name,
        weights=arguments.weights,
        config=arguments.config,
        device=arguments.device,
        precision=arguments.precision,
        backend=arguments.backend,
    )
