"""Training throughput and memory on a GPU, for ``device.sh``: ``dsiam train`` on generated data.

Each case is a run of its own of a shipped recipe, a few steps long. Pairs or clips a second are
those of the run's own curve; the first row of it, which warms up, is left out.
"""

from __future__ import annotations

import argparse
import csv
import gc
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

import torch
from device_common import Part, gib, options_parser, weights_files

from dsiam_plugin.commands.main import main as dsiam

CONFIGS = Path(__file__).resolve().parent.parent / "toolkit_configs"


class Case(NamedTuple):
    """One run."""

    recipe: str
    precision: str
    batch: int
    workers: int
    steps: int


CASES = [
    Case("train_siamfc", "bfloat16", 8, 0, 40),
    Case("train_siamfc", "bfloat16", 64, 12, 30),
    Case("train_dsiamm", "bfloat16", 4, 4, 12),
    Case("train_dsiamm", "bfloat16", 16, 8, 8),
    Case("embedded_siamfc", "bfloat16", 16, 8, 60),
    Case("embedded_dsiamm", "bfloat16", 4, 4, 12),
    Case("train_siamfc", "float32", 64, 12, 20),
    Case("train_siamfc", "float16", 64, 12, 20),
    Case("train_dsiamm", "float32", 4, 4, 8),
    Case("train_dsiamm", "float16", 4, 4, 8),
]
DRY_CASES = [
    Case("embedded_siamfc", "float32", 4, 0, 4),
    Case("embedded_dsiamm", "float32", 1, 0, 4),
]
ROWS = 4  # of the curve a run writes


def main() -> int:
    """Make data and run all cases."""
    options = options_parser(__doc__).parse_args()
    part = Part("training", options)
    packs = _packs(options)
    for case in DRY_CASES if options.dry else CASES:
        if part.is_late:
            break
        with part.attempt(**case._asdict()):
            part.add(**case._asdict(), **_trained(case, packs, options))
    return 0


def _packs(options: argparse.Namespace) -> dict[str, Path]:
    """A pack of tracks and one of clips, of generated sequences."""
    work = options.out / "training"
    shutil.rmtree(work, ignore_errors=True)
    sequences, workers = (2, 1) if options.dry else (16, 8)
    made = work / "sequences"
    _run("data", "synthesize", made, "--sequences", sequences, "--frames", 24)
    cuts = {"tracks": ["--tracks"], "clips": ["--clips", 8 if options.dry else 64]}
    for name, words in cuts.items():
        _run("data", "curate", "otb", made, work / name, *words, "--workers", workers)
    return {name: work / name for name in cuts}


def _trained(case: Case, packs: dict[str, Path], options: argparse.Namespace) -> dict[str, Any]:
    joint = case.recipe.endswith("dsiamm")
    samples = case.batch * case.steps
    out = options.out / "training" / "run"
    shutil.rmtree(out, ignore_errors=True)
    settings = {
        "validation.every": 0,
        "log_steps": case.steps // ROWS,
        "picture_steps": 0,
        "batch_size": case.batch,
        ("clips.clips" if joint else "pairs.pairs"): samples,
    }
    if not joint:
        settings["pairs.shares"] = "[]"
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    words += ["--weights", _file(options)] if joint else []
    on_gpu = torch.cuda.is_available() and options.device != "cpu"
    if on_gpu:
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    _run(
        *("train", CONFIGS / f"{case.recipe}.yaml", "--out", out, "--epochs", 1),
        *("--data", f"made={packs['clips' if joint else 'tracks']}"),
        *("--device", options.device, "--precision", case.precision, "--workers", case.workers),
        *words,
    )
    with (out / "curve.csv").open() as file:
        rows = list(csv.DictReader(file))
    (speed,) = (name for name in rows[0] if name.endswith("s_per_s"))
    return {
        "unit": speed.removesuffix("_per_s"),
        "per_s": max(float(row[speed]) for row in rows[1:]),
        "losses": [round(float(row["loss"]), 4) for row in rows],
        "spent_s": round(time.perf_counter() - start, 1),
        "peak_gib": gib(torch.cuda.max_memory_allocated()) if on_gpu else None,
    }


def _file(options: argparse.Namespace) -> Path:
    """Weights that a joint training starts from: those given, else the embedded ones."""
    from dsiam_plugin.models.weights import find_weights

    *_, last = weights_files(options).values()
    return last or find_weights(None)


def _run(*words: object) -> None:
    """Runs a command of ours here.

    Raises:
        RuntimeError: If it does not succeed.
    """
    status = dsiam([str(word) for word in words])
    if status:
        raise RuntimeError(f"dsiam {' '.join(map(str, words[:2]))}: exit status {status}")


if __name__ == "__main__":
    raise SystemExit(main())
