"""Boxes of the tracker on a GPU against those of the tracker on the CPU, for ``device.sh``.

Two comparisons on generated sequences and on those of ``--data``. *Free*: both follow from the
first box to the last frame, where one grey level can decide on another scale, and the two drift
apart from there. *Restarted*: both begin anew from the annotation every few frames, so differences
do not add up; the device takes all these starts as targets of one batch, each on its own frame.
The CPU's tracker computes in float32, in processes of its own.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from multiprocessing import get_context
from multiprocessing.pool import AsyncResult
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from device_common import (
    PRECISIONS,
    Part,
    device_tracker,
    options_parser,
    read_sequences,
    weights_files,
)

from dsiam_plugin import build_tracker
from dsiam_plugin.evaluation.measures.metrics import box_overlaps, success_curve
from dsiam_plugin.evaluation.synthesis.dataset import SynthesisConfig, write_dataset

RESTART = 6  # frames of a restarted run, its first included
NEAR = 1.0  # px


class Sequence(NamedTuple):
    """Frames (H, W, 3) uint8 and boxes (n, 4)."""

    kind: str
    images: list[np.ndarray]
    truth: np.ndarray


class Followed(NamedTuple):
    """Boxes (n - 1, 4) of a free run, and of all restarted ones (starts, RESTART - 1, 4)."""

    free: np.ndarray
    restarted: np.ndarray


def main() -> int:
    """Compare all trackers and precisions."""
    options = options_parser(__doc__).parse_args()
    trackers = ["DSiamM"] if options.dry else ["DSiam", "DSiamM", "SiamFC"]
    part = Part("boxes", options)
    sequences = _sequences(options)
    workers = 1 if options.dry else max(1, len(_processors()) - 4)  # the tests run beside
    # Forked processes would inherit this one's threads and its device.
    with get_context("spawn").Pool(workers) as pool:  # whose end is that of unfinished work
        expected = {
            (label, name): [
                pool.apply_async(_on_host, (name, weights, sequence)) for sequence in sequences
            ]
            for label, weights in weights_files(options).items()
            for name in trackers
        }
        for (label, name), host in expected.items():
            for precision in ["float32", "bfloat16"] if options.dry else PRECISIONS:
                if part.is_late:
                    return 0
                keys = {"tracker": name, "weights": label, "precision": precision}
                with part.attempt(**keys):
                    for row in _compared(keys, sequences, host, options):
                        part.add(**row)
    return 0


def _sequences(options: argparse.Namespace) -> list[Sequence]:
    generated = options.out / "generated"
    count, frames = (1, 10) if options.dry else (5, 40)
    if not generated.exists():
        write_dataset(generated, SynthesisConfig(sequences=count, frames=frames))
    folders = {"generated": generated}
    if options.data is not None:
        folders["real"] = options.data
    found = [
        Sequence(kind, *item)
        for kind, folder in folders.items()
        for item in read_sequences(folder, 10 if options.dry else 60).values()
    ]
    return [found[0], found[-1]] if options.dry else found


def _on_host(name: str, weights: Path | None, sequence: Sequence) -> Followed:
    torch.set_num_threads(1)
    tracker = build_tracker(name, weights=weights, device="cpu", precision="float32")

    def follow(first: int, last: int) -> np.ndarray:
        tracker.init(sequence.images[first], tuple(sequence.truth[first]))
        frames = sequence.images[first + 1 : last]
        return np.array([tuple(tracker.track(image).box) for image in frames])

    starts = [follow(first, first + RESTART) for first in _starts(sequence)]
    return Followed(follow(0, len(sequence.images)), np.array(starts))


def _on_device(tracker: Any, sequence: Sequence) -> Followed:
    images, truth = sequence.images, sequence.truth
    tracker.init(images[0], tuple(truth[0]))
    free = np.array([tuple(tracker.track(image).box) for image in images[1:]])
    starts = _starts(sequence)
    states = tracker.start_many(
        [images[first] for first in starts], [tuple(truth[first]) for first in starts]
    )
    steps = []
    for later in range(1, RESTART):
        states, results = tracker.step_many([images[first + later] for first in starts], states)
        steps.append([tuple(result.box) for result in results])
    return Followed(free, np.array(steps).transpose(1, 0, 2))


def _starts(sequence: Sequence) -> range:
    return range(0, len(sequence.images) - RESTART + 1, RESTART)


def _compared(
    keys: dict[str, str],
    sequences: list[Sequence],
    host: list[AsyncResult[Followed]],
    options: argparse.Namespace,
) -> Iterable[dict[str, Any]]:
    weights = weights_files(options)[keys["weights"]]
    tracker = device_tracker(keys["tracker"], weights, keys["precision"], options.device)
    device = [_on_device(tracker, sequence) for sequence in sequences]
    expected = [result.get() for result in host]
    for kind in dict.fromkeys(sequence.kind for sequence in sequences):
        chosen = [index for index, sequence in enumerate(sequences) if sequence.kind == kind]
        yield {
            **keys,
            "frames": kind,
            "sequences": len(chosen),
            **_near("restarted", [(device[i].restarted, expected[i].restarted) for i in chosen]),
            **_near("free", [(device[i].free, expected[i].free) for i in chosen]),
            "auc_device": _auc([(sequences[i].truth, device[i].free) for i in chosen]),
            "auc_host": _auc([(sequences[i].truth, expected[i].free) for i in chosen]),
        }


def _near(run: str, pairs: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """How near two runs are: frames, share within NEAR, median and largest distance, overlap."""
    ours, theirs = (np.concatenate([pair[i].reshape(-1, 4) for pair in pairs]) for i in (0, 1))
    distance = np.abs(ours - theirs).max(axis=1)
    return {
        f"{run}_frames": len(distance),
        f"{run}_within_1px": float((distance <= NEAR).mean()),
        f"{run}_median_px": float(np.median(distance)),
        f"{run}_largest_px": float(distance.max()),
        f"{run}_overlap": float(np.mean(box_overlaps(theirs, ours))),
    }


def _auc(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
    scores = [
        success_curve(truth, np.concatenate([truth[:1], boxes])).mean() for truth, boxes in pairs
    ]
    return float(np.mean(scores))


def _processors() -> Iterable[int]:
    return os.sched_getaffinity(0)


if __name__ == "__main__":
    raise SystemExit(main())
