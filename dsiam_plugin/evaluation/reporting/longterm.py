"""Evaluation of VOT's long-term experiment: precision, recall and F-measure."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.measures import F1Benchmark
from dsiam_plugin.evaluation.measures.pysot_engine import evaluate_with_pysot
from dsiam_plugin.evaluation.measures.regions import Regions, region_overlaps
from dsiam_plugin.evaluation.measures.result_tables import LongTerm, f1_scores
from dsiam_plugin.evaluation.reporting.evaluation import (
    Evaluation,
    Options,
    Trajectory,
    check_any_result,
    heading,
    joined,
    labels,
    table_of_videos,
    title_of,
)
from dsiam_plugin.evaluation.reporting.parallel import map_trackers
from dsiam_plugin.evaluation.visualization import draw_f1
from dsiam_plugin.io.tables import Table, ranked

MEASURES = ("precision", "recall", "f1")
LOW = 0.5  # pysot's threshold for a video worth a look
DEFINITION = "All three at the confidence threshold where the mean curves' F1 is largest."


def evaluate_long_term(
    dataset: Dataset, folder: Path, trackers: Sequence[str], options: Options
) -> Evaluation:
    """Evaluates the trackers' results in ``folder`` on ``dataset``.

    Raises:
        ResultsError: No tracker has a result for any sequence.
        BenchmarkError: A tracker left too few confidences.
    """
    measure = partial(measure_long_term, pysot_path=options.pysot_path)
    measured = map_trackers(measure, dataset, folder, trackers, options.processes)
    gaps = {tracker: missing for tracker, (missing, _) in measured.items()}
    check_any_result(dataset, folder, gaps)
    results = {tracker: result for tracker, (_, result) in measured.items()}
    scores = {
        tracker: dict(zip(MEASURES, f1_scores(result), strict=True))
        for tracker, result in results.items()
    }
    marked = labels(dataset, gaps)
    order = ranked({tracker: values["f1"] for tracker, values in scores.items()})
    names = {tracker: marked[tracker] for tracker in order}
    summary = _summary(dataset, results, {tracker: scores[tracker] for tracker in order})
    return Evaluation(
        dataset=dataset,
        summary=summary,
        tables=[_main_table(dataset, summary, names, options.engine_note)],
        attribute_tables=[],
        video_tables=_video_tables(dataset, summary, names),
        gaps=gaps,
        trajectory=lambda tracker, video: _trajectory(dataset, folder, tracker, video),
        draw=lambda plots: _draw(plots, dataset, results, names),
    )


def measure_long_term(
    dataset: Dataset, folder: Path, tracker: str, pysot_path: Path | None = None
) -> tuple[Mapping[str, str], LongTerm]:
    """One tracker's gaps (video -> reason) and curves."""
    dataset.load_results(folder, tracker)
    benchmark = F1Benchmark(dataset)
    result = benchmark.eval(tracker)[tracker]
    if pysot_path is not None and result["f1"]:
        result = evaluate_with_pysot(dataset, ["f1"], pysot_path, tracker)["f1"][tracker]
    return benchmark.coverage(tracker).gaps, result


def _summary(
    dataset: Dataset,
    results: Mapping[str, LongTerm],
    scores: Mapping[str, Mapping[str, float]],
) -> dict[str, Any]:
    """The JSON's structure; a video's scores are at its own best threshold."""
    trackers = {}
    for tracker, values in scores.items():
        videos = {
            video: dict(zip(MEASURES, f1_scores(_only(results[tracker], video)), strict=True))
            for video in results[tracker]["f1"]
        }
        trackers[tracker] = {**values, "sequences": len(videos), "videos": videos}
    return {"dataset": title_of(dataset), "trackers": trackers}


def _only(result: LongTerm, video: str) -> LongTerm:
    return {measure: {video: curves[video]} for measure, curves in result.items()}


def _main_table(
    dataset: Dataset, summary: Mapping[str, Any], names: Mapping[str, str], note: str
) -> Table:
    rows = tuple(
        (name, *(summary["trackers"][tracker][measure] for measure in MEASURES))
        for tracker, name in names.items()
    )
    columns = ("Tracker", "Precision", "Recall", "F1")
    return Table(heading(dataset, "long-term"), columns, rows, note=joined(DEFINITION, note))


def _video_tables(
    dataset: Dataset, summary: Mapping[str, Any], names: Mapping[str, str]
) -> list[Table]:
    by_video = {
        tracker: {video: scores["f1"] for video, scores in entry["videos"].items()}
        for tracker, entry in summary["trackers"].items()
    }
    title = heading(dataset, "F1 by video")
    return table_of_videos(title, by_video, names, sorted(dataset.videos), low=LOW)


def _trajectory(dataset: Dataset, folder: Path, tracker: str, name: str) -> Trajectory:
    """The regions of one result and their overlaps, NaN in frames without the target."""
    video = dataset[name]
    regions, _ = video.load_tracker(folder, tracker, store=False)
    truth = Regions.pack(video.gt_traj)
    overlaps = region_overlaps(Regions.pack(regions), truth, (video.width, video.height))
    return regions, np.where(truth.sizes > 1, np.nan_to_num(overlaps), np.nan)


def _draw(
    folder: Path, dataset: Dataset, results: Mapping[str, LongTerm], names: Mapping[str, str]
) -> dict[str, Path]:
    title = title_of(dataset)
    draw_f1(
        {names[tracker]: results[tracker] for tracker in names if results[tracker]["f1"]},
        path=folder,
        name=title,
    )
    return {"Precision over recall": folder / f"{title}_f1.png"}
