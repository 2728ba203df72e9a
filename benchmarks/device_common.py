"""What the parts of ``device.sh`` share: options, weights, precisions and partial results."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dsiam_plugin import build_tracker
from dsiam_plugin.io.files import write_text
from dsiam_plugin.models.devices import resolve_device
from dsiam_plugin.trackers.device.tracker import DeviceTracker

Box = tuple[float, float, float, float]
# Name, the tracker's precision, and whether convolutions may round float32 to TF32's 10 bits;
# PyTorch's own setting, and so what a user of float32 has, is that they may.
PRECISIONS = {
    "float32": ("float32", False),
    "tf32": ("float32", True),
    "bfloat16": ("bfloat16", True),
    "float16": ("float16", True),
}


def options_parser(summary: str) -> argparse.ArgumentParser:
    """The options that every part takes."""
    parser = argparse.ArgumentParser(description=summary.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--dry", action="store_true", help="tiny sizes: does it run at all")
    parser.add_argument("--weights", type=Path, help="weights beside the embedded ones")
    parser.add_argument("--data", type=Path, help="folder of sequences in OTB's layout")
    parser.add_argument("--seconds", type=float, default=1e9, help="start nothing new after these")
    return parser


class Part:
    """One part of the report: rows of numbers, on the disk after each row.

    Args:
        name: Of the part and its file.
        options: Of :func:`options_parser`.
    """

    def __init__(self, name: str, options: argparse.Namespace):
        self._path = options.out / f"{name}.json"
        self._start = time.monotonic()
        self._seconds = options.seconds
        self.content: dict[str, Any] = {"part": name, "dry": options.dry, "rows": []}
        options.out.mkdir(parents=True, exist_ok=True)
        self.save()

    @property
    def is_late(self) -> bool:
        """Whether its time is up."""
        return time.monotonic() - self._start > self._seconds

    def add(self, **row: Any) -> None:
        """One more row; what is there so far is written."""
        print(" ".join(f"{key}={_short(value)}" for key, value in row.items()), flush=True)
        self.content["rows"].append(row)
        self.save()

    def save(self) -> None:
        """Writes everything so far."""
        self.content["seconds"] = round(time.monotonic() - self._start, 1)
        write_text(self._path, json.dumps(self.content, indent=1))

    @contextmanager
    def attempt(self, **row: Any) -> Iterator[None]:
        """Turns an error into a row that tells it: the next attempt may work."""
        try:
            yield
        except Exception as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            self.add(**row, error=reason)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace(" ", "_")


def weights_files(options: argparse.Namespace) -> dict[str, Path | None]:
    """Weights by the name that the tables give them."""
    given = {} if options.weights is None else {options.weights.stem: options.weights}
    return {"embedded": None, **given}


def device_tracker(
    name: str,
    weights: Path | None,
    precision: str,
    device: str,
    **how: bool,
) -> DeviceTracker:
    """The device's tracker in one of PRECISIONS, also on a CPU; ``how`` are its own options."""
    dtype, tf32 = PRECISIONS[precision]
    allow_tf32(tf32)
    built = build_tracker(name, weights=weights, device=device, precision=dtype)
    return DeviceTracker(built.network, built.config, name, **how)


def allow_tf32(convolutions: bool, products: bool = False) -> None:
    """Whether convolutions and matrix products may round float32 to TF32."""
    settings = ((torch.backends.cudnn, convolutions), (torch.backends.cuda.matmul, products))
    for place, allowed in settings:
        kind = getattr(place, "conv", place)
        if hasattr(kind, "fp32_precision"):  # from PyTorch 2.9
            kind.fp32_precision = "tf32" if allowed else "ieee"
        else:
            place.allow_tf32 = allowed


def synchronize(device: str) -> None:
    """Waits for everything launched."""
    if resolve_device(device).type == "cuda":
        torch.cuda.synchronize()


def read_sequences(folder: Path, frames: int) -> dict[str, tuple[list[np.ndarray], np.ndarray]]:
    """RGB frames and boxes (n, 4) of every sequence's first frames, in OTB's layout."""
    from dsiam_plugin.evaluation.datasets.factory import create_dataset
    from dsiam_plugin.io.images import read_image

    found = {}
    for video in create_dataset(folder.resolve()):
        truth = np.asarray(video.gt_traj, dtype=float)[:frames]
        images = [read_image(name) for name in video.img_names[: len(truth)]]
        found[video.name] = (images, truth[: len(images)])
    return found


def gib(count: int) -> float:
    """Bytes as GiB."""
    return round(count / 2**30, 3)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Markdown."""
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"
