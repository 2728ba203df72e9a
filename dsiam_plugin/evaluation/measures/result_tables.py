"""Tables of the scores that `summary` gives; `show_result` and the command `eval` print them."""

from collections.abc import Mapping, Sequence
from typing import Any

from dsiam_plugin.evaluation.measures.summary import Entry
from dsiam_plugin.io.tables import Cell, Table, ranked, tracker_label

COLUMNS = 8  # trackers side by side in a table of videos; more do not fit a terminal

Entries = Mapping[str, Entry]  # tracker to its scores
Names = Mapping[str, str]  # tracker to its name with its share of sequences, in a table's order

ONE_PASS = {"success": "Success", "precision": "Precision", "norm_precision": "Norm precision"}
RESTARTS = {"accuracy": "Accuracy", "robustness": "Robustness", "lost": "Lost"}
LONG_TERM = {"precision": "Precision", "recall": "Recall", "f1": "F1"}


def ranked_names(dataset: Any, entries: Entries, by: str) -> dict[str, str]:
    """Names of the trackers, with their share of sequences where some are missing."""
    order = ranked({name: entry[by] for name, entry in entries.items()}) if by else list(entries)
    return {
        tracker: tracker_label(tracker, entries[tracker]["sequences"], len(dataset))
        for tracker in order
    }


def score_table(
    title: str, entries: Entries, columns: Mapping[str, str], names: Names, note: str = ""
) -> Table:
    """Table with a row a tracker."""
    rows = tuple(
        (name, *(entries[tracker].get(measure) for measure in columns))
        for tracker, name in names.items()
    )
    return Table(title, ("Tracker", *columns.values()), rows, note=note)


def attribute_table(
    title: str,
    entries: Entries,
    measure: str,
    columns: Mapping[str, str],
    names: Names,
    note: str = "",
) -> Table:
    """Table with a row a tracker: the measure on the whole set, then by attribute."""
    rows: list[tuple[Cell, ...]] = []
    for tracker, name in names.items():
        attributes = entries[tracker]["attributes"]
        by_attribute = (attributes[code][measure] for code in list(columns)[1:])
        rows.append((name, entries[tracker][measure], *by_attribute))
    return Table(title, ("Tracker", *columns.values()), tuple(rows), note=note)


def video_tables(
    title: str,
    entries: Entries,
    measure: str,
    names: Names,
    videos: Sequence[str],
    low: float | None = None,
) -> list[Table]:
    """Tables of one measure, videos down and trackers across; several for many trackers."""
    trackers = list(names)
    groups = [trackers[start : start + COLUMNS] for start in range(0, len(trackers), COLUMNS)]
    return [
        Table(
            title,
            ("Video", *(names[tracker] for tracker in group)),
            tuple(
                (video, *(entries[name]["videos"].get(video, {}).get(measure) for name in group))
                for video in videos
            ),
            low=low,
        )
        for group in groups
    ]


def gap_note(dataset: Any, entries: Entries) -> str:
    """Note with a line a tracker that lacks sequences, naming up to five of them."""
    lines = []
    for tracker, entry in entries.items():
        missing = [video.name for video in dataset if video.name not in entry["videos"]]
        if missing:
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            lines.append(f"{tracker} has no usable result for {', '.join(missing[:5])}{more}")
    return "\n".join(lines)


def joined(*notes: str) -> str:
    """Notes below a table, a line each; empty ones are left out."""
    return "\n".join(note for note in notes if note)
