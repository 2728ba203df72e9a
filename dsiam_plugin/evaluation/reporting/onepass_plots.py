"""The plots of one-pass evaluation: curves of the set and of each attribute, and the overview."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.reporting.evaluation import title_of
from dsiam_plugin.evaluation.visualization import draw_success_precision
from dsiam_plugin.evaluation.visualization.attribute_names import in_order
from dsiam_plugin.evaluation.visualization.attributes import draw_attributes

Curves = Mapping[str, Mapping[str, np.ndarray]]  # tracker -> video -> curve

MEASURES = {"success": "Success", "precision": "Precision", "norm_precision": "Norm precision"}
WHOLE = "ALL"


def attributes_of(dataset: Dataset) -> dict[str, list[str]]:
    """Attribute -> its videos, the whole set first, then in the benchmark's order."""
    return {code: list(dataset.attr[code]) for code in in_order(dataset.attr, first=WHOLE)}


def draw_one_pass(
    folder: Path,
    dataset: Dataset,
    curves: Mapping[str, Curves],
    summary: Mapping[str, Any],
    names: Mapping[str, str],
    protocol: str = "OPE",
) -> dict[str, Path]:
    """The curves of the whole set, the attributes' overview, the curves of each attribute.

    Args:
        folder: Where the plots go.
        dataset: The data set.
        curves: Measure -> tracker -> video -> curve.
        summary: The scores as in the JSON.
        names: Tracker -> its name with its gaps.
        protocol: For the titles.

    Returns:
        Title -> PNG file, in the order of a report.
    """
    attributes = attributes_of(dataset)
    draw = partial(_draw_curves, folder, dataset, curves, protocol)
    pictures = draw(WHOLE, attributes.pop(WHOLE), normalized=True)
    if attributes:
        pictures |= _draw_overview(folder, dataset, summary, names)
    for attribute, videos in attributes.items():
        pictures |= draw(attribute, videos, normalized=False)
    return pictures


def _draw_overview(
    folder: Path, dataset: Dataset, summary: Mapping[str, Any], names: Mapping[str, str]
) -> dict[str, Path]:
    """Radar and bars of the success by attribute."""
    success = {
        tracker: {
            code: math.nan if scores["success"] is None else scores["success"]
            for code, scores in {WHOLE: entry, **entry["attributes"]}.items()
        }
        for tracker, entry in summary["trackers"].items()
    }
    sizes = {attribute: len(videos) for attribute, videos in attributes_of(dataset).items()}
    title = title_of(dataset)
    kinds = draw_attributes(success, title, sizes, labels=names, path=folder)
    return {f"Attributes, {kind}": folder / f"{title}_attributes_{kind}.png" for kind in kinds}


def _draw_curves(
    folder: Path,
    dataset: Dataset,
    curves: Mapping[str, Curves],
    protocol: str,
    attribute: str,
    videos: Sequence[str],
    normalized: bool,
) -> dict[str, Path]:
    """Success and precision of one set of videos, and the normalised precision if asked for."""
    figures = draw_success_precision(
        curves["success"],
        title_of(dataset),
        videos,
        attribute,
        curves["precision"],
        curves["norm_precision"] if normalized else None,
        path=folder,
        protocol=protocol,
    )
    return {
        f"{MEASURES[measure]}, {attribute}": folder
        / f"{title_of(dataset)}_{measure}_{attribute}.png"
        for measure in figures
    }
