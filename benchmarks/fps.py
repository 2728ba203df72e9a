"""Frames per second of the trackers on decoded frames, and where a frame's time goes.

``python benchmarks/fps.py [--weights FILE] [--trackers SiamFC DSiam DSiamM] [--frames 60]``

All trackers, and a plain float32 SiamFC loop as the yardstick, take turns in rounds on the same
640x360 frames, so that a busy machine slows all alike; the table gives the median round and the
ratio to the yardstick. Without weights a seeded random network is used: the time is the same, but
what it tracks is not, so frames on which nothing is learnt may be cheaper.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import numpy as np
import torch
from plain_siamfc import PlainSiamFC

from dsiam_plugin import adaptation, build_tracker, network, tracker
from dsiam_plugin.backbones import SiamFCAlexNet
from dsiam_plugin.errors import CheckpointError
from dsiam_plugin.weights import find_weights

# Stage, and the function whose time it is. None of them calls another.
STAGES = {
    "crop search": (tracker, "search_pyramid"),
    "crop target": (tracker, "crop_square"),
    "embed": (network.SiameseNet, "embed"),
    "apply W": (adaptation, "suppress"),
    "correlate": (network.SiameseNet, "correlate"),
    "localise": (tracker, "localize"),
    "learn V": (adaptation, "learn_variation"),
    "learn W": (adaptation, "learn_suppression"),
}


def main() -> int:
    """Measure and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", help="weights file; default $DSIAM_WEIGHTS, else random")
    parser.add_argument("--trackers", nargs="+", default=["SiamFC", "DSiam", "DSiamM"])
    parser.add_argument("--precisions", nargs="+", default=["auto"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--frames", type=int, default=40, help="frames a round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    images, box = moving_target(options.frames + 1)
    with tempfile.TemporaryDirectory() as folder:
        weights = _weights(options.weights, Path(folder))
        runs: dict[str, Any] = {PlainSiamFC.name: PlainSiamFC()}
        for precision in options.precisions:
            for name in options.trackers:
                runs[f"{name} ({precision})"] = build_tracker(
                    name, weights=weights, device=options.device, precision=precision
                )
    times = {name: [] for name in runs}
    stages = {name: defaultdict(float) for name in runs}
    for subject in runs.values():  # warm-up: oneDNN prepares its kernels on first use
        _round(subject, images[:4], box, defaultdict(float))
    for _ in range(options.rounds):
        for name, subject in runs.items():
            times[name].append(_round(subject, images, box, stages[name]))
    _print_speed(times, options)
    _print_stages(stages)
    return 0


def moving_target(frames: int) -> tuple[list[np.ndarray], tuple[float, float, float, float]]:
    """A textured 72x56 target that drifts over a 640x360 scene: RGB frames and the first box."""
    rng = np.random.default_rng(0)
    scene = cv2.resize(rng.integers(0, 256, (45, 80, 3), np.uint8), (640, 360))
    target = cv2.resize(rng.integers(0, 256, (7, 9, 3), np.uint8), (72, 56), interpolation=0)
    images = []
    for index in range(frames):
        x, y = 150 + 3 * index % 200, 120 + index % 60
        image = scene.copy()
        image[y : y + 56, x : x + 72] = target
        images.append(image)
    return images, (150.0, 120.0, 72.0, 56.0)


def _weights(given: str | None, folder: Path) -> Path:
    try:
        return find_weights(given)
    except CheckpointError:
        if given:
            raise
    torch.manual_seed(0)
    path = folder / "random.npz"
    np.savez(path, **{name: item.numpy() for name, item in SiamFCAlexNet().state_dict().items()})
    print("no weights named: a random network stands in")
    return path


def _round(
    subject: Any,
    images: list[np.ndarray],
    box: tuple[float, float, float, float],
    totals: dict[str, float],
) -> float:
    """Seconds a frame; adds each stage's seconds a frame to the totals."""
    subject.init(images[0], box)
    count = len(images) - 1
    spent: dict[str, float] = defaultdict(float)
    with _timed_stages(spent):
        start = time.perf_counter()
        for image in images[1:]:
            subject.track(image)
        whole = time.perf_counter() - start
    for stage, seconds in spent.items():
        totals[stage] += seconds / count
    totals["the rest"] += (whole - sum(spent.values())) / count
    return whole / count


@contextmanager
def _timed_stages(totals: dict[str, float]) -> Iterator[None]:
    patches = [
        mock.patch.object(owner, name, _timed(getattr(owner, name), stage, totals))
        for stage, (owner, name) in STAGES.items()
    ]
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in patches:
            patch.stop()


def _timed(function: Callable, stage: str, totals: dict[str, float]) -> Callable:
    def timed(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        result = function(*args, **kwargs)
        totals[stage] += time.perf_counter() - start
        return result

    return timed


def _print_speed(times: dict[str, list[float]], options: argparse.Namespace) -> None:
    yardstick = statistics.median(times[PlainSiamFC.name])
    print(
        f"\n{options.device}, {torch.get_num_threads()} threads, torch {torch.__version__}, "
        f"median of {options.rounds} rounds of {options.frames} frames of 640x360\n"
    )
    print(f"{'tracker':34} {'ms a frame':>10} {'fps':>7} {'ratio':>6}")
    for name, rounds in times.items():
        middle = statistics.median(rounds)
        print(f"{name:34} {1000 * middle:10.1f} {1 / middle:7.1f} {yardstick / middle:6.2f}")


def _print_stages(stages: dict[str, dict[str, float]]) -> None:
    ours = {name: spent for name, spent in stages.items() if name != PlainSiamFC.name}
    print("\nshare of a frame, %")
    print(f"{'stage':14}" + "".join(f"{name:>20}" for name in ours))
    for stage in [*STAGES, "the rest"]:
        shares = [100 * spent.get(stage, 0.0) / sum(spent.values()) for spent in ours.values()]
        print(f"{stage:14}" + "".join(f"{share:20.1f}" for share in shares))


if __name__ == "__main__":
    raise SystemExit(main())
