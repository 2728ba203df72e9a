"""Writing scores as JSON and CSV."""

import csv
import io
import json
import math
import os
from typing import Any

from dsiam_plugin.io.files import atomic_write

NESTED = {"attributes": "attribute", "videos": "video"}  # key in the JSON -> scope in the CSV


def write_json(path: str | os.PathLike[str], summary: dict[str, Any]) -> None:
    """Writes the scores as JSON; NaN, which JSON lacks, becomes null.

    Raises:
        OSError: The file cannot be written.
    """
    with atomic_write(path) as file:
        file.write(json.dumps(_without_nan(summary), indent=2, allow_nan=False) + "\n")


def write_csv(path: str | os.PathLike[str], summary: dict[str, Any]) -> None:
    """Writes one line a tracker and scope: the whole set, each attribute, each video.

    Columns: ``tracker,scope,name`` and every score; a score that does not exist is left blank.

    Raises:
        OSError: The file cannot be written.
    """
    rows = [row for tracker in summary["trackers"] for row in _rows(summary, tracker)]
    scores = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, scores, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with atomic_write(path) as file:
        file.write(text.getvalue())


def _rows(summary: dict[str, Any], tracker: str) -> list[dict[str, Any]]:
    """The tracker's lines, the whole set first."""
    entry = summary["trackers"][tracker]
    whole = {key: value for key, value in entry.items() if key not in NESTED}
    rows = [{"tracker": tracker, "scope": "all", "name": summary["dataset"], **whole}]
    for key, scope in NESTED.items():
        for name, scores in entry.get(key, {}).items():
            rows.append({"tracker": tracker, "scope": scope, "name": name, **scores})
    return [{key: _blank(value) for key, value in row.items()} for row in rows]


def _blank(value: Any) -> Any:
    return "" if isinstance(value, float) and math.isnan(value) else value


def _without_nan(value: Any) -> Any:
    """The same structure with None for NaN."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
