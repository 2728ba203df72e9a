"""Frames per second of the trackers on decoded frames, and where a frame's time goes.

``python benchmarks/fps.py [--weights FILE] [--precisions float32 bfloat16 int8] > table.md``

Our trackers, OpenCV's and a plain float32 SiamFC loop as the yardstick take turns in rounds on the
same 640x360 frames, so that a busy machine slows all alike; the tables give the median round and
the ratio to the yardstick. Where other processes have their share of the machine, ``--clock
processor --threads 1`` counts processor seconds instead.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import torch
from opencv_trackers import NAMES, NanoTracker, OpenCVTracker, available
from peaks import peak_rates
from plain_siamfc import PlainSiamFC
from scene import Box, moving_targets
from stages import REST, empty_totals, stage_table, timed_stages

from dsiam_plugin import build_tracker
from dsiam_plugin.errors import DSiamError

CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}


def main() -> int:
    """Measure and print all tables as Markdown."""
    options = _options()
    if options.threads:
        torch.set_num_threads(options.threads)
        cv2.setNumThreads(options.threads)
    clock = CLOCKS[options.clock]
    images, boxes = moving_targets(options.frames + 1, 1)
    ours = dict(_ours(options))
    others = [PlainSiamFC(), *map(OpenCVTracker, available())]
    if options.nano:
        others.append(NanoTracker(*options.nano))
    subjects = {subject.name: subject for subject in others} | ours
    times: dict[str, list[float]] = {name: [] for name in subjects}
    stages = {name: empty_totals() for name in subjects}
    for subject in subjects.values():  # warm-up: oneDNN prepares its kernels on first use
        _round(subject, images[:4], boxes[0], empty_totals(), clock)
    for _ in range(options.rounds):
        for name, subject in subjects.items():
            times[name].append(_round(subject, images, boxes[0], stages[name], clock))
    tables = [_speed_table(times, options), _peak_table(options, clock)]
    if options.device == "cpu":  # on a GPU a frame is one piece
        means = {name: _mean(stages[name], options.rounds) for name in ours}
        tables.insert(1, stage_table(means))
    for lines in tables:
        print("\n" + "\n".join(lines))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", help="weights file (default: each tracker's own)")
    parser.add_argument("--trackers", nargs="+", default=["SiamFC", "DSiam", "DSiamM"])
    parser.add_argument("--precisions", nargs="+", default=["bfloat16", "int8"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--frames", type=int, default=30, help="frames a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.add_argument("--threads", type=int, help="default: PyTorch's own choice")
    parser.add_argument(
        "--nano", nargs=2, metavar=("BACKBONE", "HEAD"), help="TrackerNano's two ONNX files"
    )
    return parser.parse_args()


def _ours(options: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    for precision in options.precisions:
        for name in options.trackers:
            try:
                built = build_tracker(
                    name, weights=options.weights, device=options.device, precision=precision
                )
            except DSiamError as error:
                print(f"{name} ({precision}) left out: {error}")
                continue
            yield f"{name} ({precision})", built


def _round(
    subject: Any,
    images: list[np.ndarray],
    box: Box,
    totals: dict[str, float],
    clock: Callable[[], float],
) -> float:
    """Seconds a frame; adds each stage's seconds a frame to the totals."""
    subject.init(images[0], box)
    count = len(images) - 1
    spent = empty_totals()
    with timed_stages(spent, clock):
        start = clock()
        for image in images[1:]:
            subject.track(image)
        whole = clock() - start
    spent[REST] = whole - sum(seconds for stage, seconds in spent.items() if stage != "GFLOP")
    for stage, amount in spent.items():
        totals[stage] += amount / count
    return whole / count


def _mean(totals: dict[str, float], rounds: int) -> dict[str, float]:
    return {stage: amount / rounds for stage, amount in totals.items()}


def _speed_table(times: dict[str, list[float]], options: argparse.Namespace) -> Iterator[str]:
    yardstick = statistics.median(times[PlainSiamFC.name])
    yield (
        f"{options.device}, {torch.get_num_threads()} threads, torch {torch.__version__}, "
        f"{options.clock} clock, median of {options.rounds} rounds of {options.frames} frames of "
        "640x360, decoded\n"
    )
    yield "| tracker | ms a frame | fps | ratio |"
    yield "|---|---|---|---|"
    for name, rounds in times.items():
        middle = statistics.median(rounds)
        yield f"| {name} | {1000 * middle:.1f} | {1 / middle:.1f} | {yardstick / middle:.2f} |"
    missing = sorted(set(NAMES) - set(available()))
    if missing:
        yield f"\nThis OpenCV has no {', '.join(missing)}; opencv-contrib-python has them."


def _peak_table(options: argparse.Namespace, clock: Callable[[], float]) -> Iterator[str]:
    yield "| GFLOP/s of | a large matrix product | a large convolution |"
    yield "|---|---|---|"
    for precision in options.precisions:
        if precision != "auto":
            product, convolution = peak_rates(precision, options.device, clock)
            yield f"| {precision} | {product:.0f} | {convolution:.0f} |"


if __name__ == "__main__":
    raise SystemExit(main())
