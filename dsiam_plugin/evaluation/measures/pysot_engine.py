"""Evaluation by the classes of a pysot checkout, in a process of its own.

pysot's package is called `toolkit` too, so the two cannot be imported side by side. The child
process puts the checkout first on its path, gets annotations and results as JSON from this one and
gives back what pysot's classes return; it needs neither the checkout's data files nor any image.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from dsiam_plugin.errors import BenchmarkError, ResultsError
from dsiam_plugin.evaluation.measures.accuracy_robustness import RestartBenchmark
from dsiam_plugin.evaluation.measures.base import TrackerBenchmark
from dsiam_plugin.evaluation.measures.f1 import F1Benchmark
from dsiam_plugin.io.messages import fail

WORKER = Path(__file__).with_name("pysot_worker.py")
_MEASURES = {
    "success": ("OPEBenchmark", "eval_success"),
    "precision": ("OPEBenchmark", "eval_precision"),
    "norm_precision": ("OPEBenchmark", "eval_norm_precision"),
    "accuracy_robustness": ("AccuracyRobustnessBenchmark", "eval"),
    "eao": ("EAOBenchmark", "eval"),
    "f1": ("F1Benchmark", "eval"),
}
# Which class of this package looks up the results that pysot's class is to get.
_READERS: dict[str, type[TrackerBenchmark]] = {
    "OPEBenchmark": TrackerBenchmark,
    "AccuracyRobustnessBenchmark": RestartBenchmark,
    "EAOBenchmark": RestartBenchmark,
    "F1Benchmark": F1Benchmark,
}
_ARRAY_MEASURES = ("success", "precision", "norm_precision", "f1")


def evaluate_with_pysot(
    dataset: Any,
    measures: Sequence[str],
    pysot_path: str | Path,
    eval_trackers: str | Sequence[str] | None = None,
) -> dict[str, dict]:
    """Evaluate trackers with pysot's own code.

    A tracker's sequences without a usable result are left out, as this package's classes do.

    Args:
        dataset: A data set of this package, its results named by `set_tracker` or loaded.
        measures: Some of one protocol's: "success", "precision", "norm_precision"; or
            "accuracy_robustness", "eao"; or "f1".
        pysot_path: A pysot checkout, or the folder that holds its package `toolkit`.
        eval_trackers: One tracker or several; None for those of the data set.

    Returns:
        Measure to what the method of pysot's class returns for these trackers.

    Raises:
        BenchmarkError: A measure is unknown, the folder is no pysot checkout, or its code fails.
        ResultsError: A tracker has no usable result at all.
    """
    unknown = [measure for measure in measures if measure not in _MEASURES]
    if unknown or not measures:
        raise BenchmarkError(f"measures {list(measures)}, expected some of {', '.join(_MEASURES)}")
    root = Path(pysot_path).resolve()
    if not (root / "toolkit" / "evaluation").is_dir():
        raise BenchmarkError(f"{root}: not a pysot checkout, expected toolkit/evaluation in it")
    benchmark = _MEASURES[measures[0]][0]
    reader = _READERS[benchmark](dataset)
    request = {
        "pysot_path": str(root),
        "measures": {measure: _MEASURES[measure] for measure in measures},
        "dataset": _describe(dataset, sized=benchmark != "OPEBenchmark"),
        "with_confidence": benchmark == "F1Benchmark",
        "results": {
            tracker: _results_of(reader, tracker) for tracker in reader.asked(eval_trackers)
        },
    }
    replies = _run_worker(request)
    return {
        measure: _arrays(replies[measure]) if measure in _ARRAY_MEASURES else replies[measure]
        for measure in measures
    }


def _describe(dataset: Any, sized: bool) -> dict:
    """The part of a data set that pysot's classes read, as JSON takes it."""
    videos = {}
    for video in dataset:
        truth = [list(map(float, region)) for region in video.gt_traj]
        described: dict[str, Any] = {"gt_traj": truth}
        known = ("tags", "absent") if getattr(video, "hidden_frames_fail", True) else ("tags",)
        for name in known:
            if hasattr(video, name):
                value = getattr(video, name)
                described[name] = value if isinstance(value, dict) else np.asarray(value).tolist()
        if sized:  # asked for only where it is needed: it may mean reading an image
            described.update(width=video.width, height=video.height)
        videos[video.name] = described
    return {"name": dataset.name, "tags": list(getattr(dataset, "tags", [])), "videos": videos}


def _results_of(reader: TrackerBenchmark, tracker: str) -> dict[str, Any]:
    """Usable results of a tracker by sequence, as plain lists."""
    results = {video.name: _plain(result) for video, result in reader.results(tracker)}
    if not results:
        gap = next(iter(reader.coverage(tracker).gaps.values()), "the data set is empty")
        raise ResultsError(f"{tracker}: no usable result, first of all {gap}")
    return results


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return [_plain(part) for part in value] if isinstance(value, Sequence) else float(value)


def _run_worker(request: Mapping) -> dict:
    """Hand the request to a fresh interpreter and read its reply."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder, "request.json"), Path(folder, "reply.json")
        asked.write_text(json.dumps(request))
        done = subprocess.run(
            [sys.executable, str(WORKER), str(asked), str(answered)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0 or not answered.is_file():
            lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
            _fail(request["pysot_path"], lines[-1])
        return json.loads(answered.read_text())


def _fail(pysot_path: str, last_line: str) -> NoReturn:
    """Raise what pysot's code ended with, and the way out where its extension is not built."""
    if "region" in last_line and last_line.startswith(("ImportError", "ModuleNotFoundError")):
        fail(
            BenchmarkError, pysot_path, f"its toolkit.utils.region is not built ({last_line})",
            "there: pip install 'cython<3' && python setup.py build_ext --inplace",
        )  # fmt: skip
    fail(BenchmarkError, pysot_path, f"pysot's code failed: {last_line}")


def _arrays(value: Any) -> Any:
    """Lists of numbers back as arrays, in any depth of dictionaries."""
    if isinstance(value, dict):
        return {key: _arrays(part) for key, part in value.items()}
    return np.array(value)
