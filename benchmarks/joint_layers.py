"""Memory and time of the two layers of joint training against plain autograd of the same formulas.

``python benchmarks/joint_layers.py [--clips 4] [--frames 10] [--rounds 3]``

V and W are learnt and applied in every frame, on features of the size of SiamFC's: conv5 and conv4
of the exemplar (6x6x256, 8x8x384) and of the search region (22x22x256, 24x24x384). ``kept`` are the
bytes that autograd keeps for the backward pass, each storage once, the features themselves too;
``peak`` is what a process grew by over its size with the features alone, in a process of its own
whose allocator hands freed blocks back at once, so that it is what was alive; the time is the
fastest round's processor time, in another process with the usual allocator.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor

from dsiam_plugin.core.spectra import COMPLEX
from dsiam_plugin.training.joint.spectral import CLOSED_FORM

VARIANTS = {
    "plain autograd": (COMPLEX.learn, COMPLEX.convolve),
    "ours": (CLOSED_FORM.learn, CLOSED_FORM.convolve),
}
SHAPES = {"V": ((256, 6, 6), (384, 8, 8)), "W": ((256, 22, 22), (384, 24, 24))}
MIB = 2**20
Inputs = list[tuple[Tensor, Tensor, Tensor, Tensor]]
Solve = Callable[[Tensor, Tensor, Tensor], Tensor]
Apply = Callable[[Tensor, Tensor], Tensor]


def main() -> int:
    """Measure both variants in processes of their own and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--frames", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        torch.set_num_threads(1)
        what, name = options.measure
        inputs = make_inputs(options.clips, options.frames)
        print(json.dumps(MEASURES[what](inputs, *VARIANTS[name], options.rounds)))
        return 0
    results = {
        name: {key: value for what in MEASURES for key, value in child(what, name, options).items()}
        for name in VARIANTS
    }
    print(f"{options.clips} clips of {options.frames} frames, 1 thread")
    for name, result in results.items():
        print(
            f"{name:15} kept {result['kept'] / MIB:7.1f} MiB   peak {result['peak'] / MIB:7.1f} MiB"
            f"   {result['seconds']:6.3f} s"
        )
    plain, ours = results.values()
    ratios = [plain[key] / ours[key] for key in ("kept", "peak", "seconds")]
    print("plain / ours    kept {:.2f}   peak {:.2f}   time {:.2f}".format(*ratios))
    return 0


def child(what: str, name: str, options: argparse.Namespace) -> dict[str, float]:
    """One measurement of one variant: a peak of memory is a process' own."""
    numbers = [f"--{key}={getattr(options, key)}" for key in ("clips", "frames", "rounds")]
    command = [sys.executable, __file__, "--measure", what, name, *numbers]
    # glibc: every block above 64 KiB is mapped, and unmapped when it is freed
    allocator = {"MALLOC_MMAP_THRESHOLD_": str(2**16)} if what == "memory" else {}
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env=os.environ | allocator
    )
    return json.loads(done.stdout)


def memory(inputs: Inputs, solve: Solve, apply: Apply, rounds: int) -> dict[str, float]:
    """Bytes kept by a forward pass, peak bytes of forward and backward passes."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(rounds):
        forward(inputs, solve, apply).backward()
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    return {"kept": kept_bytes(lambda: forward(inputs, solve, apply)), "peak": peak}


def seconds(inputs: Inputs, solve: Solve, apply: Apply, rounds: int) -> dict[str, float]:
    """Processor time of a forward and a backward pass."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        forward(inputs, solve, apply).backward()
        times.append(time.process_time() - start)
    return {"seconds": min(times)}


MEASURES = {"memory": memory, "time": seconds}


def make_inputs(clips: int, frames: int) -> Inputs:
    """Source, target, what the filter is applied to and its ridge weight, a layer and frame."""
    generator = torch.Generator().manual_seed(0)
    weights = {kind: torch.tensor(0.1, requires_grad=True) for kind in SHAPES}
    made = []
    for _ in range(frames):
        for kind, shapes in SHAPES.items():
            for shape in shapes:
                source, target, moved = (
                    make_features((clips, *shape), generator) for _ in range(3)
                )
                # V is learnt from the exemplar and applied to it; W meets the next search region
                made.append((source, target, source if kind == "V" else moved, weights[kind]))
    return made


def make_features(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Features whose gradient is dropped at once, as a backbone's backward pass consumes it."""
    features = torch.randn(*shape, generator=generator).requires_grad_()
    features.register_post_accumulate_grad_hook(lambda leaf: setattr(leaf, "grad", None))
    return features


def forward(inputs: Inputs, solve: Solve, apply: Apply) -> Tensor:
    """The sum of all outputs: their gradient is ones, which costs nothing."""
    sums = [
        apply(solve(source, target, weight), moved).sum()
        for source, target, moved, weight in inputs
    ]
    return torch.stack(sums).sum()


def kept_bytes(run: Callable[[], Tensor]) -> int:
    """Bytes of all storages that autograd keeps for the backward pass."""
    storages: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        result = run()  # alive until here, so no storage is counted under another's address
    del result
    return sum(storages.values())


if __name__ == "__main__":
    sys.exit(main())
