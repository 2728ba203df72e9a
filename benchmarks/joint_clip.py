"""Memory and time of joint training for each clip, by what is kept and what is learnt.

``python benchmarks/joint_clip.py [--frames 10] [--rounds 2] [--preset steady]``

One clip of a random network of SiamFC's size, forward and backward pass of all frames, bfloat16
convolutions, one thread. ``peak`` is what a process of its own grew by over its size with the model
and the clip, with an allocator that hands freed blocks back at once.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import torch
from torch import Tensor

from dsiam_plugin.config.variants import find_variant
from dsiam_plugin.models.backbones import SiamFCAlexNet
from dsiam_plugin.models.weights import Weights
from dsiam_plugin.training.data.clips import ClipBatch
from dsiam_plugin.training.joint.stage import ClipModel, JointConfig

MIB = 2**20
SIDE = 351
VARIANTS = {
    "all learnt": {},
    "all learnt, checkpoint": {"checkpoint": True},
    "features frozen": {"train_features": False},
}


def main() -> int:
    """Measure each variant in processes of its own and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--preset", default="steady", choices=("steady", "release", "paper"))
    parser.add_argument("--variant", choices=VARIANTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.variant:
        print(json.dumps(measure(options)))
        return 0
    print(f"{options.frames} frames, {options.preset}")
    for name in VARIANTS:
        # glibc: every block above 64 KiB is mapped, and unmapped when it is freed
        peak, _ = child(name, options, {"MALLOC_MMAP_THRESHOLD_": str(2**16)})
        _, seconds = child(name, options, {})
        print(f"{name:28} peak {peak / MIB:7.1f} MiB   {seconds:6.2f} s a clip")
    return 0


def child(name: str, options: argparse.Namespace, extra: dict[str, str]) -> tuple[float, float]:
    """Peak bytes and seconds of one variant in a process of its own."""
    numbers = [f"--{key}={getattr(options, key)}" for key in ("frames", "rounds", "preset")]
    command = [sys.executable, __file__, f"--variant={name}", *numbers]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env=os.environ | extra
    )
    return tuple(json.loads(done.stdout))


def measure(options: argparse.Namespace) -> tuple[float, float]:
    """Peak bytes and the fastest round's processor time of a clip."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    weights = Weights(
        "siamfc_alexnet", SiamFCAlexNet().state_dict(), (1.0, 0.0), "npz", Path("random"), ""
    )
    tracker = find_variant("DSiamM").config(options.preset)
    model = ClipModel(weights, tracker, JointConfig(**VARIANTS[options.variant]))
    batch = still_clip(options.frames)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = []
    for _ in range(options.rounds):
        start = time.process_time()
        with torch.autocast("cpu", torch.bfloat16):
            loss: Tensor = model(batch)["loss"]
        loss.backward()
        times.append(time.process_time() - start)
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    return peak, min(times)


def still_clip(frames: int) -> ClipBatch:
    """A clip of noise with the target in the middle."""
    crops = torch.randint(0, 256, (1, frames, SIDE, SIDE, 3), dtype=torch.uint8)
    box = torch.tensor([SIDE / 2 - 32, SIDE / 2 - 32, 64.0, 64.0])
    return ClipBatch(crops, box.expand(1, frames, 4))


if __name__ == "__main__":
    sys.exit(main())
