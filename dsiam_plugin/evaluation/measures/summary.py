"""Scores of a one-pass evaluation as plain data: by tracker, by attribute, by sequence."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from dsiam_plugin.evaluation.measures.metrics import PRECISION_INDEX
from dsiam_plugin.evaluation.measures.result_tables import (
    Curves,
    CurvesByTracker,
    precision_score,
    success_score,
)

Scores = dict[str, Any]  # "success", "precision", "norm_precision", "sequences"


def ope_summary(
    dataset: Any,
    success: CurvesByTracker,
    precision: CurvesByTracker,
    norm_precision: CurvesByTracker,
) -> dict[str, Any]:
    """Everything a one-pass evaluation says, ready for JSON.

    Args:
        dataset: The data set evaluated.
        success: From `OPEBenchmark.eval_success`.
        precision: From `OPEBenchmark.eval_precision`, of the same trackers.
        norm_precision: From `OPEBenchmark.eval_norm_precision`, of the same trackers.

    Returns:
        {"dataset": name, "trackers": {tracker: {"success", "precision", "norm_precision",
        "sequences", "missing", "attributes": {attribute: scores}, "videos": {sequence:
        scores}}}}. Scores without a sequence are None.
    """
    return {
        "dataset": dataset.name,
        "trackers": {
            tracker: _tracker_summary(
                dataset, success[tracker], precision[tracker], norm_precision[tracker]
            )
            for tracker in success
        },
    }


def attribute_scores(
    dataset: Any, success: Curves, precision: Curves, norm_precision: Curves
) -> dict[str, Scores]:
    """Scores of one tracker on the sequences of each attribute; "ALL" is left out.

    Args:
        dataset: The data set, with `attr`: attribute to names of sequences.
        success: Sequence to curve.
        precision: Of the same sequences.
        norm_precision: Of the same sequences.

    Returns:
        Attribute to {"success", "precision", "norm_precision", "sequences"}; "sequences" counts
        those evaluated, scores are None where it is 0.
    """
    attributes = getattr(dataset, "attr", None) or {}
    return {
        attribute: _scores(videos, success, precision, norm_precision)
        for attribute, videos in attributes.items()
        if attribute != "ALL"
    }


def _tracker_summary(
    dataset: Any, success: Curves, precision: Curves, norm_precision: Curves
) -> dict[str, Any]:
    names = [video.name for video in dataset]
    return {
        **_scores(names, success, precision, norm_precision),
        "missing": [name for name in names if name not in success],
        "attributes": attribute_scores(dataset, success, precision, norm_precision),
        "videos": {
            name: {
                "success": float(np.mean(success[name])),
                "precision": float(precision[name][PRECISION_INDEX]),
                "norm_precision": float(norm_precision[name][PRECISION_INDEX]),
            }
            for name in names
            if name in success
        },
    }


def _scores(
    names: Collection[str], success: Curves, precision: Curves, norm_precision: Curves
) -> Scores:
    """Means over the named sequences that were evaluated."""
    found = [name for name in names if name in success]
    if not found:
        return {"success": None, "precision": None, "norm_precision": None, "sequences": 0}
    return {
        "success": success_score(_chosen(success, found)),
        "precision": precision_score(_chosen(precision, found)),
        "norm_precision": precision_score(_chosen(norm_precision, found)),
        "sequences": len(found),
    }


def _chosen(curves: Curves, names: Collection[str]) -> Mapping[str, np.ndarray]:
    return {name: curves[name] for name in names}
