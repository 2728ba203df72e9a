"""Evaluation of VOT's long-term experiment: precision, recall and F-measure."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from dsiam_plugin.errors import BenchmarkError
from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.measures import F1Benchmark
from dsiam_plugin.evaluation.measures.pysot_engine import evaluate_with_pysot
from dsiam_plugin.evaluation.measures.regions import Regions, region_overlaps
from dsiam_plugin.evaluation.measures.result_tables import (
    LONG_TERM,
    joined,
    ranked_names,
    score_table,
    video_tables,
)
from dsiam_plugin.evaluation.measures.summary import LongTerm, long_term_entry
from dsiam_plugin.evaluation.reporting.evaluation import (
    Evaluation,
    Options,
    Trajectory,
    heading,
    map_trackers,
    result_of,
    title_of,
)
from dsiam_plugin.evaluation.visualization import draw_f1
from dsiam_plugin.evaluation.visualization.figures import plot_path

LOW = 0.5  # pysot's threshold for a video worth a look
DEFINITION = "All three at the confidence threshold where the mean curves' F1 is largest."


def evaluate_long_term(
    dataset: Dataset, folder: Path, trackers: Sequence[str], options: Options
) -> Evaluation:
    """Evaluates the trackers' results in ``folder`` on ``dataset``.

    Raises:
        ResultsError: No tracker has a result for any sequence.
        BenchmarkError: pysot's code fails where it is to compute.
    """
    measure = partial(measure_long_term, pysot_path=options.pysot_path)
    results, gaps = map_trackers(measure, dataset, folder, trackers, options.processes)
    found = {tracker: long_term_entry(result) for tracker, result in results.items()}
    names = ranked_names(dataset, found, by="f1")
    entries = {tracker: found[tracker] for tracker in names}
    note = joined(DEFINITION, options.engine_note)
    title, by_video = heading(dataset, "long-term"), heading(dataset, "F1 by video")
    videos = sorted(dataset.videos)
    return Evaluation(
        dataset=dataset,
        summary={"dataset": title_of(dataset), "trackers": entries},
        tables=[score_table(title, entries, LONG_TERM, names, note)],
        attribute_tables=[],
        video_tables=video_tables(by_video, entries, "f1", names, videos, LOW),
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
    try:
        result = benchmark.eval(tracker)[tracker]
    except BenchmarkError as error:  # too few confidences; the others still count
        gaps = {video.name: str(error) for video in dataset}
        return gaps, {measure: {} for measure in LONG_TERM}
    if pysot_path is not None and result["f1"]:
        result = evaluate_with_pysot(dataset, ["f1"], pysot_path, tracker)["f1"][tracker]
    return benchmark.coverage(tracker).gaps, result


def _trajectory(dataset: Dataset, folder: Path, tracker: str, name: str) -> Trajectory:
    """The regions of one result and their overlaps, NaN in frames without the target."""
    video, (regions, _) = result_of(dataset, folder, tracker, name)
    truth = Regions.pack(video.gt_traj)
    overlaps = region_overlaps(Regions.pack(regions), truth, (video.width, video.height))
    return regions, np.where(truth.sizes > 1, np.nan_to_num(overlaps), np.nan)


def _draw(
    folder: Path, dataset: Dataset, results: Mapping[str, LongTerm], names: Mapping[str, str]
) -> dict[str, Path]:
    title = title_of(dataset)
    draw_f1(
        {name: results[tracker] for tracker, name in names.items()},
        path=folder,
        name=title,
    )
    return {"Precision over recall": plot_path(folder, f"{title}_f1")}
