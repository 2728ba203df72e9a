"""Evaluation of VOT's restart experiment: accuracy, robustness, expected average overlap."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from toolkit.datasets.dataset import Dataset
from toolkit.datasets.registry import find_benchmark
from toolkit.errors import BenchmarkError
from toolkit.evaluation import AccuracyRobustnessBenchmark, EAOBenchmark
from toolkit.evaluation.eao import ALL, Definition
from toolkit.evaluation.pysot_engine import evaluate_with_pysot
from toolkit.evaluation.regions import Regions, region_overlaps
from toolkit.evaluation.result_tables import accuracy_robustness_scores
from toolkit.reporting.evaluation import (
    Evaluation,
    Options,
    Trajectory,
    check_any_result,
    joined,
    labels,
    title_of,
)
from toolkit.reporting.parallel import map_trackers
from toolkit.reporting.restart_plots import draw_restarts
from toolkit.reporting.restart_tables import (
    RestartScores,
    field_tables,
    main_table,
    tag_tables,
    video_tables,
)
from toolkit.reporting.speeds import frames_per_second
from toolkit.results import CODE_INITIALISED
from toolkit.tables import ranked


def evaluate_restarts(
    dataset: Dataset, folder: Path, trackers: Sequence[str], options: Options
) -> Evaluation:
    """Evaluates the trackers' results in ``folder`` on ``dataset``.

    Raises:
        ResultsError: No tracker has a result for any sequence.
        BenchmarkError: The data set has no interval for the expected average overlap.
    """
    interval = options.interval or eao_interval(dataset)
    measure = partial(
        measure_restarts,
        interval=interval,
        definition=options.eao,
        pysot_path=options.pysot_path,
    )
    scores = map_trackers(measure, dataset, folder, trackers, options.processes)
    gaps = {tracker: found.gaps for tracker, found in scores.items()}
    check_any_result(dataset, folder, gaps)
    order = ranked({tracker: found.eao[ALL] for tracker, found in scores.items()})
    scores = {tracker: scores[tracker] for tracker in order}
    marked = labels(dataset, gaps)
    names = {tracker: marked[tracker] for tracker in order}
    benchmark = EAOBenchmark(dataset, definition=options.eao, low=interval[0], high=interval[1])
    note = joined(benchmark.describe(), options.engine_note)
    return Evaluation(
        dataset=dataset,
        summary=_summary(dataset, scores, options.eao),
        tables=[main_table(dataset, scores, names, note, options.filter_seconds)],
        attribute_tables=tag_tables(dataset, scores, names, note),
        video_tables=[
            *field_tables(dataset, scores, names, note, options.filter_seconds),
            *video_tables(dataset, scores, names),
        ],
        gaps=gaps,
        trajectory=lambda tracker, video: _trajectory(dataset, folder, tracker, video),
        draw=lambda plots: draw_restarts(
            plots, dataset, scores, names, benchmark, options.filter_seconds
        ),
    )


def eao_interval(dataset: Dataset) -> tuple[int, int]:
    """The benchmark's own interval of run lengths.

    Raises:
        BenchmarkError: It has none.
    """
    benchmark = find_benchmark(dataset.name)
    if benchmark is None or benchmark.eao_interval is None:
        raise BenchmarkError(
            f"{dataset.name} has no EAO interval of its own; name one: --eao_interval LOW HIGH"
        )
    return benchmark.eao_interval


def measure_restarts(
    dataset: Dataset,
    folder: Path,
    tracker: str,
    interval: tuple[int, int],
    definition: Definition = "pysot",
    pysot_path: Path | None = None,
) -> RestartScores:
    """One tracker's scores; tags have an expected average overlap in pysot's definition only."""
    dataset.load_results(folder, tracker)
    benchmark = AccuracyRobustnessBenchmark(dataset)
    tags = dataset.tags if definition == "pysot" else [ALL]
    expected = EAOBenchmark(
        dataset, tags=tags, definition=definition, low=interval[0], high=interval[1]
    )
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


def _trajectory(dataset: Dataset, folder: Path, tracker: str, name: str) -> Trajectory:
    """The first repetition's regions and overlaps; 0 from a loss to the next start."""
    video = dataset[name]
    regions = video.load_tracker(folder, tracker, store=False)[0]
    overlaps = region_overlaps(
        Regions.pack(regions), Regions.pack(video.gt_traj), (video.width, video.height)
    )
    started = np.array([len(region) == 1 and region[0] == CODE_INITIALISED for region in regions])
    return regions, np.where(started, 1.0, np.nan_to_num(overlaps))
