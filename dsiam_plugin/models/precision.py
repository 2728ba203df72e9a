"""The precision that ``auto`` stands for: the fastest one here whose features are true.

Processors that announce an instruction need not be fast with it, so a pass over a small crop is
timed in each precision that the processor has, on one thread. Times are remembered for the machine
and the shape of the network, errors of the features for its weights, in the user's cache folder.
"""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import math
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dsiam_plugin import __version__
from dsiam_plugin.io.user_cache import recall, remember
from dsiam_plugin.models.backbones import Backbone
from dsiam_plugin.models.backends.conversion import PRECISIONS, Conversion, find_conversion
from dsiam_plugin.models.backends.int8 import Int8Backbone
from dsiam_plugin.models.devices import PRECISIONS as DTYPES
from dsiam_plugin.models.devices import has_bfloat16, has_int8
from dsiam_plugin.models.layer_plan import LayerPlan, MaxPool, layer_plan
from dsiam_plugin.models.quantization import calibration_pictures
from dsiam_plugin.models.weights import Weights, build_backbone

CACHE_FILE = "precision.json"
# Relative to the norm of float32's features. Real networks err by 0.5 % in bfloat16, 1.7 % in int8.
MAX_ERROR = 0.03
ROUNDS = 3
SECONDS = 0.15  # after which no further round is begun
SIZES = (191, 159, 127, 95, 63)  # px of the timed crop: the first with at most so many products
PRODUCTS = 1.2e9

# Processor seconds, which other processes hardly change, where they are counted finely.
_IS_FINE = time.get_clock_info("process_time").resolution < 1e-4
_CLOCK = time.process_time if _IS_FINE else time.perf_counter
_LOG = logging.getLogger(__name__)
_CHOICES: dict[str, Choice] = {}

Embed = Callable[[np.ndarray], Mapping[str, Tensor]]


class Choice(NamedTuple):
    """A precision and why it was taken.

    Attributes:
        precision: Its name.
        milliseconds: Of a pass over a small crop in each precision that the processor has; empty
            where it has one only.
        errors: Of the features relative to float32's norm, for every precision that was looked at.
    """

    precision: str
    milliseconds: Mapping[str, float]
    errors: Mapping[str, float]

    def __str__(self) -> str:
        times = ", ".join(f"{name} {spent:.1f} ms" for name, spent in self.milliseconds.items())
        errors = ", ".join(f"{name} {100 * error:.1f} %" for name, error in self.errors.items())
        return (
            self.precision
            + (f"; a small crop takes {times}" if times else "")
            + (f"; features err by {errors}" if errors else "")
        )


def choose_precision(weights: Weights, levels: Sequence[str], backend: str = "torch") -> Choice:
    """The fastest precision on this CPU whose features are within 3 % of float32's.

    Raises:
        CheckpointError: The weights are not those of their network.
        MissingDependencyError: The backend's package is not installed.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in weights.tensors.items()}
    subject = [weights.backbone, sorted(shapes.items()), list(levels), backend, _machine()]
    speed_key = _digest(subject)
    error_key = _digest([weights.sha256, *subject])
    if error_key not in _CHOICES:
        candidates = _Candidates(weights, levels, backend)
        if len(candidates.names) == 1:
            return Choice(candidates.names[0], {}, {})
        known = recall(CACHE_FILE)
        times = known.get(speed_key, {})
        if times.keys() != set(candidates.names):
            times = candidates.times()
            remember(CACHE_FILE, speed_key, times)
        errors = dict(known.get(error_key, {}))
        choice = _choose(candidates, times, errors)
        if errors != known.get(error_key, {}):
            remember(CACHE_FILE, error_key, errors)
        _LOG.info("precision auto: %s", choice)
        _CHOICES[error_key] = choice
    return _CHOICES[error_key]


def _choose(candidates: _Candidates, times: dict[str, float], errors: dict[str, float]) -> Choice:
    """The fastest precision that is true enough; adds to ``errors`` what had to be looked at."""
    for name in sorted(times, key=lambda item: times[item]):
        if name == "float32":
            break
        if name not in errors:
            errors[name] = candidates.error(name)
        if errors[name] <= MAX_ERROR:
            break
    return Choice(name, times, errors)


class _Candidates:
    """The network in every precision that the backend and this processor compute."""

    def __init__(self, weights: Weights, levels: Sequence[str], backend: str):
        self._backbone = build_backbone(weights).eval().requires_grad_(False)
        self._levels = tuple(levels)
        self._backend = backend
        self._plan = layer_plan(self._backbone, levels)
        has = {
            "float32": True,
            "bfloat16": has_bfloat16(torch.device("cpu")),
            "int8": has_int8() and self._plan.mean is None,
        }
        known = (*DTYPES, *PRECISIONS[backend]) if backend == "torch" else PRECISIONS[backend]
        self.names = [name for name in known if has.get(name)]

    def times(self) -> dict[str, float]:
        """Milliseconds of a pass over a small crop in each precision."""
        size = next((size for size in SIZES if _products(self._plan, size) <= PRODUCTS), SIZES[-1])
        crops = calibration_pictures(1, size)
        best = dict.fromkeys(self.names, math.inf)
        with _one_thread():
            networks = {name: self._network(name, is_timed=True) for name in self.names}
            for network in networks.values():
                network(crops)  # prepares kernels
            start = _CLOCK()
            for _ in range(ROUNDS):
                for name, network in networks.items():
                    begin = _CLOCK()
                    network(crops)
                    best[name] = min(best[name], 1000 * (_CLOCK() - begin))
                if _CLOCK() - start > SECONDS:
                    break
        return best

    def error(self, name: str) -> float:
        """Norm of the difference to float32's features, relative to theirs; the worst level's."""
        crops = calibration_pictures(1, SIZES[0])
        with _one_thread():
            expected, found = self._network("float32")(crops), self._network(name)(crops)
        parts = [
            float((found[level].float() - expected[level]).norm() / expected[level].norm())
            for level in self._levels
        ]
        return max(parts) if all(map(math.isfinite, parts)) else 1e9  # JSON has no infinity

    def _network(self, name: str, is_timed: bool = False) -> Embed:
        convert: Conversion | None = find_conversion(self._backend, name)
        if is_timed and convert is Int8Backbone:  # whose ranges take longer to find than the times
            count = sum(not isinstance(step, MaxPool) for step in self._plan.steps)
            convert = partial(Int8Backbone, input_steps=(1.0,) * count)
        backbone: Backbone
        if convert is None:
            dtype = DTYPES[name]
            # PyTorch's stubs lack the layout.
            backbone = copy.deepcopy(self._backbone).to(  # type: ignore[call-overload]
                dtype, memory_format=torch.channels_last
            )
        else:
            backbone, dtype = convert(self._backbone, self._levels), torch.uint8

        @torch.inference_mode()
        def embed(crops: np.ndarray) -> Mapping[str, Tensor]:
            return backbone(torch.from_numpy(crops).permute(0, 3, 1, 2).to(dtype))

        return embed


def _products(plan: LayerPlan, size: int) -> int:
    """Products of a pass over one crop of ``size`` px."""
    total = 0
    for step in plan.steps:
        if isinstance(step, MaxPool):
            size = (size - step.size) // step.stride + 1
            continue
        size = (size + 2 * step.padding - step.weight.shape[-1]) // step.stride + 1
        total += step.weight.numel() * max(size, 0) ** 2
    return total


@contextmanager
def _one_thread() -> Iterator[None]:
    """Has PyTorch compute in the calling thread; several wait for each other on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _machine() -> list[str]:
    """Texts that tell machines apart whose times differ."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as stream:
            first = stream.read(20_000).split("\n\n")[0]
        varying = ("mhz", "bogomips")
        processor = [
            line for line in first.splitlines() if not any(w in line.lower() for w in varying)
        ]
    except OSError:  # not Linux
        processor = [platform.processor(), platform.machine()]
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "")  # PyTorch's kernels may be told to do without
    return [*processor, limit, torch.__version__, __version__]


def _digest(subject: object) -> str:
    return hashlib.sha256(json.dumps(subject).encode()).hexdigest()[:32]
