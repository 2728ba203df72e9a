"""Expected average overlap by attribute, as a radar whose spokes have their own scale."""

import os
from collections.abc import Mapping

import numpy as np

from dsiam_plugin.evaluation.visualization.attribute_names import attribute_title
from dsiam_plugin.evaluation.visualization.curves import legend_entry
from dsiam_plugin.evaluation.visualization.figures import Figure, save
from dsiam_plugin.evaluation.visualization.radar import draw_radar
from dsiam_plugin.io.tables import ranked


def draw_eao(
    result: Mapping[str, Mapping[str, float]],
    path: str | os.PathLike[str] | None = None,
    name: str = "VOT",
) -> Figure:
    """Draws the EAO of every tracker on every tag; the argument is pysot's, and two more.

    Each spoke is scaled by its best tracker, because EAO on an easy tag is twice that on a hard
    one; the ends of its range stand beside its name.

    Args:
        result: Tracker -> tag -> EAO, as ``EAOBenchmark.eval`` returns it; trackers are ranked
            by their first tag (``all`` there).
        path: Folder for ``<name>_eao_attributes.png`` and ``.pdf``; None writes nothing.
        name: The data set's name, for the title and the file names.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        OSError: The folder cannot be written.
    """
    tags = list(next(iter(result.values())))
    values = {tracker: np.array([row[tag] for tag in tags]) for tracker, row in result.items()}
    order = ranked({tracker: float(row[0]) for tracker, row in values.items()})
    table = np.array([values[tracker] for tracker in order])
    best = np.maximum(np.nan_to_num(table).max(axis=0), np.finfo(float).tiny)
    lowest = np.minimum(np.where(np.isnan(table), np.inf, table).min(axis=0), best)
    spokes = [
        f"{attribute_title(tag)}\n({low:.3f}, {high:.3f})"
        for tag, low, high in zip(tags, lowest, best, strict=True)
    ]
    labels = [legend_entry(tracker, float(values[tracker][0])) for tracker in order]
    figure = draw_radar(
        f"Expected average overlap by attribute on {name}", spokes, labels, table / best
    )
    save(figure, path, f"{name}_eao_attributes")
    return figure
