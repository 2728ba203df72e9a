"""Scores of OTB's robustness protocols, from the files a run left."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dsiam_plugin.errors import BenchmarkError, ResultsError
from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.measures.metrics import PRECISION_INDEX, precision_curve, success_curve
from dsiam_plugin.evaluation.results.files import read_boxes
from dsiam_plugin.evaluation.running.jobs import RunJob
from dsiam_plugin.evaluation.running.protocols import (
    ROBUSTNESS,
    Protocol,
    choose_protocol,
)
from dsiam_plugin.evaluation.running.starts import enclosing_box
from dsiam_plugin.evaluation.running.store import ResultStore


@dataclass(frozen=True)
class RobustnessScore:
    """The scores of a tracker from other starts.

    Attributes:
        success: Area under the success curve, 0 to 1.
        precision: Share of frames with the centre within 20 px, 0 to 1.
        runs: Runs that have a result.
        planned: Runs that the protocol has on the data set.
    """

    success: float
    precision: float
    runs: int
    planned: int


def score_robustness(
    dataset: Dataset, tracker_path: str | os.PathLike, tracker: str, protocol: str
) -> RobustnessScore:
    """Score the results of `protocol`, "TRE" or "SRE".

    As the benchmark does, the frames of all runs on a sequence count alike, and so do the
    sequences. Sequences without any result do not count.

    Raises:
        ResultsError: There is no result, or one does not fit its run.
        BenchmarkError: The data set has no such protocol, or it is not about robustness.
    """
    way = robustness_protocol(dataset, protocol)
    store = ResultStore(Path(tracker_path) / dataset.name / tracker, way.layout)
    scores, runs, planned = [], 0, 0
    for video in dataset:
        jobs = way.jobs(video)
        done = [job for job in jobs if store.is_done(job)]
        runs, planned = runs + len(done), planned + len(jobs)
        if done and not video.has_start_box_only:
            scores.append(_score_sequence(store, done))
    if not scores:
        raise ResultsError(f"{store.root / way.layout.folder}: no results of {way.name}")
    success, precision = np.mean(scores, axis=0).tolist()
    return RobustnessScore(success, precision, runs, planned)


def robustness_protocol(dataset: Dataset, name: str) -> Protocol:
    """The data set's protocol of that name.

    Raises:
        BenchmarkError: The data set has no such protocol, or it is not about robustness.
    """
    way = choose_protocol(dataset, name)
    if way not in ROBUSTNESS:
        names = " or ".join(known.name for known in ROBUSTNESS)
        raise BenchmarkError(f"{way.name} is not scored here, expected {names}")
    return way


def pooled_frames(store: ResultStore, jobs: Sequence[RunJob]) -> tuple[np.ndarray, np.ndarray]:
    """Annotations and results of all frames of some runs, each (frames, 4).

    Raises:
        ResultsError: A result is missing, damaged or does not fit its run.
    """
    results = [_read(store.path(job), len(job.images)) for job in jobs]
    truths = [enclosing_box(region) for job in jobs for region in job.truth]
    return np.array(truths, dtype=np.float64), np.concatenate(results)


def _score_sequence(store: ResultStore, jobs: Sequence[RunJob]) -> tuple[float, float]:
    """Success and precision over the frames of all runs on a sequence."""
    truth, result = pooled_frames(store, jobs)
    success = success_curve(truth, result).mean()
    return success, precision_curve(truth, result)[PRECISION_INDEX]


def _read(path: Path, frames: int) -> np.ndarray:
    boxes = read_boxes(path)
    if len(boxes) != frames:
        raise ResultsError(f"{path}: {len(boxes)} rows, expected {frames}, one a frame")
    return boxes
