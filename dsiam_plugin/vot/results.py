"""Results in a workspace of the VOT toolkit: complete or not, current or not, and their scores.

``vot evaluate`` exits 0 even when a tracker dies, and keeps results that other weights gave; so
both are checked here, from the files alone.
"""

import glob
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsiam_plugin.errors import VOTError
from dsiam_plugin.io.files import write_text
from dsiam_plugin.io.messages import fail
from dsiam_plugin.io.parsing import read_json, read_yaml
from dsiam_plugin.io.shapes import check_shape
from dsiam_plugin.io.versions import import_optional
from dsiam_plugin.vot.workspace import CONFIG, REGISTRY, sequence_names

# The toolkit stops repeating after this many equal runs.
EQUAL_RUNS = 3
WHOLE_SEQUENCES = ("supervised", "unsupervised")
ACCURACY_ROBUSTNESS = "AverageAccuracyRobustness"
EAO = "EAOScore"
LOG_TAIL = 20  # lines: a traceback and the request before it
RECORDS = Path("cache", "dsiam")  # what gave the results, and results set aside

# What is relied on in the toolkit's files; see `io.shapes`.
EXPECTED = "a file of the VOT toolkit"
CONFIG_SHAPE = {
    "stack?": (str, dict, None),
    "sequences?": str,
    "registry?": ([str], str, None),
}
STACK_SHAPE = {"experiments?": {str: {"type?": str, "repetitions?": int}}}
ANALYSIS_SHAPE = {
    "trackers": (dict, [str]),
    "results": {str: {"parameters": {"analyses": [{"type": str}]}, "results": list}},
}


@dataclass(frozen=True)
class Experiment:
    """One experiment of a workspace's stack."""

    name: str
    repetitions: int


@dataclass(frozen=True)
class Score:
    """One tracker's scores in a supervised experiment."""

    tracker: str  # name
    accuracy: float  # mean overlap while tracking, in [0, 1]
    robustness: float  # failures a sequence, weighted by length; lower is better
    eao: float  # expected average overlap, in [0, 1]; NaN where no run is long enough
    fps: float  # frames a second of the tracker's replies, initialisations included


def sequences_folder(workspace: Path) -> Path:
    """Folder of the workspace's sequences."""
    return workspace / _configuration(workspace).get("sequences", "sequences")


def registry_files(workspace: Path) -> list[Path]:
    """The registries of trackers that the workspace names and that are there."""
    named = _configuration(workspace).get("registry") or []
    paths = [workspace / name for name in ([named] if isinstance(named, str) else named)]
    files = [path / REGISTRY if path.is_dir() else path for path in paths]
    return [path for path in files if path.is_file()]


def experiments(workspace: Path) -> list[Experiment]:
    """The experiments of the workspace's stack that run whole sequences.

    Raises:
        VOTError: The workspace or its stack cannot be read, or has no such experiment.
    """
    stack, source = _configuration(workspace).get("stack") or {}, workspace / CONFIG
    if isinstance(stack, str):
        source = _stack_file(workspace, stack)
        stack = read_yaml(source, VOTError, EXPECTED)
    check_shape(stack, STACK_SHAPE, source, VOTError, EXPECTED)
    found = [
        Experiment(name, max(1, settings.get("repetitions", 1)))
        for name, settings in stack.get("experiments", {}).items()
        if settings.get("type") in WHOLE_SEQUENCES
    ]
    if not found:
        kinds = " or ".join(WHOLE_SEQUENCES)
        raise VOTError(f"{workspace / CONFIG}: its stack has no experiment; expected a {kinds} one")
    return found


def missing_sequences(workspace: Path, tracker: str) -> list[str]:
    """``experiment/sequence`` of all that lack a trajectory.

    Three runs count as complete whatever the repetitions, as trackers that repeat exactly stop
    there.
    """
    names = sequence_names(sequences_folder(workspace))
    missing = []
    for experiment in experiments(workspace):
        enough = min(experiment.repetitions, EQUAL_RUNS)
        for sequence in map(_basename, names):
            folder = workspace / "results" / tracker / experiment.name / sequence
            runs = [folder / f"{sequence}_{run:03d}" for run in range(1, enough + 1)]
            if not all(_trajectory_exists(run) for run in runs):
                missing.append(f"{experiment.name}/{sequence}")
    return missing


def log_tail(workspace: Path, tracker: str) -> str:
    """Name and last lines of the newest log that VOT wrote for the tracker."""
    logs = sorted((workspace / "logs").glob(f"{glob.escape(tracker)}_[0-9]*.log"))
    if not logs:
        return f"no log of it in {workspace / 'logs'}; run 'vot --debug evaluate {tracker}'"
    lines = logs[-1].read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join([f"{logs[-1]}:", *lines[-LOG_TAIL:]])


def set_aside_outdated(workspace: Path, tracker: str, settings: Mapping[str, Any]) -> Path | None:
    """Moves away results that other settings gave, so that the toolkit runs the tracker again.

    Args:
        workspace: The workspace's folder.
        tracker: Name.
        settings: All that the results depend on, as JSON takes it. Recorded for the next call.

    Returns:
        Where earlier results were moved, or None where they are current or absent.
    """
    record = workspace / RECORDS / f"{tracker}.json"
    results = workspace / "results" / tracker
    text = json.dumps(settings, indent=1, sort_keys=True) + "\n"
    current = record.is_file() and record.read_text(encoding="utf-8") == text
    moved = None
    if results.is_dir() and not current:
        moved = _free_name(workspace / RECORDS / "outdated" / tracker)
        moved.parent.mkdir(parents=True, exist_ok=True)
        results.rename(moved)
    write_text(record, text)
    return moved


def read_scores(workspace: Path, analysis: Path, trackers: Sequence[str]) -> list[Score]:
    """Scores from a JSON file of ``vot analysis``, the best EAO first.

    Raises:
        VOTError: The file is no analysis of these trackers in a supervised experiment.
    """
    from dsiam_plugin.evaluation.results.files import frames_per_second  # loads NumPy

    document = read_json(analysis, VOTError, "the JSON of 'vot analysis'", ANALYSIS_SHAPE)
    order = list(document["trackers"])
    for name, experiment in document["results"].items():
        tables = _tables(experiment)
        if ACCURACY_ROBUSTNESS in tables and EAO in tables and set(trackers) <= set(order):
            return _rank(
                Score(
                    tracker,
                    _number(analysis, tables[ACCURACY_ROBUSTNESS], order.index(tracker), 0),
                    _number(analysis, tables[ACCURACY_ROBUSTNESS], order.index(tracker), 1),
                    _number(analysis, tables[EAO], order.index(tracker), 0),
                    frames_per_second(workspace / "results" / tracker / name),
                )
                for tracker in trackers
            )
    raise VOTError(f"{analysis}: expected a supervised experiment with {' and '.join(trackers)}")


def score_table(scores: Sequence[Score]) -> str:
    """Lines of text: accuracy, robustness (failures a sequence), EAO and frames a second."""
    width = max(len("tracker"), *(len(score.tracker) for score in scores))
    head = f"{'tracker':{width}}  accuracy  robustness    EAO    fps"
    rows = [
        f"{score.tracker:{width}}  {score.accuracy:8.3f}  {score.robustness:10.2f}"
        f"  {score.eao:5.3f}  {score.fps:5.1f}"
        for score in scores
    ]
    return "\n".join([head, *rows])


def _rank(scores: Iterable[Score]) -> list[Score]:
    """By falling EAO, undefined ones last."""
    return sorted(scores, key=lambda score: (math.isnan(score.eao), -score.eao))


def _tables(experiment: Mapping[str, Any]) -> dict[str, Any]:
    """Class name of each analysis to its table, one row a tracker."""
    names = [
        analysis["type"].rpartition(".")[2] for analysis in experiment["parameters"]["analyses"]
    ]
    return dict(zip(names, experiment["results"], strict=False))


def _number(analysis: Path, table: Any, row: int, column: int) -> float:
    """One number of an analysis' table."""
    try:
        return float(table[row][column])
    except (TypeError, ValueError, LookupError, OverflowError) as error:
        fail(VOTError, analysis, f"row {row + 1} of a table: {error}", "a row of numbers a tracker")


def _configuration(workspace: Path) -> dict[str, Any]:
    """The workspace's ``config.yaml``."""
    return read_yaml(workspace / CONFIG, VOTError, EXPECTED, CONFIG_SHAPE)


def _stack_file(workspace: Path, name: str) -> Path:
    """A stack beside the configuration, or one that the toolkit brings."""
    local = workspace / name
    if local.is_file():
        return local
    found = import_optional("vot.stack", "vot").resolve_stack(name)
    if found is None:
        raise VOTError(f"{workspace / CONFIG}: stack {name!r} not found")
    return Path(found)


def _trajectory_exists(run: Path) -> bool:
    return any(run.with_name(run.name + suffix).is_file() for suffix in (".txt", ".bin"))


def _basename(name: str) -> str:
    """Sequence name of an entry of ``list.txt``, which may be a path."""
    return Path(name).name


def _free_name(path: Path) -> Path:
    """``path-1`` or the next number that is free."""
    number = 1
    while (candidate := path.with_name(f"{path.name}-{number}")).exists():
        number += 1
    return candidate
