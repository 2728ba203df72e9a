"""Mean scores of a tracker, of an attribute's sequences and of a sequence.

The one place where curves, overlaps and losses become scores: tables, plots and files show these
numbers and compute none of their own. An entry holds the scores of one tracker as the JSON file
has them: measures, "sequences" (how many were evaluated), "attributes" and "videos", which hold
measures by name. A score that nothing was evaluated for is NaN.
"""

from collections.abc import Collection, Mapping
from itertools import chain
from typing import Any

import numpy as np

from dsiam_plugin.evaluation.measures.longterm_metrics import f_measure
from dsiam_plugin.evaluation.measures.metrics import PRECISION_INDEX

Curves = Mapping[str, np.ndarray]  # sequence to curve
CurvesByTracker = dict[str, dict[str, np.ndarray]]
AccuracyRobustness = dict[str, dict[str, list]]  # "overlaps", "failures" to sequence to values
EAOByTag = dict[str, float]
LongTerm = dict[str, dict[str, np.ndarray]]  # "precision", "recall", "f1" to sequence to curve
Scores = dict[str, float]
Entry = dict[str, Any]

NAN = float("nan")
WHOLE = "ALL"  # pysot's attribute that every sequence has


def mean_curve(curves: Curves) -> np.ndarray:
    """Mean curve over the sequences, each with the same weight; at least one sequence."""
    return np.mean(list(curves.values()), axis=0)


def success_score(curves: Curves) -> float:
    """Area under the mean success curve; NaN without sequences."""
    return float(mean_curve(curves).mean()) if curves else NAN


def precision_score(curves: Curves) -> float:
    """Mean precision at 20 px, or the normalised one at 0.20; NaN without sequences."""
    return float(mean_curve(curves)[PRECISION_INDEX]) if curves else NAN


ONE_PASS_SCORES = {
    "success": success_score,
    "precision": precision_score,
    "norm_precision": precision_score,
}


def one_pass_entry(dataset: Any, curves: Mapping[str, Curves]) -> Entry:
    """Entry of a tracker that ran each sequence once.

    Args:
        dataset: The data set, with `attr`: attribute to names of sequences.
        curves: Measure to sequence to curve, of any of "success", "precision", "norm_precision"
            and the same sequences each.
    """
    attributes = getattr(dataset, "attr", None) or {}
    names = [video.name for video in dataset]
    return {
        **_one_pass_scores(curves, names),
        "attributes": {
            code: _one_pass_scores(curves, videos)
            for code, videos in attributes.items()
            if code != WHOLE
        },
        "videos": {
            name: _without_count(_one_pass_scores(curves, [name]))
            for name in names
            if name in next(iter(curves.values()))
        },
    }


def _one_pass_scores(curves: Mapping[str, Curves], names: Collection[str]) -> Scores:
    """Means over the named sequences that were evaluated, and how many those are."""
    found = {
        measure: {name: of_measure[name] for name in names if name in of_measure}
        for measure, of_measure in curves.items()
    }
    scores = {measure: ONE_PASS_SCORES[measure](chosen) for measure, chosen in found.items()}
    return {**scores, "sequences": len(next(iter(found.values())))}


def accuracy_robustness_scores(result: AccuracyRobustness) -> tuple[float, float, float]:
    """Accuracy, robustness and losses of a tracker, from `AccuracyRobustnessBenchmark.eval`.

    Returns:
        With pysot's definition: mean overlap of all frames that count, losses a hundred frames,
        losses in all sequences. With the VOT toolkit's: mean overlap of a sequence and losses in
        a sequence, both weighted by the sequences' lengths, losses in all sequences. Losses are
        means over the repetitions. NaN without sequences.
    """
    if not result["overlaps"]:
        return NAN, NAN, NAN
    losses = {name: float(np.mean(counts)) for name, counts in result["failures"].items()}
    lost = sum(losses.values())
    lengths = {name: len(overlaps) for name, overlaps in result["overlaps"].items()}
    if "accuracy" in result:
        weights = list(lengths.values())
        of_sequences = [np.mean(result["accuracy"][name]) for name in lengths]
        accuracy = float(np.average(of_sequences, weights=weights))
        return (
            accuracy,
            float(np.average([losses[name] for name in lengths], weights=weights)),
            lost,
        )
    overlaps = np.fromiter(chain.from_iterable(result["overlaps"].values()), dtype=float)
    known = overlaps[~np.isnan(overlaps)]
    accuracy = float(known.mean()) if len(known) else NAN
    return accuracy, lost / len(overlaps) * 100, lost


def restart_entry(result: AccuracyRobustness, eao: EAOByTag | None = None) -> Entry:
    """Entry of a tracker that was started anew after each loss.

    Args:
        result: From `AccuracyRobustnessBenchmark.eval`.
        eao: From `EAOBenchmark.eval`, its first tag weighing every frame alike; None for none.
    """
    tags = list(eao or {})
    return {
        **_restart_scores(result),
        "eao": eao[tags[0]] if eao else NAN,
        "sequences": len(result["overlaps"]),
        "attributes": {tag: {"eao": eao[tag]} for tag in tags[1:]} if eao else {},
        "videos": {
            name: _restart_scores({kind: {name: of[name]} for kind, of in result.items()})
            for name in result["overlaps"]
        },
    }


def _restart_scores(result: AccuracyRobustness) -> Scores:
    names = ("accuracy", "robustness", "lost")
    return dict(zip(names, accuracy_robustness_scores(result), strict=True))


def best_f1(precision: np.ndarray, recall: np.ndarray) -> int:
    """Index of the confidence threshold where F is largest; 0 where F is defined nowhere."""
    return int(np.argmax(np.nan_to_num(f_measure(precision, recall), nan=-1.0)))


def f1_scores(result: LongTerm) -> tuple[float, float, float]:
    """Precision, recall and F-measure at the threshold where the mean curves' F is largest."""
    if not result["precision"]:
        return NAN, NAN, NAN
    precision, recall = mean_curve(result["precision"]), mean_curve(result["recall"])
    best = best_f1(precision, recall)
    at_best = precision[best : best + 1], recall[best : best + 1]
    return float(precision[best]), float(recall[best]), float(f_measure(*at_best)[0])


def long_term_entry(result: LongTerm) -> Entry:
    """Entry of a tracker with confidences; a sequence's scores are at its own best threshold."""
    videos = {
        name: _long_term_scores({kind: {name: of[name]} for kind, of in result.items()})
        for name in result["precision"]
    }
    return {**_long_term_scores(result), "sequences": len(videos), "videos": videos}


def _long_term_scores(result: LongTerm) -> Scores:
    return dict(zip(("precision", "recall", "f1"), f1_scores(result), strict=True))


def _without_count(scores: Scores) -> Scores:
    return {measure: score for measure, score in scores.items() if measure != "sequences"}
