"""Evaluation of OTB's robustness protocols: many starts a sequence, their frames pooled."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.datasets.video import START_BOX_ONLY
from dsiam_plugin.evaluation.measures.metrics import (
    norm_precision_curve,
    precision_curve,
    success_curve,
)
from dsiam_plugin.evaluation.measures.result_tables import ONE_PASS
from dsiam_plugin.evaluation.reporting.evaluation import Evaluation, map_trackers
from dsiam_plugin.evaluation.reporting.onepass import report_one_pass
from dsiam_plugin.evaluation.running.jobs import RunJob
from dsiam_plugin.evaluation.running.robustness import pooled_frames, robustness_protocol
from dsiam_plugin.evaluation.running.store import ResultStore

NOTE = "The frames of all runs on a sequence count alike."
_CURVES = (success_curve, precision_curve, norm_precision_curve)  # in the order of ONE_PASS


def evaluate_robustness(
    dataset: Dataset, folder: Path, trackers: Sequence[str], protocol: str, processes: int = 1
) -> Evaluation:
    """Evaluates the trackers' results of a robustness protocol in ``folder`` on ``dataset``.

    A sequence counts for a tracker where all its runs have a result.

    Raises:
        ResultsError: No tracker has all runs of any sequence.
        BenchmarkError: The data set has no such protocol.
    """
    way = robustness_protocol(dataset, protocol)
    measure = partial(measure_robustness, protocol=way.name)
    measured, gaps = map_trackers(measure, dataset, folder, trackers, processes)
    return report_one_pass(dataset, folder, measured, gaps, NOTE, way.name)


def measure_robustness(
    dataset: Dataset, folder: Path, tracker: str, protocol: str
) -> tuple[dict[str, str], dict[str, dict[str, np.ndarray]]]:
    """One tracker's gaps (video -> reason) and curves (measure -> video -> curve)."""
    way = robustness_protocol(dataset, protocol)
    store = ResultStore(folder / tracker, way.layout)
    gaps: dict[str, str] = {}
    curves: dict[str, dict[str, np.ndarray]] = {measure: {} for measure in ONE_PASS}
    for video in dataset:
        if video.has_start_box_only:
            gaps[video.name] = START_BOX_ONLY
            continue
        try:
            truth, result = pooled_frames(store, _complete(store, way.jobs(video)))
        except ResultsError as error:
            gaps[video.name] = str(error)
            continue
        for measure, curve in zip(ONE_PASS, _CURVES, strict=True):
            curves[measure][video.name] = curve(truth, result)
    return gaps, curves


def _complete(store: ResultStore, jobs: Sequence[RunJob]) -> Sequence[RunJob]:
    """The jobs, if there are any and each has a result."""
    if not jobs:
        raise ResultsError("no frame of the annotation shows a target to start from")
    missing = [job for job in jobs if not store.is_done(job)]
    if missing:
        first = store.path(missing[0])
        raise ResultsError(f"{len(missing)} of {len(jobs)} runs have no result; expected {first}")
    return jobs
