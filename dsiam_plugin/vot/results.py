"""Results in a workspace of the VOT toolkit: whether they are complete, current, and what they say.

``vot evaluate`` exits 0 even when a tracker dies, and keeps results that other weights gave; so
both are checked here, from the files alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dsiam_plugin.errors import VOTError
from dsiam_plugin.io.files import write_text
from dsiam_plugin.vot.workspace import CONFIG, sequence_names

# The toolkit stops repeating after this many equal runs.
EQUAL_RUNS = 3
WHOLE_SEQUENCES = ("supervised", "unsupervised")
ACCURACY_ROBUSTNESS = "AverageAccuracyRobustness"
EAO = "EAOScore"
LOG_TAIL = 20  # lines: a traceback and the request before it
RECORDS = Path("cache", "dsiam")  # what gave the results, and results set aside


@dataclass(frozen=True)
class Experiment:
    """One experiment of a workspace's stack.

    Attributes:
        name: Its folder under each tracker's results.
        repetitions: Runs of each sequence.
    """

    name: str
    repetitions: int


@dataclass(frozen=True)
class Score:
    """What a supervised experiment says of a tracker.

    Attributes:
        tracker: Name.
        accuracy: Mean overlap while tracking, in [0, 1].
        robustness: Failures a sequence, weighted by length; lower is better.
        eao: Expected average overlap, in [0, 1]; NaN where no run is long enough.
        fps: Frames a second of the tracker's replies, initialisations included.
    """

    tracker: str
    accuracy: float
    robustness: float
    eao: float
    fps: float


def sequences_folder(workspace: Path) -> Path:
    """Folder of the workspace's sequences."""
    return workspace / _load_yaml(workspace / CONFIG).get("sequences", "sequences")


def experiments(workspace: Path) -> list[Experiment]:
    """The experiments of the workspace's stack that run whole sequences.

    Raises:
        VOTError: The workspace or its stack cannot be read, or has no such experiment.
    """
    stack = _load_yaml(workspace / CONFIG).get("stack")
    if isinstance(stack, str):
        stack = _load_yaml(_stack_file(workspace, stack))
    listed = stack.get("experiments", {}) if isinstance(stack, Mapping) else {}
    found = [
        Experiment(name, int(settings.get("repetitions", 1)))
        for name, settings in listed.items()
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
    logs = sorted((workspace / "logs").glob(f"{tracker}_[0-9]*.log"))
    if not logs:
        return f"no log of it in {workspace / 'logs'}; run 'vot --debug evaluate {tracker}'"
    lines = logs[-1].read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join([f"{logs[-1]}:", *lines[-LOG_TAIL:]])


def set_aside_outdated(workspace: Path, tracker: str, settings: Mapping[str, Any]) -> Path | None:
    """Moves away results that other settings gave, so that the toolkit runs the tracker again.

    Args:
        workspace: Its folder.
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
    try:
        document = json.loads(analysis.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise VOTError(f"{analysis}: {error}; expected the JSON of 'vot analysis'") from error
    order = list(document.get("trackers", {}))
    for name, experiment in document.get("results", {}).items():
        tables = _tables(experiment)
        if ACCURACY_ROBUSTNESS in tables and EAO in tables and set(trackers) <= set(order):
            return _rank(
                Score(
                    tracker,
                    float(tables[ACCURACY_ROBUSTNESS][order.index(tracker)][0]),
                    float(tables[ACCURACY_ROBUSTNESS][order.index(tracker)][1]),
                    float(tables[EAO][order.index(tracker)][0]),
                    frame_rate(workspace / "results" / tracker / name),
                )
                for tracker in trackers
            )
    raise VOTError(f"{analysis}: expected a supervised experiment with {' and '.join(trackers)}")


def frame_rate(results: Path) -> float:
    """Frames a second over all ``_time.value`` files below a folder; NaN without any."""
    seconds = [
        float(line)
        for path in results.glob("*/*_time.value")
        for line in path.read_text(encoding="utf-8").split()
    ]
    return len(seconds) / sum(seconds) if seconds else math.nan


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
    return dict(zip(names, experiment["results"], strict=True))


def _load_yaml(path: Path) -> dict[str, Any]:
    """A YAML file with a mapping."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise VOTError(f"{path}: {reason}; expected a file of the VOT toolkit") from error
    if not isinstance(document, dict):
        raise VOTError(f"{path}: holds no mapping; expected a file of the VOT toolkit")
    return document


def _stack_file(workspace: Path, name: str) -> Path:
    """A stack beside the configuration, or one that the toolkit brings."""
    local = workspace / name
    if local.is_file():
        return local
    from vot.stack import resolve_stack

    found = resolve_stack(name)
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
