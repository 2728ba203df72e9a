"""How long a start takes and what tracking needs in memory: ``python benchmarks/startup.py``.

``[--weights FILE] [--tracker DSiamM] [--precision auto] [--rounds 5]``

Every row is a fresh process, the best of several rounds, with processor seconds of all its threads
(what a quiet machine spends) and wall seconds. A process inherits the peak memory of the one that
started it, so a peak below this program's own cannot be told. The VOT client is ready when its
hello arrives, which it sends after its warm-up; without vot-trax that row is left out. Without
weights a seeded random network of full size is used.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
MB_LIMIT = 700
IMPORTS = (
    ("`import dsiam_plugin`", "import dsiam_plugin", 0.3),
    ("`import toolkit`", "import toolkit", 0.3),
    ("`dsiam --help`", "from dsiam_plugin.commands.main import main; main(['--help'])", None),
    ("`import numpy, cv2`", "import numpy, cv2", None),
    ("`import torch`", "import torch", None),
)
PEAK = """
import sys
import numpy as np
from dsiam_plugin import build_tracker
name, weights, precision = sys.argv[1:]
tracker = build_tracker(name, weights=weights, device="cpu", precision=precision)
frames = np.random.default_rng(0).integers(0, 256, (20, 360, 640, 3), np.uint8)
tracker.init(frames[0], (300, 150, 70, 50))
for frame in frames[1:]:
    tracker.track(frame)
"""


class Cost(NamedTuple):
    """Of one process: seconds of processor and clock, and the most memory it held, in MB."""

    cpu_s: float
    wall_s: float
    peak_mb: float


def main(argv: Sequence[str] | None = None) -> int:
    """Measure everything and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", help="weights file; default $DSIAM_WEIGHTS, else random")
    parser.add_argument("--tracker", default="DSiamM")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        weights = options.weights or os.environ.get("DSIAM_WEIGHTS")
        weights = weights or str(write_random_weights(Path(folder) / "random.npz"))
        lines = list(rows(options.tracker, weights, options.precision, options.rounds))
    print("| start | processor s | wall s | peak MB | at most |")
    print("|---|--:|--:|--:|--:|")
    print("\n".join(lines))
    return 0


def rows(tracker: str, weights: str, precision: str, rounds: int) -> Iterator[str]:
    """Lines of the table."""
    for title, code, limit_s in IMPORTS:
        cost = best(lambda code=code: run_python(["-c", code]), rounds)
        yield line(title, cost, f"{limit_s} s" if limit_s else "")
    if find_spec("trax"):
        variables = {
            "DSIAM_TRACKER": tracker,
            "DSIAM_WEIGHTS": weights,
            "DSIAM_PRECISION": precision,
            "DSIAM_DEVICE": "cpu",
        }
        yield line("VOT client ready", best(lambda: start_client(variables), rounds), "3 s")
    command = ["-c", PEAK, tracker, weights, precision]
    title = f"{tracker}, 20 frames of 640x360, {precision}"
    yield line(title, best(lambda: run_python(command), rounds), f"{MB_LIMIT} MB")


def line(title: str, cost: Cost, limit: str) -> str:
    """One row of the Markdown table."""
    own_mb = peak_mb(resource.getrusage(resource.RUSAGE_SELF))
    peak = f"{cost.peak_mb:.0f}" if cost.peak_mb > own_mb else f"< {own_mb:.0f}"
    return f"| {title} | {cost.cpu_s:.2f} | {cost.wall_s:.2f} | {peak} | {limit} |"


def peak_mb(usage: resource.struct_rusage) -> float:
    """The most memory a process held."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KB elsewhere
    return usage.ru_maxrss * unit / 2**20


def best(measure: Callable[[], Cost], rounds: int) -> Cost:
    """Least of each over the rounds: other programs slow a start, but nothing speeds it up."""
    costs = [measure() for _ in range(rounds)]
    return Cost(*(min(values) for values in zip(*costs, strict=True)))


def run_python(arguments: Sequence[str]) -> Cost:
    """Cost of a Python process that runs to its end."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, env=environment()
    )
    return finished(process, start)


def start_client(variables: dict[str, str]) -> Cost:
    """Cost of a VOT client up to its hello.

    The hello's arrival ends the clock; the end of input then ends the client, whose few
    milliseconds of leaving are in the processor time.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "dsiam_plugin.vot.client"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment() | variables,
    )
    hello = process.stdout.readline()
    wall_s = time.perf_counter() - start
    if not hello.startswith(b"@@TRAX:hello"):
        raise SystemExit(f"the VOT client did not say hello: {hello.decode(errors='replace')!r}")
    process.stdin.close()
    process.stdout.close()
    return finished(process, start, expected=(0, 1))._replace(wall_s=wall_s)


def finished(process: subprocess.Popen, start: float, expected: Sequence[int] = (0,)) -> Cost:
    """Cost of a process, once it has ended.

    Raises:
        SystemExit: It ended with another status than expected.
    """
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in expected:
        raise SystemExit(f"{' '.join(map(str, process.args))}: status {process.returncode}")
    seconds = usage.ru_utime + usage.ru_stime
    return Cost(seconds, time.perf_counter() - start, peak_mb(usage))


def environment() -> dict[str, str]:
    """This process's environment, with the checkout importable and no settings of a tracker."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("DSIAM_")}
    return {**inherited, "PYTHONPATH": str(ROOT)}


def write_random_weights(path: Path) -> Path:
    """Seeded weights of full size in the official .npz layout, without importing PyTorch."""
    rng = np.random.default_rng(0)
    shapes = ((96, 3, 11), (256, 48, 5), (384, 256, 3), (384, 192, 3), (256, 192, 3))
    arrays = {}
    for index, (out, width, side) in enumerate(shapes, start=1):
        scale = (2 / (width * side**2)) ** 0.5
        values = rng.normal(0, scale, (out, width, side, side)).astype(np.float32)
        arrays[f"conv{index}.weight"] = values
        arrays[f"conv{index}.bias"] = np.zeros(out, np.float32)
    np.savez(path, **arrays)
    return path


if __name__ == "__main__":
    sys.exit(main())
