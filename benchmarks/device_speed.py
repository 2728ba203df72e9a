"""Frames a second and memory of the tracker on a GPU, for ``device.sh``.

One stream: one target, frame by frame, from the decoded 640x360 array in memory to the box in
Python. Batches: many targets on one frame, or each on a frame of its own, targets times frames a
second. The fastest of several rounds, by the clock on the wall.
"""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from device_common import (
    PRECISIONS,
    Box,
    Part,
    allow_tf32,
    device_tracker,
    gib,
    options_parser,
    synchronize,
    weights_files,
)
from scene import moving_targets

TRACKERS = ("DSiam", "DSiamM", "SiamFC")
MAIN = "bfloat16"
COUNTS = (4, 16, 64, 256)
WARM_UP = 6  # frames: the first of a shape run eagerly, the next one is recorded


class Case(NamedTuple):
    """One cell of the tables."""

    tracker: str
    weights: str
    precision: str
    targets: int = 1
    own_frames: bool = False
    graphs: bool = True
    kernels: bool = True
    setting: str = ""


# What may make it faster, tried on some of the cases.
SETTINGS: dict[str, Callable[[bool], None]] = {
    "cudnn.benchmark": lambda on: setattr(torch.backends.cudnn, "benchmark", on),
    "TF32 products": lambda on: allow_tf32(True, products=on),
}


def main() -> int:
    """Measure all cases, the most telling ones first."""
    parser = options_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--round-seconds", type=float, default=0.25)
    options = parser.parse_args()
    if options.dry:
        options.rounds, options.round_seconds = 1, 0.1
    part, files = Part("speed", options), weights_files(options)
    cases = list(dict.fromkeys(_cases(list(files), options.dry)))
    images, boxes = moving_targets(WARM_UP + (4 if options.dry else 100), 256)
    for number, case in enumerate(cases):
        if part.is_late:
            part.content["left_out"] = len(cases) - number
            break
        with part.attempt(**case._asdict()):
            _measure(part, case, files[case.weights], images, boxes[: case.targets], options)
    part.save()
    return 0


def _cases(weights: Sequence[str], dry: bool) -> Iterator[Case]:
    """All cases, the most telling ones first; some come twice."""
    first, last = weights[0], weights[-1]
    one_stream = [Case(name, one, MAIN) for one in weights for name in TRACKERS]
    yield from one_stream
    if dry:
        yield Case("DSiam", first, MAIN, graphs=False)
        yield Case("DSiam", first, MAIN, setting=next(iter(SETTINGS)))
        yield Case("DSiam", first, "float32", 2, own_frames=True)
        return
    batches = [
        Case(name, one, MAIN, count)
        for name, one, count in itertools.product(TRACKERS, weights, COUNTS)
    ]
    learning = [case for case in batches if case.tracker != "SiamFC"]
    most = [case for case in learning if case.targets == COUNTS[-1]]
    yield from most
    telling = [case for case in one_stream + most if case.tracker != "SiamFC"]
    yield from (case._replace(kernels=False) for case in telling if case.weights == first)
    yield from learning
    yield from (case._replace(graphs=False) for case in one_stream)
    for setting in SETTINGS:
        yield from (case._replace(setting=setting) for case in telling if case.weights == last)
    others = [name for name in PRECISIONS if name != MAIN]
    yield from (case._replace(precision=name) for name in others for case in one_stream)
    yield from batches
    yield from (case._replace(own_frames=True) for case in learning if case.weights == last)
    yield from (case._replace(precision=name) for name in others for case in learning)
    yield from (case._replace(own_frames=True) for case in learning if case.weights == first)


def _measure(
    part: Part,
    case: Case,
    weights: Path | None,
    images: Sequence[np.ndarray],
    boxes: Sequence[Box],
    options: object,
) -> None:
    gc.collect()
    on_gpu = torch.cuda.is_available() and options.device != "cpu"
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    tracker = device_tracker(
        case.tracker,
        weights,
        case.precision,
        options.device,
        graphs=case.graphs,
        kernels=case.kernels,
    )
    if case.setting:
        SETTINGS[case.setting](True)
    try:
        start = time.perf_counter()
        rounds = [
            _seconds(tracker, images, boxes, case.own_frames, options)
            for _ in range(options.rounds)
        ]
        spent = time.perf_counter() - start
    finally:
        if case.setting:
            SETTINGS[case.setting](False)
    best = min(rounds)
    part.add(
        **case._asdict(),
        fps=len(boxes) / best,
        ms=1000 * best,
        spread=max(rounds) / best,
        spent_s=round(spent, 2),
        peak_gib=gib(torch.cuda.max_memory_allocated()) if on_gpu else None,
    )


def _seconds(
    tracker: object,
    images: Sequence[np.ndarray],
    boxes: Sequence[Box],
    own_frames: bool,
    options: object,
) -> float:
    """Seconds a frame of all targets, whose numbers are in Python at the end of each."""

    def shown(image: np.ndarray) -> np.ndarray | list[np.ndarray]:
        return [image] * len(boxes) if own_frames else image

    states = tracker.start_many(shown(images[0]), boxes)
    for image in images[1:WARM_UP]:
        states, _ = tracker.step_many(shown(image), states)
    synchronize(options.device)
    start, frames, spent = time.perf_counter(), 0, 0.0
    for image in images[WARM_UP:]:
        states, _ = tracker.step_many(shown(image), states)
        frames, spent = frames + 1, time.perf_counter() - start
        if spent > options.round_seconds and frames >= 3:
            break
    return spent / frames


if __name__ == "__main__":
    raise SystemExit(main())
