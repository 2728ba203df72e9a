"""Speed on a GPU: ``python benchmarks/gpu.py [--weights FILE] [--targets 16 64 256]``.

Two tables, with CUDA graphs and without: frames per second of one target on one stream of decoded
640x360 frames, from the array in memory to the box in Python; and with many targets in one batch,
all on one frame and each on a frame of its own, targets times frames per second. Seconds are the
clock's; the best of several rounds. Without weights a seeded random network is used.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scene import Box, find_or_make_weights, moving_targets

from dsiam_plugin import build_tracker
from dsiam_plugin.errors import DeviceError
from dsiam_plugin.models.devices import resolve_device
from dsiam_plugin.trackers.device.tracker import DeviceTracker

WARM_UP = 8  # frames: the first of a shape run eagerly, the next one is recorded


def main() -> int:
    """Measure and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", help="weights file; default $DSIAM_WEIGHTS, else random")
    parser.add_argument("--trackers", nargs="+", default=["SiamFC", "DSiam", "DSiamM"])
    parser.add_argument("--targets", nargs="+", type=int, default=[16, 64, 256])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--precisions", nargs="+", default=["auto", "float32"])
    parser.add_argument("--frames", type=int, default=60, help="frames a round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    try:
        device = resolve_device(options.device)
    except DeviceError as error:
        parser.error(str(error))
    on_gpu = device.type == "cuda"
    print(_machine(device))
    images, boxes = moving_targets(WARM_UP + options.frames + 1, max(options.targets))
    header = f"{'tracker':8} {'precision':10} {'graphs':6} {'targets':>7} {'frames':10}"
    print(f"\n{header} {'a second':>9}")
    with tempfile.TemporaryDirectory() as folder:
        weights = find_or_make_weights(options.weights, Path(folder))
        for name in options.trackers:
            for precision in options.precisions:
                built = build_tracker(
                    name, weights=weights, device=str(device), precision=precision
                )
                for graphs in (True, False) if on_gpu else (False,):
                    tracker = DeviceTracker(built.network, built.config, name, graphs)
                    _print_rows(tracker, graphs, images, boxes, options)
    if on_gpu:
        print(f"\nlargest memory: {torch.cuda.max_memory_allocated(device) / 2**30:.1f} GiB")
    return 0


def _machine(device: torch.device) -> str:
    versions = f"torch {torch.__version__}"
    if device.type == "cpu":
        return f"CPU, {torch.get_num_threads()} threads, {versions}"
    return f"{torch.cuda.get_device_name(device)}, {versions}, CUDA {torch.version.cuda}"


def _print_rows(
    tracker: DeviceTracker,
    graphs: bool,
    images: Sequence[np.ndarray],
    boxes: Sequence[Box],
    options: argparse.Namespace,
) -> None:
    precision = str(tracker.network.dtype).removeprefix("torch.")
    start = f"{tracker.name:8} {precision:10} {'on' if graphs else 'off':6}"
    for count in [1, *options.targets]:
        for own_frames in (False, True)[: 1 if count == 1 else 2]:
            best = min(
                _seconds(tracker, images, boxes[:count], own_frames) for _ in range(options.rounds)
            )
            frames = "their own" if own_frames else "shared"
            print(f"{start} {count:7} {frames:10} {count / best:9.0f}", flush=True)


def _seconds(
    tracker: DeviceTracker, images: Sequence[np.ndarray], boxes: Sequence[Box], own_frames: bool
) -> float:
    """Seconds a frame of all targets, whose numbers are in Python at the end of each."""

    def shown(image: np.ndarray) -> np.ndarray | list[np.ndarray]:
        return [image] * len(boxes) if own_frames else image

    states = tracker.start_many(shown(images[0]), boxes)
    for image in images[1 : WARM_UP + 1]:
        states, _ = tracker.step_many(shown(image), states)
    start = time.perf_counter()
    for image in images[WARM_UP + 1 :]:
        states, _ = tracker.step_many(shown(image), states)
    return (time.perf_counter() - start) / (len(images) - WARM_UP - 1)


if __name__ == "__main__":
    raise SystemExit(main())
