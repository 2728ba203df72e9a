"""The options that every command building a tracker shares."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from dsiam_plugin.commands.argument_types import threads

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


def add_threads(group: argparse._ActionsContainer, whose: str, default: int | None = None) -> None:
    """Declares ``--threads``; None leaves the choice to the libraries."""
    usual = "as many as the libraries take" if default is None else "%(default)s"
    group.add_argument(
        "--threads",
        type=threads,
        default=default,
        metavar="N",
        help=f"{whose}; another number can change the last bits of results (default: {usual})",
    )


def build(arguments: argparse.Namespace, name: str) -> TargetTracker:
    """The named tracker with the parsed options, ``--threads`` among them.

    Raises:
        DSiamError: An unknown name, weights, configuration or device that do not fit.
    """
    from dsiam_plugin import build_tracker

    if arguments.threads:
        import cv2
        import torch

        for limit in (cv2.setNumThreads, torch.set_num_threads):
            limit(arguments.threads)
    return build_tracker(
        name,
        weights=arguments.weights,
        config=arguments.config,
        device=arguments.device,
        precision=arguments.precision,
        backend=arguments.backend,
    )
