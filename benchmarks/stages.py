"""Where a tracker's frame goes: seconds of each stage, and operations of the convolutions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import nn

from dsiam_plugin.core import step
from dsiam_plugin.models import network
from dsiam_plugin.models.backbones import SiamFCAlexNet
from dsiam_plugin.trackers import host

# Stage, and the functions whose time it is. None of them calls another.
STAGES = {
    "crops": ((host, "search_pyramid"),),
    "embed": ((network.SiameseNet, "embed"),),
    "correlate": ((step, "correlate"),),
    "W: transform, correlate": ((host, "analyse"), (step, "respond")),
    "localise": ((step, "locate"),),
    "learn V": ((step, "vary"),),
    "learn W": ((host, "bright"), (step, "suppress")),
}
REST = "the rest"


@contextmanager
def timed_stages(totals: dict[str, float], clock: Callable[[], float]) -> Iterator[None]:
    """Adds the seconds of every stage to ``totals``, and embed's operations as "GFLOP"."""
    patches = [
        mock.patch.object(owner, name, _timed(getattr(owner, name), stage, totals, clock))
        for stage, functions in STAGES.items()
        for owner, name in functions
    ]
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in patches:
            patch.stop()


def stage_table(stages: dict[str, dict[str, float]]) -> Iterator[str]:
    """Markdown: milliseconds a frame and share of it, a column a tracker."""
    yield "| stage, ms a frame (share) | " + " | ".join(stages) + " |"
    yield "|---" * (len(stages) + 1) + "|"
    wholes = [_whole(spent) for spent in stages.values()]
    for stage in [*STAGES, REST]:
        cells = [
            f"{1000 * seconds:.2f} ({100 * seconds / whole:.1f} %)"
            for seconds, whole in zip(
                (spent.get(stage, 0.0) for spent in stages.values()), wholes, strict=True
            )
        ]
        yield f"| {stage} | " + " | ".join(cells) + " |"
    outside = [1 - spent["embed"] / _whole(spent) for spent in stages.values()]
    yield "| all but embed | " + " | ".join(f"{100 * share:.1f} %" for share in outside) + " |"
    rates = [spent["GFLOP"] / spent["embed"] for spent in stages.values()]
    yield "| embed, GFLOP/s | " + " | ".join(f"{rate:.0f}" for rate in rates) + " |"


def _whole(spent: dict[str, float]) -> float:
    return sum(seconds for stage, seconds in spent.items() if stage != "GFLOP")


def _timed(
    function: Callable, stage: str, totals: dict[str, float], clock: Callable[[], float]
) -> Callable:
    def timed(*args: Any, **kwargs: Any) -> Any:
        start = clock()
        result = function(*args, **kwargs)
        totals[stage] += clock() - start
        if stage == "embed":
            crops: np.ndarray = args[1]
            totals["GFLOP"] += len(crops) * _gflop(crops.shape[1])
        return result

    return timed


@cache
def _gflop(side: int) -> float:
    """Multiplications and additions of one crop's convolutions in SiamFC's AlexNet, in 1e9."""
    total = 0.0

    def count(module: nn.Conv2d, _: tuple, output: torch.Tensor) -> None:
        nonlocal total
        total += 2 * output.numel() * module.weight[0].numel() / 1e9

    backbone = SiamFCAlexNet()
    for module in backbone.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    with torch.no_grad():
        backbone(torch.zeros(1, 3, side, side))
    return total


def empty_totals() -> dict[str, float]:
    """Zero seconds for every stage."""
    return defaultdict(float)
