"""The sections on VOT-2015: Table 1 and Fig. 8."""

import math
from collections.abc import Sequence
from pathlib import Path

from dsiam_plugin.evaluation.datasets import DatasetFactory
from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.datasets.registry import get_benchmark
from dsiam_plugin.evaluation.reporting.evaluation import Evaluation, Options
from dsiam_plugin.evaluation.reporting.restarts import evaluate_restarts
from dsiam_plugin.evaluation.reproduction.paper import TABLE_1, field
from dsiam_plugin.evaluation.visualization.report import Section
from dsiam_plugin.io.tables import Cell, Table

CHALLENGE = "VOT2015"


def open_vot(folder: Path) -> tuple[Dataset, str]:
    """The sequences of a folder in the VOT toolkit's layout, and what they are not."""
    dataset = DatasetFactory.create_dataset(name=CHALLENGE, dataset_root=folder)
    total = get_benchmark(CHALLENGE).sequences
    if len(dataset) == total:
        return dataset, ""
    dataset.name = f"{CHALLENGE}-{len(dataset)}of{total}"
    return dataset, f"{len(dataset)} of {total} sequences: no {CHALLENGE} score"


def evaluate_vot(
    dataset: Dataset,
    folder: Path,
    trackers: Sequence[str],
    interval: tuple[int, int],
    filter_seconds: float | None,
) -> Evaluation:
    """Scores by the VOT toolkit's definitions, ranked among the published trackers.

    Args:
        dataset: From :func:`open_vot`.
        folder: Holds the trackers' results.
        trackers: Which.
        interval: Shortest and longest run, in frames, that EAO is the mean over.
        filter_seconds: Turns frames/s into EFO; None leaves speeds in frames/s.
    """
    options = Options(eao="vot", interval=interval, filter_seconds=filter_seconds, field=field())
    return evaluate_restarts(dataset, folder, trackers, options)


def table_1(evaluation: Evaluation, mark: str, filter_seconds: float | None) -> Section:
    """The paper's table, and ours below it."""
    columns = ("Tracker", "From", "Accuracy", "EAO", "Speed (EFO)", "Frames/s")
    rows: list[tuple[Cell, ...]] = [
        (row.tracker, "the paper", row.accuracy, row.eao, row.speed_efo, None) for row in TABLE_1
    ]
    for tracker, entry in evaluation.summary["trackers"].items():
        fps = entry["fps"]
        efo = fps * filter_seconds if filter_seconds else None
        rows.append((tracker, "measured here", entry["accuracy"], entry["eao"], efo, fps))
    lines = [f"Ours: {mark}, nor comparable with the rows above."] if mark else []
    if filter_seconds is None:
        lines.append("EFO: name the seconds of VOT's filter on this machine, --filter_seconds S.")
    else:
        lines.append(f"EFO: frames/s times {filter_seconds:g} s, VOT's filter on this machine.")
    table = Table("Accuracy, expected average overlap and speed", columns, tuple(rows))
    return Section("Table 1: VOT-2015", [table, *evaluation.tables], lines=lines)


def figure_8(evaluation: Evaluation, mark: str, folder: Path) -> Section:
    """EAO ranking among the challenge's trackers, the curve, and quality over speed."""
    pictures = evaluation.draw(folder / "fig8")
    ranking = evaluation.video_tables[0]
    shown = {name: path for name, path in pictures.items() if path.is_file()}
    lines = [f"Ours: {mark}; the rank means nothing until all are run."] if mark else []
    losses = sum(not math.isnan(entry["eao"]) for entry in evaluation.summary["trackers"].values())
    if not losses:
        lines.append("No run is as long as EAO's interval, so there is no ranking.")
    return Section("Fig. 8: EAO among the challenge's trackers", [ranking], shown, lines)
