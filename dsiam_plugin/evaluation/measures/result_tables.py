"""Scores of trackers from benchmark results, and the tables pysot prints of them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from dsiam_plugin.evaluation.measures.base import Coverage, coverage_of
from dsiam_plugin.evaluation.measures.longterm_metrics import f_measure
from dsiam_plugin.evaluation.measures.metrics import PRECISION_INDEX
from dsiam_plugin.io.tables import Cell, Table, ranked, tracker_label

Curves = Mapping[str, np.ndarray]  # sequence to curve
CurvesByTracker = dict[str, dict[str, np.ndarray]]
AccuracyRobustness = dict[str, dict[str, list]]  # "overlaps", "failures" to sequence to values
EAOByTag = dict[str, float]
LongTerm = dict[str, dict[str, np.ndarray]]  # "precision", "recall", "f1" to sequence to curve

SHOWN_TRACKERS = 20


def success_score(curves: Curves) -> float:
    """Area under the mean success curve; NaN without sequences."""
    return float(np.mean(list(curves.values()))) if curves else float("nan")


def precision_score(curves: Curves) -> float:
    """The mean precision curve at 20 px, or the normalised one at 0.20; NaN without sequences."""
    if not curves:
        return float("nan")
    return float(np.mean([curve[PRECISION_INDEX] for curve in curves.values()]))


def accuracy_robustness_scores(result: AccuracyRobustness) -> tuple[float, float, float]:
    """Accuracy, robustness and losses of a tracker, from `AccuracyRobustnessBenchmark.eval`.

    Returns:
        Mean overlap of all frames that count; losses a hundred frames; losses in all sequences.
        Losses are means over the repetitions. NaN without sequences.
    """
    overlaps = np.fromiter(chain.from_iterable(result["overlaps"].values()), dtype=float)
    known = overlaps[~np.isnan(overlaps)]
    if len(overlaps) == 0:
        return float("nan"), float("nan"), float("nan")
    lost = float(sum(np.mean(losses) for losses in result["failures"].values()))
    accuracy = float(known.mean()) if len(known) else float("nan")
    return accuracy, lost / len(overlaps) * 100, lost


def f1_scores(result: LongTerm) -> tuple[float, float, float]:
    """Precision, recall and F-measure at the threshold where the mean curves' F is largest."""
    if not result["precision"]:
        return float("nan"), float("nan"), float("nan")
    precision = np.mean(list(result["precision"].values()), axis=0)
    recall = np.mean(list(result["recall"].values()), axis=0)
    return _best(precision, recall, f_measure(precision, recall))


def ope_table(
    dataset: Any,
    success: CurvesByTracker,
    precision: CurvesByTracker | None = None,
    norm_precision: CurvesByTracker | None = None,
) -> Table:
    """One row a tracker, best success first; trackers with missing sequences are marked."""
    scores = {tracker: success_score(curves) for tracker, curves in success.items()}
    rows = [
        (
            _label(tracker, success[tracker], dataset),
            scores[tracker],
            precision_score(norm_precision[tracker]) if norm_precision else None,
            precision_score(precision[tracker]) if precision else None,
        )
        for tracker in ranked(scores)[:SHOWN_TRACKERS]
    ]
    columns = ("Tracker name", "Success", "Norm Precision", "Precision")
    return Table(dataset.name, columns, tuple(rows), note=_gap_note(success, dataset))


def ope_video_table(
    success: CurvesByTracker, precision: CurvesByTracker, low: float = 0.6
) -> Table:
    """One row a sequence: mean of the success curve and precision at 20 px of every tracker."""
    columns = ["Video name"]
    for tracker in success:
        columns += [f"{tracker} success", f"{tracker} precision"]
    rows = []
    for video in _in_order(success.values()):
        row: list = [video]
        for tracker, curves in success.items():
            row.append(float(np.mean(curves[video])) if video in curves else None)
            at_threshold = precision[tracker].get(video)
            row.append(None if at_threshold is None else float(at_threshold[PRECISION_INDEX]))
        rows.append(tuple(row))
    return Table("", tuple(columns), tuple(rows), low=low)


def accuracy_robustness_table(
    dataset: Any,
    result: Mapping[str, AccuracyRobustness],
    eao: Mapping[str, EAOByTag] | None = None,
    eao_note: str = "",
) -> Table:
    """One row a tracker, by EAO where it is given; trackers with missing sequences are marked.

    Args:
        dataset: The data set evaluated.
        result: From `AccuracyRobustnessBenchmark.eval`.
        eao: From `EAOBenchmark.eval`, or None.
        eao_note: Which definition the EAO has, `EAOBenchmark.describe()`.
    """
    columns: tuple[str, ...] = ("Tracker Name", "Accuracy", "Robustness", "Lost Number")
    names = list(result)
    if eao is not None:
        columns += ("EAO",)
        names = ranked({tracker: scores["all"] for tracker, scores in eao.items()})
    rows = [
        (
            _label(tracker, result[tracker]["overlaps"], dataset),
            *accuracy_robustness_scores(result[tracker]),
            *((eao[tracker]["all"],) if eao is not None else ()),
        )
        for tracker in names[:SHOWN_TRACKERS]
    ]
    overlaps = {tracker: result[tracker]["overlaps"] for tracker in names}
    note = _joined(eao_note if eao is not None else "", _gap_note(overlaps, dataset))
    return Table(dataset.name, columns, tuple(rows), note=note)


def accuracy_robustness_video_table(
    result: Mapping[str, AccuracyRobustness], low: float = 0.5
) -> Table:
    """One row a sequence: accuracy and mean losses of every tracker."""
    columns = ["Video name"]
    for tracker in result:
        columns += [f"{tracker} Acc", f"{tracker} LN"]
    rows = []
    for video in _in_order([measures["overlaps"] for measures in result.values()]):
        row: list = [video]
        for measures in result.values():
            single = {kind: _only(values, video) for kind, values in measures.items()}
            accuracy, _, lost = accuracy_robustness_scores(single)
            row += [accuracy, f"{lost:.3f}" if single["overlaps"] else None]
        rows.append(tuple(row))
    return Table("", tuple(columns), tuple(rows), low=low)


def eao_table(
    dataset: Any,
    result: Mapping[str, EAOByTag],
    tags: Sequence[str],
    topk: int,
    note: str,
    coverage: Callable[[str], Coverage],
) -> Table:
    """One row a tracker, best first, one column a tag; the note names the definition."""
    scores = {tracker: by_tag[tags[0]] for tracker, by_tag in result.items()}
    rows: list[tuple[Cell, ...]] = []
    for tracker in ranked(scores)[:topk]:
        found = coverage(tracker)
        label = tracker_label(tracker, found.found, found.total)
        rows.append((label, *(result[tracker][tag] for tag in tags)))
    columns = ("Tracker Name", *(("EAO",) if list(tags) == ["all"] else tags))
    return Table(dataset.name, columns, tuple(rows), note=note)


def f1_table(dataset: Any, result: Mapping[str, LongTerm]) -> Table:
    """One row a tracker, best F-measure first; trackers with missing sequences are marked."""
    scores = {tracker: f1_scores(measures) for tracker, measures in result.items()}
    precision = {tracker: measures["precision"] for tracker, measures in result.items()}
    rows = [
        (_label(tracker, precision[tracker], dataset), *scores[tracker])
        for tracker in ranked({name: values[2] for name, values in scores.items()})
    ]
    columns = ("Tracker Name", "Precision", "Recall", "F1")
    note = _gap_note(precision, dataset)
    return Table(dataset.name, columns, tuple(rows[:SHOWN_TRACKERS]), note=note)


def f1_video_table(result: Mapping[str, LongTerm], low: float = 0.5) -> Table:
    """One row a sequence: precision, recall and F-measure at each sequence's best threshold."""
    columns = ["Video name"]
    for tracker in result:
        columns += [f"{tracker} {name}" for name in ("Precision", "Recall", "F1")]
    rows = []
    for video in _in_order([measures["precision"] for measures in result.values()]):
        row: list = [video]
        for measures in result.values():
            curves = [measures[kind].get(video) for kind in ("precision", "recall", "f1")]
            row += [None] * 3 if curves[0] is None else _best(*curves)
        rows.append(tuple(row))
    return Table("", tuple(columns), tuple(rows), low=low)


def _best(precision: np.ndarray, recall: np.ndarray, f1: np.ndarray) -> tuple[float, float, float]:
    """The three measures where the F-measure is largest."""
    best = int(np.argmax(f1))
    return float(precision[best]), float(recall[best]), float(f1[best])


def _label(tracker: str, evaluated: Collection[str], dataset: Any) -> str:
    coverage = coverage_of(evaluated, dataset)
    return tracker_label(tracker, coverage.found, coverage.total)


def _gap_note(results: Mapping[str, Collection[str]], dataset: Any) -> str:
    """A line a tracker with missing sequences, naming up to five of them."""
    lines = []
    for tracker, evaluated in results.items():
        missing = list(coverage_of(evaluated, dataset).gaps)
        if missing:
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            lines.append(f"{tracker} has no usable result for {', '.join(missing[:5])}{more}")
    return "\n".join(lines)


def _joined(*notes: str) -> str:
    return "\n".join(note for note in notes if note)


def _in_order(by_tracker: Collection[Collection[str]]) -> list[str]:
    """Every sequence that any tracker has, each once, in the order met."""
    return list(dict.fromkeys(chain.from_iterable(by_tracker)))


def _only(values: Mapping[str, list], video: str) -> dict[str, list]:
    return {video: values[video]} if video in values else {}
