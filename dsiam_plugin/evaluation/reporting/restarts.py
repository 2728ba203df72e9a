"""Evaluation of VOT's restart experiment: accuracy, robustness, expected average overlap."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.datasets.registry import find_benchmark
from dsiam_plugin.evaluation.measures import AccuracyRobustnessBenchmark, EAOBenchmark
from dsiam_plugin.evaluation.measures.eao import ALL, Definition
from dsiam_plugin.evaluation.measures.pysot_engine import evaluate_with_pysot
from dsiam_plugin.evaluation.measures.regions import Regions, region_overlaps
from dsiam_plugin.evaluation.measures.result_tables import accuracy_robustness_scores
from dsiam_plugin.evaluation.reporting.evaluation import (
    Evaluation,
    Options,
    Trajectory,
    check_any_result,
    joined,
    labels,
    title_of,
)
from dsiam_plugin.evaluation.reporting.parallel import map_trackers
from dsiam_plugin.evaluation.reporting.restart_plots import draw_restarts
from dsiam_plugin.evaluation.reporting.restart_tables import (
    RestartScores,
    field_tables,
    main_table,
    tag_tables,
    video_tables,
)
from dsiam_plugin.evaluation.reporting.speeds import frames_per_second
from dsiam_plugin.evaluation.results.files import CODE_INITIALISED
from dsiam_plugin.io.tables import ranked


def evaluate_restarts(
    dataset: Dataset, folder: Path, trackers: Sequence[str], options: Options
) -> Evaluation:
    """Evaluates the trackers' results in ``folder`` on ``dataset``.

    Raises:
        ResultsError: No tracker has a result for any sequence.
        BenchmarkError: pysot's code fails where it is to compute.
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
    order = ranked(
        {
            tracker: found.eao[ALL] if interval else found.accuracy
            for tracker, found in scores.items()
        }
    )
    scores = {tracker: scores[tracker] for tracker in order}
    marked = labels(dataset, gaps)
    names = {tracker: marked[tracker] for tracker in order}
    note = joined(_eao_note(dataset, interval, options.eao), options.engine_note)
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
            plots, dataset, scores, names, interval, options.eao, options.filter_seconds
        ),
    )


def eao_interval(dataset: Dataset) -> tuple[int, int] | None:
    """The benchmark's own interval of run lengths; None where it has none."""
    benchmark = find_benchmark(dataset.name)
    return benchmark.eao_interval if benchmark else None


def measure_restarts(
    dataset: Dataset,
    folder: Path,
    tracker: str,
    interval: tuple[int, int] | None,
    definition: Definition = "pysot",
    pysot_path: Path | None = None,
) -> RestartScores:
    """One tracker's scores; without an interval the expected average overlap is NaN."""
    dataset.load_results(folder, tracker)
    benchmark = AccuracyRobustnessBenchmark(dataset)
    result = benchmark.eval(tracker)[tracker]
    gaps = dict(benchmark.coverage(tracker).gaps)
    eao, curve = {ALL: float("nan")}, np.full(1, np.nan)
    measures = ["accuracy_robustness"]
    if interval is not None:
        expected = _eao_benchmark(dataset, interval, definition)
        eao = expected.eval(tracker)[tracker]
        curve = expected.eval_curves(tracker)[tracker][ALL]
        gaps |= expected.coverage(tracker).gaps
        measures.append("eao")
    if pysot_path is not None and result["overlaps"]:
        theirs = evaluate_with_pysot(dataset, measures, pysot_path, tracker)
        result = theirs["accuracy_robustness"][tracker]
        eao = theirs["eao"][tracker] if interval else eao
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


def _eao_benchmark(
    dataset: Dataset, interval: tuple[int, int], definition: Definition
) -> EAOBenchmark:
    """Tags have an expected average overlap in pysot's definition only."""
    tags = dataset.tags if definition == "pysot" else [ALL]
    low, high = interval
    return EAOBenchmark(dataset, tags=tags, definition=definition, low=low, high=high)


def _eao_note(dataset: Dataset, interval: tuple[int, int] | None, definition: Definition) -> str:
    """The definition shown, or why there is none."""
    if interval is None:
        return (
            f"EAO: no interval of run lengths is defined for {title_of(dataset)}; "
            "name one: --eao_interval LOW HIGH"
        )
    return _eao_benchmark(dataset, interval, definition).describe()


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
