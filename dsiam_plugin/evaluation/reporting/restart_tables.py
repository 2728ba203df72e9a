"""The tables of VOT's restart experiment."""

import math
from collections.abc import Sequence

from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.datasets.registry import find_benchmark
from dsiam_plugin.evaluation.measures.eao import ALL
from dsiam_plugin.evaluation.measures.result_tables import (
    RESTARTS,
    Entries,
    Names,
    attribute_table,
    joined,
    score_table,
    video_tables,
)
from dsiam_plugin.evaluation.reporting.evaluation import heading, sequences_of, title_of
from dsiam_plugin.evaluation.visualization.attribute_names import attribute_title
from dsiam_plugin.evaluation.visualization.published import PublishedScore, published_scores
from dsiam_plugin.io.tables import Cell, Table, ranked

LOW = 0.5  # pysot's threshold for the accuracy of a video worth a look
FIELD_NOTE = "Published scores have two decimals and the VOT toolkit's EAO."


def main_table(
    dataset: Dataset, entries: Entries, names: Names, note: str, filter_seconds: float | None
) -> Table:
    """Accuracy, robustness, losses and EAO, and the speed where it is known."""
    columns = {**RESTARTS, "eao": "EAO"}
    if not all(math.isnan(entry["fps"]) for entry in entries.values()):
        columns["speed"] = "Speed (fps)" if filter_seconds is None else "Speed (EFO)"
    factor = filter_seconds or 1.0
    with_speed = {
        tracker: {**entry, "speed": entry["fps"] * factor} for tracker, entry in entries.items()
    }
    return score_table(heading(dataset, "restarts"), with_speed, columns, names, note)


def tag_tables(dataset: Dataset, entries: Entries, names: Names, note: str) -> list[Table]:
    """EAO by tag, where the definition has tags."""
    tags = [ALL, *tags_of(entries)]
    if len(tags) < 2:
        return []
    columns = {tag: attribute_title(tag) for tag in tags}
    title = heading(dataset, "EAO by attribute")
    return [attribute_table(title, entries, "eao", columns, names, note)]


def tags_of(entries: Entries) -> list[str]:
    """Tags that every tracker has an expected average overlap for, but the one of all frames."""
    return list(next(iter(entries.values()))["attributes"])


def restart_video_tables(dataset: Dataset, entries: Entries, names: Names) -> list[Table]:
    """Accuracy and losses of every video."""
    return [
        table
        for measure, low in (("accuracy", LOW), ("lost", None))
        for table in video_tables(
            heading(dataset, f"{measure} by video"),
            entries, measure, names, sorted(dataset.videos), low,
        )
    ]  # fmt: skip


def published_field(dataset: Dataset) -> tuple[PublishedScore, ...]:
    """The challenge's published scores; none where only some of its sequences were evaluated."""
    benchmark = find_benchmark(dataset.name)
    if benchmark is None or len(dataset) != sequences_of(dataset):
        return ()
    return published_scores(benchmark.name)


def field_tables(
    dataset: Dataset,
    entries: Entries,
    names: Names,
    note: str,
    filter_seconds: float | None,
    field: Sequence[PublishedScore],
) -> list[Table]:
    """The trackers among those the challenge has published, where there are any.

    Robustness is the challenge's there: losses a sequence. Speeds are in EFO or left out.
    """
    if not field:
        return []
    rows: dict[str, tuple[Cell, ...]] = {
        f"{row.tracker} (published)": (row.accuracy, row.robustness, row.eao, row.speed_efo)
        for row in field
    }
    for tracker, entry in entries.items():
        speed = entry["fps"] * filter_seconds if filter_seconds else None
        losses = entry["lost"] / max(1, entry["sequences"])
        rows[names[tracker]] = (entry["accuracy"], losses, entry["eao"], speed)
    scores = {f"{row.tracker} (published)": row.eao for row in field}
    order = ranked({**scores, **{name: entries[tracker]["eao"] for tracker, name in names.items()}})
    columns = ("Tracker", "Rank", "Accuracy", "Losses a sequence", "EAO", "Speed (EFO)")
    lines = tuple((name, rank, *rows[name]) for rank, name in enumerate(order, start=1))
    title = f"{title_of(dataset)}: ranking among the {len(field)} published trackers"
    return [Table(title, columns, lines, note=joined(note, FIELD_NOTE))]
