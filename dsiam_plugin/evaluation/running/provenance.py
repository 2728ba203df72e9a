"""`run.json` beside the results: who made them, so that no two makers' results are mixed."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.results.layout import RECORD
from dsiam_plugin.evaluation.running.trackers import TrackerSpec
from dsiam_plugin.io.files import atomic_write
from dsiam_plugin.io.messages import one_line
from dsiam_plugin.io.parsing import read_json


def describe(spec: TrackerSpec, protocol: str, repetitions: int) -> dict[str, Any]:
    """The record of all that decides the results: tracker, settings and protocol.

    Args:
        spec: The tracker. Of settings that name a file, the content counts, not the path.
        protocol: Name of the protocol.
        repetitions: Runs from the same start.

    Returns:
        A mapping that survives JSON unchanged.
    """
    settings = spec.options if spec.identity is None else spec.identity
    record = {
        "tracker": spec.name,
        "factory": _factory_name(spec),
        "settings": {name: _describe_value(value) for name, value in sorted(settings.items())},
        "protocol": protocol,
        "repetitions": repetitions,
    }
    return json.loads(json.dumps(record, default=str))


def check_record(folder: Path, record: Mapping[str, Any], has_results: bool) -> None:
    """Refuse to add to results that something else has made.

    Raises:
        ResultsError: They were made otherwise, or it is not known how.
    """
    if not has_results:
        return
    advice = "--force replaces them, another --tracker_path keeps them"
    path = folder / RECORD
    if not path.is_file():
        raise ResultsError(
            f"{folder}: has results but no {RECORD} that says how they were made; {advice}"
        )
    found = read_json(path, ResultsError, f"the record of a run; {advice}")
    before, now = _flatten(found), _flatten(record)
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            raise ResultsError(
                f"{folder}: its results were made with {one_line(name)[:80]} "
                f"{_short(before.get(name))}, "
                f"this run has {_short(now.get(name))}; {advice}"
            )


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write the record, atomically.

    Raises:
        OSError: The folder cannot be made or written.
    """
    with atomic_write(folder / RECORD) as file:
        json.dump(record, file, indent=1)
        file.write("\n")


def _factory_name(spec: TrackerSpec) -> str:
    if isinstance(spec.factory, str):
        return spec.factory
    kind = spec.factory if hasattr(spec.factory, "__qualname__") else type(spec.factory)
    return f"{kind.__module__}:{kind.__qualname__}"


def _describe_value(value: Any) -> Any:
    if isinstance(value, str | os.PathLike) and os.path.isfile(value):
        return {"sha256": hashlib.sha256(Path(value).read_bytes()).hexdigest()}
    return value


def _flatten(record: Any, name: str = "") -> dict[str, Any]:
    """Nested mappings as one, with names such as options.weights.sha256."""
    if not isinstance(record, Mapping):
        return {name: record}
    flat: dict[str, Any] = {}
    for key, value in record.items():
        flat.update(_flatten(value, f"{name}.{key}" if name else str(key)))
    return flat


def _short(value: Any) -> str:
    return "nothing" if value is None else one_line(value)[:40]
