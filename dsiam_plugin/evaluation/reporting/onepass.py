"""Evaluation of one pass over each sequence: OTB, UAV, NFS, LaSOT and folders of frames."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.measures import OPEBenchmark
from dsiam_plugin.evaluation.measures.metrics import box_overlaps
from dsiam_plugin.evaluation.measures.pysot_engine import evaluate_with_pysot
from dsiam_plugin.evaluation.measures.summary import ope_summary
from dsiam_plugin.evaluation.reporting.evaluation import (
    Evaluation,
    Gaps,
    Options,
    Trajectory,
    check_any_result,
    heading,
    joined,
    labels,
    table_of_videos,
    title_of,
)
from dsiam_plugin.evaluation.reporting.onepass_plots import (
    MEASURES,
    Curves,
    attributes_of,
    draw_one_pass,
)
from dsiam_plugin.evaluation.reporting.parallel import map_trackers
from dsiam_plugin.io.tables import Table, ranked

TITLES = {
    "OPE": "one-pass evaluation",
    "TRE": "temporal robustness (TRE)",
    "SRE": "spatial robustness (SRE)",
}
LOW = 0.6  # pysot's threshold for a video worth a look
RUN = re.compile(r"(.+)_\d{3}")  # pytracking's name of a run
DEFINITION = (
    "Success: area under the curve, 21 thresholds, overlap > t. Precision: at 20 px. "
    "Norm precision: at 0.20 of the target's size."
)


def evaluate_one_pass(
    dataset: Dataset, folder: Path, trackers: Sequence[str], options: Options
) -> Evaluation:
    """Evaluates the trackers' results in ``folder`` on ``dataset``.

    Raises:
        ResultsError: No tracker has a result for any sequence.
    """
    measure = partial(measure_one_pass, pysot_path=options.pysot_path)
    measured = map_trackers(measure, dataset, folder, trackers, options.processes)
    gaps = {tracker: missing for tracker, (missing, _) in measured.items()}
    check_any_result(dataset, folder, gaps)
    curves = {
        measure: {tracker: found[measure] for tracker, (_, found) in measured.items()}
        for measure in MEASURES
    }
    note = joined(dataset.result_rule, options.engine_note)
    return report_one_pass(dataset, folder, curves, gaps, note)


def measure_one_pass(
    dataset: Dataset, folder: Path, tracker: str, pysot_path: Path | None = None
) -> tuple[Mapping[str, str], dict[str, dict[str, np.ndarray]]]:
    """One tracker's gaps (video -> reason) and curves (measure -> video -> curve)."""
    dataset.load_results(folder, tracker)
    benchmark = OPEBenchmark(dataset)
    curves = {
        "success": benchmark.eval_success(tracker)[tracker],
        "precision": benchmark.eval_precision(tracker)[tracker],
        "norm_precision": benchmark.eval_norm_precision(tracker)[tracker],
    }
    if pysot_path is not None and curves["success"]:
        theirs = evaluate_with_pysot(dataset, list(MEASURES), pysot_path, tracker)
        curves = {measure: result[tracker] for measure, result in theirs.items()}
    return benchmark.coverage(tracker).gaps, curves


def report_one_pass(
    dataset: Dataset,
    folder: Path,
    curves: Mapping[str, Curves],
    gaps: Gaps,
    note: str = "",
    protocol: str = "OPE",
) -> Evaluation:
    """Scores, tables and plots from the curves of every tracker and video.

    Args:
        dataset: The data set.
        folder: Where the results lie, for the pictures.
        curves: Measure -> tracker -> video -> curve, for the three measures.
        gaps: Tracker -> video -> why it is missing.
        note: Printed below the main table.
        protocol: Whose starts the runs had, a key of ``TITLES``.
    """
    summary = _summary(dataset, curves, protocol)
    marked = labels(dataset, gaps)
    names = {tracker: marked[tracker] for tracker in summary["trackers"]}
    return Evaluation(
        dataset=dataset,
        summary=summary,
        tables=[_main_table(dataset, summary, names, note, protocol)],
        attribute_tables=_attribute_tables(dataset, summary, names),
        video_tables=_video_tables(dataset, summary, names),
        gaps=gaps,
        trajectory=lambda tracker, video: _trajectory(dataset, folder, tracker, video),
        draw=lambda plots: draw_one_pass(plots, dataset, curves, summary, names, protocol),
    )


def _summary(dataset: Dataset, curves: Mapping[str, Curves], protocol: str) -> dict[str, Any]:
    """The JSON's structure, trackers by success, attributes in the benchmark's order."""
    head = {} if protocol == "OPE" else {"protocol": protocol}
    whole = ope_summary(dataset, *(curves[measure] for measure in MEASURES))["trackers"]
    order = ranked({tracker: as_number(entry["success"]) for tracker, entry in whole.items()})
    attributes = list(attributes_of(dataset))[1:]
    return {
        "dataset": title_of(dataset),
        **head,
        "trackers": {
            tracker: {
                **{key: whole[tracker][key] for key in (*MEASURES, "sequences")},
                "attributes": {code: whole[tracker]["attributes"][code] for code in attributes},
                "videos": whole[tracker]["videos"],
            }
            for tracker in order
        },
    }


def as_number(score: float | None) -> float:
    """NaN for a score that does not exist."""
    return float("nan") if score is None else score


def _main_table(
    dataset: Dataset,
    summary: Mapping[str, Any],
    names: Mapping[str, str],
    note: str,
    protocol: str,
) -> Table:
    rows = tuple(
        (name, *(summary["trackers"][tracker][measure] for measure in MEASURES))
        for tracker, name in names.items()
    )
    rows += _means_of_runs(summary["trackers"])
    title = heading(dataset, TITLES[protocol])
    return Table(title, ("Tracker", *MEASURES.values()), rows, note=joined(DEFINITION, note))


def _means_of_runs(scores: Mapping[str, Mapping[str, Any]]) -> tuple[tuple[Any, ...], ...]:
    """A row of mean scores for every tracker that was run several times, as ``x_000``, ``x_001``.

    Args:
        scores: Tracker -> measure -> score, None where there is none.
    """
    runs: dict[str, list[list[float]]] = {}
    for tracker, entry in scores.items():
        match = RUN.fullmatch(tracker)
        if match:
            values = [as_number(entry[measure]) for measure in MEASURES]
            runs.setdefault(match[1], []).append(values)
    return tuple(
        (f"{name}: mean of {len(rows)} runs", *np.mean(rows, axis=0).tolist())
        for name, rows in runs.items()
        if len(rows) > 1
    )


def _attribute_tables(
    dataset: Dataset, summary: Mapping[str, Any], names: Mapping[str, str]
) -> list[Table]:
    """One table a measure; the number of an attribute's videos stands in its heading."""
    attributes = attributes_of(dataset)
    if len(attributes) < 2:
        return []
    columns = ("Tracker", *(f"{name} ({len(videos)})" for name, videos in attributes.items()))
    return [
        Table(
            heading(dataset, f"{title.lower()} by attribute"),
            columns,
            tuple(
                (
                    name,
                    summary["trackers"][tracker][measure],
                    *(
                        scores[measure]
                        for scores in summary["trackers"][tracker]["attributes"].values()
                    ),
                )
                for tracker, name in names.items()
            ),
        )
        for measure, title in MEASURES.items()
    ]


def _video_tables(
    dataset: Dataset, summary: Mapping[str, Any], names: Mapping[str, str]
) -> list[Table]:
    """Success and precision of every video."""
    tables = []
    for measure in ("success", "precision"):
        by_video = {
            tracker: {video: scores[measure] for video, scores in entry["videos"].items()}
            for tracker, entry in summary["trackers"].items()
        }
        title = heading(dataset, f"{measure} by video")
        tables += table_of_videos(title, by_video, names, sorted(dataset.videos), low=LOW)
    return tables


def _trajectory(dataset: Dataset, folder: Path, tracker: str, name: str) -> Trajectory:
    """The boxes of one result and their overlaps, NaN where the annotation has no box."""
    video = dataset[name]
    boxes = video.load_tracker(folder, tracker, store=False)
    overlaps = box_overlaps(np.asarray(video.gt_traj, dtype=float), boxes)
    return boxes, np.where(overlaps < 0, np.nan, np.nan_to_num(overlaps))
