"""The tables of VOT's restart experiment, and the scores they show."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.datasets.registry import find_benchmark
from dsiam_plugin.evaluation.measures.eao import ALL
from dsiam_plugin.evaluation.reporting.evaluation import (
    heading,
    joined,
    sequences_of,
    table_of_videos,
    title_of,
)
from dsiam_plugin.evaluation.visualization.attribute_names import attribute_title
from dsiam_plugin.evaluation.visualization.published import PublishedScore, published_scores
from dsiam_plugin.io.tables import Cell, Table, ranked

LOW = 0.5  # pysot's threshold for the accuracy of a video worth a look
FIELD_NOTE = "Published scores have two decimals and the VOT toolkit's EAO."


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


def main_table(
    dataset: Dataset,
    scores: Mapping[str, RestartScores],
    names: Mapping[str, str],
    definition: str,
    filter_seconds: float | None,
) -> Table:
    """Accuracy, robustness, losses and EAO, and the speed where it is known."""
    columns: tuple[str, ...] = ("Tracker", "Accuracy", "Robustness", "Lost", "EAO")
    rows: list[tuple[Cell, ...]] = [
        (name, found.accuracy, found.robustness, found.lost, found.eao[ALL])
        for found, name in zip(scores.values(), names.values(), strict=True)
    ]
    speeds = [found.fps for found in scores.values()]
    if not np.isnan(speeds).all():
        columns += ("Speed (fps)" if filter_seconds is None else "Speed (EFO)",)
        factor = filter_seconds or 1.0
        rows = [(*row, fps * factor) for row, fps in zip(rows, speeds, strict=True)]
    return Table(heading(dataset, "restarts"), columns, tuple(rows), note=definition)


def tag_tables(
    dataset: Dataset,
    scores: Mapping[str, RestartScores],
    names: Mapping[str, str],
    definition: str,
) -> list[Table]:
    """EAO by tag, where the definition has tags."""
    tags = list(next(iter(scores.values())).eao)
    if len(tags) < 2:
        return []
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (name, *(scores[tracker].eao[tag] for tag in tags)) for tracker, name in names.items()
    )
    columns = ("Tracker", *(attribute_title(tag) for tag in tags))
    return [Table(heading(dataset, "EAO by attribute"), columns, rows, note=definition)]


def video_tables(
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


def published_field(dataset: Dataset) -> tuple[PublishedScore, ...]:
    """The challenge's published scores; none where only some of its sequences were evaluated."""
    benchmark = find_benchmark(dataset.name)
    if benchmark is None or len(dataset) != sequences_of(dataset):
        return ()
    return published_scores(benchmark.name)


def field_tables(
    dataset: Dataset,
    scores: Mapping[str, RestartScores],
    names: Mapping[str, str],
    definition: str,
    filter_seconds: float | None,
) -> list[Table]:
    """The trackers among those the challenge has published, where a table is packaged.

    Robustness is the challenge's there: losses a sequence. Speeds are in EFO or left out.
    """
    field = published_field(dataset)
    if not field:
        return []
    rows: dict[str, tuple[Cell, ...]] = {
        f"{row.tracker} (published)": (row.accuracy, row.robustness, row.eao, row.speed_efo)
        for row in field
    }
    for tracker, found in scores.items():
        speed = found.fps * filter_seconds if filter_seconds else None
        losses = found.lost / max(1, len(found.videos))
        rows[names[tracker]] = (found.accuracy, losses, found.eao[ALL], speed)
    order = ranked({name: row[2] for name, row in rows.items()})
    columns = ("Tracker", "Rank", "Accuracy", "Losses a sequence", "EAO", "Speed (EFO)")
    lines = tuple((name, rank, *rows[name]) for rank, name in enumerate(order, start=1))
    title = f"{title_of(dataset)}: ranking among the {len(field)} published trackers"
    return [Table(title, columns, lines, note=joined(definition, FIELD_NOTE))]
