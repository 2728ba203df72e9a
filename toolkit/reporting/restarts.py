"""Evaluation of VOT's restart experiment: accuracy, robustness, expected average overlap."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from toolkit.datasets.dataset import Dataset
from toolkit.evaluation import AccuracyRobustnessBenchmark, EAOBenchmark
from toolkit.evaluation.eao import ALL
from toolkit.evaluation.pysot_engine import evaluate_with_pysot
from toolkit.evaluation.regions import Regions, region_overlaps
from toolkit.evaluation.result_tables import accuracy_robustness_scores
from toolkit.reporting.evaluation import (
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
from toolkit.reporting.parallel import map_trackers
from toolkit.reporting.restart_plots import draw_restarts
from toolkit.reporting.speeds import frames_per_second
from toolkit.results import CODE_INITIALISED
from toolkit.tables import Table, ranked
from toolkit.visualization.attribute_names import attribute_title

LOW = 0.5  # pysot's threshold for the accuracy of a video worth a look


@dataclass(frozen=True)
class RestartScores:
    """What one tracker did.

    Attributes:
        gaps: Video -> why it has no result.
        accuracy: Mean overlap of the frames that count.
        robustness: Losses in a hundred frames.
        lost: Losses in all sequences, the mean over the repetitions.
        eao: Tag -> expected average overlap; only ``all`` with the VOT toolkit's definition.
        curve: Expected average overlap by length of a run, (N,).
        videos: Video -> its accuracy and losses.
        fps: Frames a second, NaN where no times were written.
    """

    gaps: Mapping[str, str]
    accuracy: float
    robustness: float
    lost: float
    eao: Mapping[str, float]
    curve: np.ndarray
    videos: Mapping[str, Mapping[str, float]]
    fps: float


def evaluate_restarts(
    dataset: Dataset, folder: Path, trackers: Sequence[str], options: Options
) -> Evaluation:
    """Evaluates the trackers' results in ``folder`` on ``dataset``.

    Raises:
        ResultsError: No tracker has a result for any sequence.
        BenchmarkError: The data set has no interval for the expected average overlap.
    """
    measure = partial(measure_restarts, definition=options.eao, pysot_path=options.pysot_path)
    scores = map_trackers(measure, dataset, folder, trackers, options.processes)
    gaps = {tracker: found.gaps for tracker, found in scores.items()}
    check_any_result(dataset, folder, gaps)
    order = ranked({tracker: found.eao[ALL] for tracker, found in scores.items()})
    scores = {tracker: scores[tracker] for tracker in order}
    marked = labels(dataset, gaps)
    names = {tracker: marked[tracker] for tracker in order}
    benchmark = EAOBenchmark(dataset, definition=options.eao)
    note = joined(benchmark.describe(), options.engine_note)
    return Evaluation(
        dataset=dataset,
        summary=_summary(dataset, scores, options.eao),
        tables=[_main_table(dataset, scores, names, note, options)],
        attribute_tables=_tag_tables(dataset, scores, names, note),
        video_tables=_video_tables(dataset, scores, names),
        gaps=gaps,
        trajectory=lambda tracker, video: _trajectory(dataset, folder, tracker, video),
        draw=lambda plots: draw_restarts(
            plots, dataset, scores, names, benchmark, options.filter_seconds
        ),
    )


def measure_restarts(
    dataset: Dataset,
    folder: Path,
    tracker: str,
    definition: str = "pysot",
    pysot_path: Path | None = None,
) -> RestartScores:
    """One tracker's scores; tags have an expected average overlap in pysot's definition only."""
    dataset.load_results(folder, tracker)
    benchmark = AccuracyRobustnessBenchmark(dataset)
    tags = dataset.tags if definition == "pysot" else [ALL]
    expected = EAOBenchmark(dataset, tags=tags, definition=definition)
    result, eao = benchmark.eval(tracker)[tracker], expected.eval(tracker)[tracker]
    curve = expected.eval_curves(tracker)[tracker][ALL]
    gaps = {**benchmark.coverage(tracker).gaps, **expected.coverage(tracker).gaps}
    if pysot_path is not None and result["overlaps"]:
        theirs = evaluate_with_pysot(dataset, ["accuracy_robustness", "eao"], pysot_path, tracker)
        result, eao = theirs["accuracy_robustness"][tracker], theirs["eao"][tracker]
    accuracy, robustness, lost = accuracy_robustness_scores(result)
    return RestartScores(
        gaps=gaps,
        accuracy=accuracy,
        robustness=robustness,
        lost=lost,
        eao=eao,
        curve=curve,
        videos={video: _video_scores(result, video) for video in result["overlaps"]},
        fps=frames_per_second(folder / tracker / "baseline"),
    )


def _video_scores(result: Mapping[str, Mapping[str, list]], video: str) -> dict[str, float]:
    single = {kind: {video: values[video]} for kind, values in result.items()}
    accuracy, robustness, lost = accuracy_robustness_scores(single)
    return {"accuracy": accuracy, "robustness": robustness, "lost": lost}


def _summary(
    dataset: Dataset, scores: Mapping[str, RestartScores], definition: str
) -> dict[str, Any]:
    """The JSON's structure."""
    trackers = {
        tracker: {
            "accuracy": found.accuracy,
            "robustness": found.robustness,
            "lost": found.lost,
            "eao": found.eao[ALL],
            "sequences": len(dataset) - len(found.gaps),
            "fps": found.fps,
            "attributes": {tag: {"eao": eao} for tag, eao in found.eao.items() if tag != ALL},
            "videos": found.videos,
        }
        for tracker, found in scores.items()
    }
    return {"dataset": title_of(dataset), "eao_definition": definition, "trackers": trackers}


def _main_table(
    dataset: Dataset,
    scores: Mapping[str, RestartScores],
    names: Mapping[str, str],
    definition: str,
    options: Options,
) -> Table:
    """Accuracy, robustness, losses and EAO, and the speed where it is known."""
    columns = ("Tracker", "Accuracy", "Robustness", "Lost", "EAO")
    rows = [
        (name, found.accuracy, found.robustness, found.lost, found.eao[ALL])
        for found, name in zip(scores.values(), names.values(), strict=True)
    ]
    speeds = [found.fps for found in scores.values()]
    if not np.isnan(speeds).all():
        factor = options.filter_seconds
        columns += ("Speed (fps)" if factor is None else "Speed (EFO)",)
        rows = [(*row, fps * (factor or 1.0)) for row, fps in zip(rows, speeds, strict=True)]
    return Table(heading(dataset, "restarts"), columns, tuple(rows), note=definition)


def _tag_tables(
    dataset: Dataset,
    scores: Mapping[str, RestartScores],
    names: Mapping[str, str],
    definition: str,
) -> list[Table]:
    """EAO by tag, where the definition has tags."""
    tags = list(next(iter(scores.values())).eao)
    if len(tags) < 2:
        return []
    rows = tuple(
        (name, *(scores[tracker].eao[tag] for tag in tags)) for tracker, name in names.items()
    )
    columns = ("Tracker", *(attribute_title(tag) for tag in tags))
    return [Table(heading(dataset, "EAO by attribute"), columns, rows, note=definition)]


def _video_tables(
    dataset: Dataset, scores: Mapping[str, RestartScores], names: Mapping[str, str]
) -> list[Table]:
    """Accuracy and losses of every video."""
    tables = []
    for measure, low in (("accuracy", LOW), ("lost", None)):
        by_video = {
            tracker: {video: values[measure] for video, values in found.videos.items()}
            for tracker, found in scores.items()
        }
        title = heading(dataset, f"{measure} by video")
        tables += table_of_videos(title, by_video, names, sorted(dataset.videos), low=low)
    return tables


def _trajectory(dataset: Dataset, folder: Path, tracker: str, name: str) -> Trajectory:
    """The first repetition's regions and overlaps; 0 from a loss to the next start."""
    video = dataset[name]
    regions = video.load_tracker(folder, tracker, store=False)[0]
    overlaps = region_overlaps(
        Regions.pack(regions), Regions.pack(video.gt_traj), (video.width, video.height)
    )
    started = np.array([len(region) == 1 and region[0] == CODE_INITIALISED for region in regions])
    return regions, np.where(started, 1.0, np.nan_to_num(overlaps))
