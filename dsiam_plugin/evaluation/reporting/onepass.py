"""Evaluation of one pass over each sequence: OTB, UAV, NFS, LaSOT and folders of frames."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.measures import OPEBenchmark
from dsiam_plugin.evaluation.measures.metrics import box_overlaps
from dsiam_plugin.evaluation.measures.pysot_engine import evaluate_with_pysot
from dsiam_plugin.evaluation.measures.result_tables import (
    ONE_PASS,
    Entries,
    Names,
    attribute_table,
    joined,
    ranked_names,
    score_table,
    video_tables,
)
from dsiam_plugin.evaluation.measures.summary import Entry, one_pass_entry
from dsiam_plugin.evaluation.reporting.evaluation import (
    Evaluation,
    Gaps,
    Options,
    Trajectory,
    heading,
    map_trackers,
    result_of,
    title_of,
)
from dsiam_plugin.evaluation.reporting.onepass_plots import Curves, attributes_of, draw_one_pass
from dsiam_plugin.io.tables import Table

TITLES = {
    "OPE": "one-pass evaluation",
    "TRE": "temporal robustness (TRE)",
    "SRE": "spatial robustness (SRE)",
}
RUN = re.compile(r"(.+)_\d{3}")  # pytracking's name of a run
LOW = 0.6  # pysot's threshold for a video worth a look
DEFINITION = (
    "Success: area under the curve, 21 thresholds, overlap > t. Precision: at 20 px. "
    "Norm precision: at 0.20 of the target's size."
)

CurvesOfAll = dict[str, dict[str, np.ndarray]]  # measure -> video -> curve


def evaluate_one_pass(
    dataset: Dataset, folder: Path, trackers: Sequence[str], options: Options
) -> Evaluation:
    """Evaluates the trackers' results in ``folder`` on ``dataset``.

    Raises:
        ResultsError: No tracker has a result for any sequence.
    """
    measure = partial(measure_one_pass, pysot_path=options.pysot_path)
    measured, gaps = map_trackers(measure, dataset, folder, trackers, options.processes)
    note = joined(dataset.result_rule, options.engine_note)
    return report_one_pass(dataset, folder, measured, gaps, note)


def measure_one_pass(
    dataset: Dataset, folder: Path, tracker: str, pysot_path: Path | None = None
) -> tuple[Mapping[str, str], CurvesOfAll]:
    """One tracker's gaps (video -> reason) and curves (measure -> video -> curve)."""
    dataset.load_results(folder, tracker)
    benchmark = OPEBenchmark(dataset)
    curves = {
        "success": benchmark.eval_success(tracker)[tracker],
        "precision": benchmark.eval_precision(tracker)[tracker],
        "norm_precision": benchmark.eval_norm_precision(tracker)[tracker],
    }
    if pysot_path is not None and curves["success"]:
        theirs = evaluate_with_pysot(dataset, list(ONE_PASS), pysot_path, tracker)
        curves = {measure: result[tracker] for measure, result in theirs.items()}
    return benchmark.coverage(tracker).gaps, curves


def report_one_pass(
    dataset: Dataset,
    folder: Path,
    measured: Mapping[str, CurvesOfAll],
    gaps: Gaps,
    note: str = "",
    protocol: str = "OPE",
) -> Evaluation:
    """Scores, tables and plots from the curves of every tracker and video.

    Args:
        dataset: The data set.
        folder: Where the results lie, for the pictures.
        measured: Tracker -> measure -> video -> curve.
        gaps: Tracker -> video -> why it has no result.
        note: Printed below the main table.
        protocol: Whose starts the runs had, a key of ``TITLES``.
    """
    curves: dict[str, Curves] = {
        measure: {tracker: found[measure] for tracker, found in measured.items()}
        for measure in ONE_PASS
    }
    found = {tracker: _entry(dataset, item) for tracker, item in measured.items()}
    names = ranked_names(dataset, found, by="success")
    entries = {tracker: found[tracker] for tracker in names}
    head = {} if protocol == "OPE" else {"protocol": protocol}
    title, means = heading(dataset, TITLES[protocol]), _means_of_runs(entries)
    return Evaluation(
        dataset=dataset,
        summary={"dataset": title_of(dataset), **head, "trackers": entries},
        tables=[
            score_table(
                title, {**entries, **means}, ONE_PASS, {**names, **{name: name for name in means}},
                joined(DEFINITION, note),
            )
        ],
        attribute_tables=_attribute_tables(dataset, entries, names),
        video_tables=[
            table
            for measure in ("success", "precision")
            for table in video_tables(
                heading(dataset, f"{measure} by video"),
                entries, measure, names, sorted(dataset.videos), LOW,
            )
        ],
        gaps=gaps,
        trajectory=lambda tracker, video: _trajectory(dataset, folder, tracker, video),
        draw=lambda plots: draw_one_pass(plots, dataset, curves, entries, names, protocol),
    )  # fmt: skip


def _entry(dataset: Dataset, curves: Mapping[str, Mapping[str, np.ndarray]]) -> Entry:
    """Scores of one tracker, its attributes in the benchmark's order."""
    entry = one_pass_entry(dataset, curves)
    order = list(attributes_of(dataset))[1:]
    return {**entry, "attributes": {code: entry["attributes"][code] for code in order}}


def _means_of_runs(entries: Entries) -> dict[str, Entry]:
    """Mean scores of every tracker that was run several times, as ``x_000``, ``x_001``, ..."""
    runs: dict[str, list[Entry]] = {}
    for tracker, entry in entries.items():
        match = RUN.fullmatch(tracker)
        if match:
            runs.setdefault(match[1], []).append(entry)
    return {
        f"{name}: mean of {len(found)} runs": {
            measure: float(np.mean([entry[measure] for entry in found])) for measure in ONE_PASS
        }
        for name, found in runs.items()
        if len(found) > 1
    }


def _attribute_tables(dataset: Dataset, entries: Entries, names: Names) -> list[Table]:
    """One table a measure; the number of an attribute's videos stands in its heading."""
    columns = {code: f"{code} ({len(videos)})" for code, videos in attributes_of(dataset).items()}
    if len(columns) < 2:
        return []
    return [
        attribute_table(
            heading(dataset, f"{title.lower()} by attribute"), entries, measure, columns, names
        )
        for measure, title in ONE_PASS.items()
    ]


def _trajectory(dataset: Dataset, folder: Path, tracker: str, name: str) -> Trajectory:
    """The boxes of one result and their overlaps, NaN where the annotation has no box."""
    video, boxes = result_of(dataset, folder, tracker, name)
    overlaps = box_overlaps(np.asarray(video.gt_traj, dtype=float), boxes)
    return boxes, np.where(overlaps < 0, np.nan, np.nan_to_num(overlaps))
