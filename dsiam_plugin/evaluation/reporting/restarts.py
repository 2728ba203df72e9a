"""Evaluation of VOT's restart experiment: accuracy, robustness, expected average overlap."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.datasets.registry import find_benchmark
from dsiam_plugin.evaluation.measures import AccuracyRobustnessBenchmark, EAOBenchmark
from dsiam_plugin.evaluation.measures.eao import ALL
from dsiam_plugin.evaluation.measures.pysot_engine import evaluate_with_pysot
from dsiam_plugin.evaluation.measures.regions import Convention, Regions, region_overlaps
from dsiam_plugin.evaluation.measures.result_tables import joined, ranked_names
from dsiam_plugin.evaluation.measures.run_overlaps import OverlapCounter
from dsiam_plugin.evaluation.measures.summary import Entry, restart_entry
from dsiam_plugin.evaluation.reporting.evaluation import (
    Evaluation,
    Options,
    Trajectory,
    map_trackers,
    result_of,
    title_of,
)
from dsiam_plugin.evaluation.reporting.restart_plots import draw_restarts
from dsiam_plugin.evaluation.reporting.restart_tables import (
    field_tables,
    main_table,
    published_field,
    restart_video_tables,
    tag_tables,
)
from dsiam_plugin.evaluation.results.files import CODE_INITIALISED, frames_per_second

VOT_NOTE = (
    "Accuracy and robustness: the VOT toolkit's supervised_average_ar, the mean overlap and the "
    "losses of a sequence, weighted by the sequences' lengths"
)


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
    measured, gaps = map_trackers(measure, dataset, folder, trackers, options.processes)
    found = {tracker: entry for tracker, (entry, _) in measured.items()}
    names = ranked_names(dataset, found, by="eao" if interval else "accuracy")
    entries = {tracker: found[tracker] for tracker in names}
    curves = {tracker: measured[tracker][1] for tracker in names}
    note = joined(_note(dataset, interval, options.eao), options.engine_note)
    head = {"dataset": title_of(dataset), "eao_definition": options.eao}
    field = published_field(dataset) if options.field is None else options.field
    return Evaluation(
        dataset=dataset,
        summary={**head, "trackers": entries},
        tables=[main_table(dataset, entries, names, note, options.filter_seconds)],
        attribute_tables=tag_tables(dataset, entries, names, note),
        video_tables=[
            *field_tables(dataset, entries, names, note, options.filter_seconds, field),
            *restart_video_tables(dataset, entries, names),
        ],
        gaps=gaps,
        trajectory=lambda tracker, video: _trajectory(dataset, folder, tracker, video),
        draw=lambda plots: draw_restarts(
            plots, dataset, entries, curves, names, interval, options.eao, options.filter_seconds,
            field,
        ),
    )  # fmt: skip


def eao_interval(dataset: Dataset) -> tuple[int, int] | None:
    """The benchmark's own interval of run lengths; None where it has none."""
    benchmark = find_benchmark(dataset.name)
    return benchmark.eao_interval if benchmark else None


def measure_restarts(
    dataset: Dataset,
    folder: Path,
    tracker: str,
    interval: tuple[int, int] | None,
    definition: Convention = "pysot",
    pysot_path: Path | None = None,
) -> tuple[Mapping[str, str], tuple[Entry, np.ndarray]]:
    """One tracker's gaps (video -> reason), and scores and curve; without interval EAO is NaN."""
    dataset.load_results(folder, tracker)
    counter = OverlapCounter(definition)
    benchmark = AccuracyRobustnessBenchmark(dataset, definition=definition, counter=counter)
    result = benchmark.eval(tracker)[tracker]
    gaps = dict(benchmark.coverage(tracker).gaps)
    eao, curve, measures = {ALL: float("nan")}, np.full(1, np.nan), ["accuracy_robustness"]
    if interval is not None:
        expected = _eao_benchmark(dataset, interval, definition, counter)
        curves = expected.eval_curves(tracker)[tracker]
        eao, curve = expected.scores(curves), curves[ALL]
        gaps |= expected.coverage(tracker).gaps
        measures.append("eao")
    if pysot_path is not None and result["overlaps"]:
        theirs = evaluate_with_pysot(dataset, measures, pysot_path, tracker)
        result = theirs["accuracy_robustness"][tracker]
        eao = theirs["eao"][tracker] if interval else eao
    entry = restart_entry(result, eao)
    fps = frames_per_second(folder / tracker / "baseline")
    entry |= {"sequences": len(dataset) - len(gaps), "fps": fps}
    return gaps, (entry, curve)


def _eao_benchmark(
    dataset: Dataset,
    interval: tuple[int, int],
    definition: Convention,
    counter: OverlapCounter | None = None,
) -> EAOBenchmark:
    """Tags have an expected average overlap in pysot's definition only."""
    tags = getattr(dataset, "tags", [ALL]) if definition == "pysot" else [ALL]
    low, high = interval
    return EAOBenchmark(
        dataset, tags=tags, definition=definition, low=low, high=high, counter=counter
    )


def _note(dataset: Dataset, interval: tuple[int, int] | None, definition: Convention) -> str:
    """The definitions shown, or why there is no expected average overlap."""
    eao = (
        f"EAO: no interval of run lengths is defined for {title_of(dataset)}; "
        "name one: --eao_interval LOW HIGH"
    )
    if interval is not None:
        eao = _eao_benchmark(dataset, interval, definition).describe()
    return joined(eao, VOT_NOTE if definition == "vot" else "")


def _trajectory(dataset: Dataset, folder: Path, tracker: str, name: str) -> Trajectory:
    """The first repetition's regions and overlaps; 0 from a loss to the next start."""
    video, (regions, *_) = result_of(dataset, folder, tracker, name)
    overlaps = region_overlaps(
        Regions.pack(regions), Regions.pack(video.gt_traj), (video.width, video.height)
    )
    started = np.array([len(region) == 1 and region[0] == CODE_INITIALISED for region in regions])
    return regions, np.where(started, 1.0, np.nan_to_num(overlaps))
