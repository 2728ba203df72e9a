"""What a further target costs: ``python benchmarks/many_targets.py [--targets 1 2 4 8]``.

All numbers of targets take turns in rounds on the same 640x360 frames; the table gives the best
round. On a CPU, seconds are processor seconds of ``--threads`` threads, so that a busy machine
does not count; on a GPU they are the clock's. Beside the batched step stands the same number of
targets stepped one after the other. Without weights a seeded random network is used.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from scene import Box, moving_targets

from dsiam_plugin import build_tracker
from dsiam_plugin.trackers.targets import TargetTracker


def main() -> int:
    """Measure and print a table a tracker."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", help="weights file; default $DSIAM_WEIGHTS, else random")
    parser.add_argument("--trackers", nargs="+", default=["SiamFC", "DSiam", "DSiamM"])
    parser.add_argument("--targets", nargs="+", type=int, default=[1, 2, 4, 8])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--frames", type=int, default=6, help="frames a round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    images, boxes = moving_targets(options.frames + 1, max(options.targets))
    clock = time.process_time if options.device == "cpu" else time.perf_counter
    for name in options.trackers:
        tracker = build_tracker(
            name, weights=options.weights, device=options.device, precision=options.precision
        )
        print(f"\n{name}, {options.device}, {tracker.network.dtype}")
        _print_table(_measure(tracker, images, boxes, options, clock))
    return 0


def _measure(
    tracker: TargetTracker,
    images: Sequence[np.ndarray],
    boxes: Sequence[Box],
    options: argparse.Namespace,
    clock: Callable[[], float],
) -> dict[int, tuple[float, float]]:
    """Best seconds a frame by number of targets: batched, and one after the other."""
    best = {count: (float("inf"), float("inf")) for count in options.targets}
    for _ in range(options.rounds):
        for count, (batched, single) in best.items():
            together = _seconds(tracker, images, [boxes[:count]], clock)
            alone = _seconds(tracker, images, [[box] for box in boxes[:count]], clock)
            best[count] = min(batched, together), min(single, alone)
    return best


def _seconds(
    tracker: TargetTracker,
    images: Sequence[np.ndarray],
    groups: Sequence[list[Box]],
    clock: Callable[[], float],
) -> float:
    """Seconds a frame of stepping groups of targets one after the other."""
    states = [tracker.start_many(images[0], boxes) for boxes in groups]
    start = clock()
    for image in images[1:]:
        states = [tracker.step_many(image, group)[0] for group in states]
    return (clock() - start) / (len(images) - 1)


def _print_table(best: dict[int, tuple[float, float]]) -> None:
    print(f"{'targets':>7} {'ms a frame':>11} {'a target':>9} {'one by one':>11} {'ratio':>6}")
    for count, (batched, single) in best.items():
        print(
            f"{count:7} {1000 * batched:11.1f} {1000 * batched / count:9.1f} "
            f"{1000 * single:11.1f} {batched / single:6.2f}"
        )


if __name__ == "__main__":
    raise SystemExit(main())
