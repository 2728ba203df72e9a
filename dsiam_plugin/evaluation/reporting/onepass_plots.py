"""The plots of one-pass evaluation: curves of the set and of each attribute, and the overview."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.measures.result_tables import ONE_PASS, Entries, Names
from dsiam_plugin.evaluation.measures.summary import WHOLE
from dsiam_plugin.evaluation.reporting.evaluation import title_of
from dsiam_plugin.evaluation.visualization import draw_success_precision
from dsiam_plugin.evaluation.visualization.attribute_names import in_order
from dsiam_plugin.evaluation.visualization.attributes import draw_attributes
from dsiam_plugin.evaluation.visualization.figures import plot_path

Curves = Mapping[str, Mapping[str, np.ndarray]]  # tracker -> video -> curve


def attributes_of(dataset: Dataset) -> dict[str, list[str]]:
    """Attribute -> its videos, the whole set first, then in the benchmark's order."""
    return {code: list(dataset.attr[code]) for code in in_order(dataset.attr, first=WHOLE)}


def draw_one_pass(
    folder: Path,
    dataset: Dataset,
    curves: Mapping[str, Curves],
    entries: Entries,
    names: Names,
    protocol: str = "OPE",
) -> dict[str, Path]:
    """The curves of the whole set, the attributes' overview, the curves of each attribute.

    Args:
        folder: Where the plots go.
        dataset: The data set.
        curves: Measure -> tracker -> video -> curve.
        entries: The scores.
        names: Tracker -> its name with its gaps.
        protocol: For the titles.

    Returns:
        Title -> PNG file, in the order of a report.
    """
    attributes = attributes_of(dataset)
    draw = partial(draw_measures, folder, dataset, curves, protocol)
    pictures = draw(WHOLE, attributes.pop(WHOLE), normalized=True)
    if attributes:
        pictures |= draw_overview(folder, dataset, entries, names)
    for attribute, videos in attributes.items():
        pictures |= draw(attribute, videos, normalized=False)
    return pictures


def draw_overview(
    folder: Path, dataset: Dataset, entries: Entries, names: Names
) -> dict[str, Path]:
    """Radar and bars of the success by attribute."""
    success = {
        tracker: {
            code: scores["success"]
            for code, scores in {WHOLE: entry, **entry["attributes"]}.items()
        }
        for tracker, entry in entries.items()
    }
    sizes = {attribute: len(videos) for attribute, videos in attributes_of(dataset).items()}
    title = title_of(dataset)
    kinds = draw_attributes(success, title, sizes, labels=names, path=folder)
    return {
        f"Attributes, {kind}": plot_path(folder, f"{title}_attributes_{kind}") for kind in kinds
    }


def draw_measures(
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
        f"{ONE_PASS[measure]}, {attribute}": plot_path(
            folder, f"{title_of(dataset)}_{measure}_{attribute}"
        )
        for measure in figures
    }
