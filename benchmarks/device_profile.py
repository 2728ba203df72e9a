"""Where a frame goes on a GPU, for ``device.sh``: kernels by kind and name, host beside device.

The profiler sees the kernels of a replayed CUDA graph one by one. ``busy`` is the sum of their
times, ``wall`` a frame's time without the profiler; what is between them is launching, gaps
between kernels, the copies' waits and Python.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from device_common import Part, device_tracker, options_parser, synchronize, weights_files
from scene import moving_targets
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile

WARM_UP = 6
FRAMES = 20
# The first that a kernel's name contains is its kind; names on the right are PyTorch's on a CPU.
KINDS = {
    "copies host to device": "HtoD",
    "copies device to host": "DtoH",
    "copies and fills": "DtoD|Memset|copy_kernel|CatArray|FillFunctor|aten::copy_|aten::cat",
    "convolutions": "conv|fprop|dgrad|implicit|xmma.*nhwc|cudnn.*(gemm|sm\\d)|nhwcTo|nchwTo",
    "transforms (FFT)": "fft|regular_|vector_fft",
    "sampling": "grid_sampl",
    "matrix products": "gemm|gemv|cutlass|aten::bmm|aten::mm|splitK",
    "pooling": "pool",
    "sorting": "median|[sS]ort|kth|radix|bitonic",
    "indexing": "index|gather|scatter",
    "sums and maxima": "reduce|Reduce|norm|aten::sum|max|min",
    "elementwise": "elementwise|vectorized|aten::",
}


def main() -> int:
    """Profile one stream and one batch of each tracker."""
    options = options_parser(__doc__).parse_args()
    part, (label, weights) = Part("profile", options), list(weights_files(options).items())[-1]
    trackers = ["DSiam"] if options.dry else ["DSiam", "DSiamM", "SiamFC"]
    batch = 2 if options.dry else 64
    cases = [(name, 1, True) for name in trackers] + [(name, batch, True) for name in trackers[:2]]
    cases += [("DSiam", 1, False)]
    for name, targets, graphs in cases:
        if part.is_late:
            break
        keys = {"tracker": name, "weights": label, "targets": targets, "graphs": graphs}
        with part.attempt(**keys):
            part.add(**keys, **_profiled(name, weights, targets, graphs, options))
    return 0


def _profiled(name: str, weights: Any, targets: int, graphs: bool, options: Any) -> dict[str, Any]:
    frames = 3 if options.dry else FRAMES
    tracker = device_tracker(name, weights, "bfloat16", options.device, graphs=graphs)
    images, boxes = moving_targets(WARM_UP + 2 * frames + 1, targets)
    states = tracker.start_many(images[0], boxes)
    for image in images[1 : WARM_UP + 1]:
        states, _ = tracker.step_many(image, states)
    synchronize(options.device)
    start = time.perf_counter()
    for image in images[WARM_UP + 1 :][:frames]:
        states, _ = tracker.step_many(image, states)
    wall = (time.perf_counter() - start) / frames
    on_gpu = torch.cuda.is_available() and options.device != "cpu"
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * on_gpu
    with profile(activities=activities) as profiler:
        for image in images[-frames:]:
            states, _ = tracker.step_many(image, states)
    events = list(profiler.events())
    kernels = list(_kernels(events, on_gpu))
    return {
        "wall_us": 1e6 * wall,
        "busy_us": sum(us for _, us in kernels) / frames,
        "kernels": len(kernels) / frames,
        "kinds": _summed(((_kind(name), us) for name, us in kernels), frames),
        "top": _summed(((_plain(name), us) for name, us in kernels), frames)[:25],
        "host": _summed(_host_calls(events), frames)[:12] if on_gpu else [],
    }


def _kernels(events: Iterable[FunctionEvent], on_gpu: bool) -> Iterable[tuple[str, float]]:
    """Name and microseconds of what ran; on a CPU PyTorch's operations stand in for kernels."""
    wanted = torch.autograd.DeviceType.CUDA if on_gpu else torch.autograd.DeviceType.CPU
    for event in events:
        if event.device_type == wanted and not event.name.startswith(("ProfilerStep", "cuda")):
            us = event.time_range.elapsed_us() if on_gpu else event.self_cpu_time_total
            yield event.name, us


def _host_calls(events: Iterable[FunctionEvent]) -> Iterable[tuple[str, float]]:
    """What the host asked of the driver, and how long it was at it."""
    for event in events:
        if event.device_type == torch.autograd.DeviceType.CPU and event.name.startswith("cuda"):
            yield event.name, event.self_cpu_time_total


def _kind(name: str) -> str:
    return next((kind for kind, pattern in KINDS.items() if re.search(pattern, name)), "others")


def _plain(name: str) -> str:
    """A kernel's name without return type and most of its template arguments."""
    return " ".join(name.removeprefix("void ").split())[:110]


def _summed(items: Iterable[tuple[str, float]], frames: int) -> list[tuple[str, float, float]]:
    """Name, times a frame and microseconds a frame, the longest first."""
    sums: dict[str, list[float]] = defaultdict(list)
    for name, us in items:
        sums[name].append(us)
    rows = [(name, len(us) / frames, sum(us) / frames) for name, us in sums.items()]
    return sorted(rows, key=lambda row: -row[2])


if __name__ == "__main__":
    raise SystemExit(main())
