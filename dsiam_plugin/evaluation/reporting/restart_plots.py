"""The plots of VOT's restart experiment: ranking, curve, attributes and speed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.measures.eao import ALL
from dsiam_plugin.evaluation.measures.result_tables import Entries, Names
from dsiam_plugin.evaluation.reporting.evaluation import title_of
from dsiam_plugin.evaluation.reporting.restart_tables import tags_of
from dsiam_plugin.evaluation.visualization import draw_eao
from dsiam_plugin.evaluation.visualization.curves import Curve
from dsiam_plugin.evaluation.visualization.figures import plot_path
from dsiam_plugin.evaluation.visualization.published import PublishedScore
from dsiam_plugin.evaluation.visualization.ranking import draw_eao_curves, draw_eao_ranking
from dsiam_plugin.evaluation.visualization.speed import SpeedScore, draw_speed


def draw_restarts(
    folder: Path,
    dataset: Dataset,
    entries: Entries,
    curves: Mapping[str, np.ndarray],
    names: Names,
    interval: tuple[int, int] | None,
    definition: str,
    filter_seconds: float | None,
    field: Sequence[PublishedScore],
) -> dict[str, Path]:
    """Draws the ranking, the curve, the radar of tags, and the speed where it is known.

    Args:
        folder: Where the plots go.
        dataset: The data set.
        entries: The scores.
        curves: Tracker -> expected average overlap by length of a run, (N,).
        names: Tracker -> its name with its gaps.
        interval: Lengths of runs that the expected average overlap is the mean over; without
            it there is none to draw.
        definition: Whose expected average overlap it is.
        filter_seconds: Turns frames/s into EFO; None leaves frames/s.
        field: Published scores to rank among.

    Returns:
        Title -> PNG file, in the order of a report.
    """
    title = title_of(dataset)
    ranking = {name: entries[tracker]["eao"] for tracker, name in names.items()}
    published = {row.tracker: row.eao for row in field}
    pictures = {}
    if interval is not None:
        draw_eao_curves(_lines(entries, curves, names), title, interval, folder, definition)
        pictures["EAO curve"] = "eao_curve"
    known_eao = not np.isnan(list(ranking.values())).all()  # else no run is as long as `low`
    if known_eao:
        draw_eao_ranking(ranking, title, published, folder, definition)
        pictures["EAO ranking"] = "eao_ranking"
    if known_eao and len(tags_of(entries)) > 1:
        draw_eao(_by_tag(entries, names), folder, title)
        pictures["EAO by attribute"] = "eao_attributes"
    factor, unit, others = (filter_seconds, "EFO", field) if filter_seconds else (1, "frames/s", ())
    speeds = [
        SpeedScore(name, entry["accuracy"], entry["eao"], entry["fps"] * factor)
        for entry, name in ((entries[tracker], name) for tracker, name in names.items())
    ]
    if not np.isnan([score.speed for score in speeds]).all():
        draw_speed(speeds, title, unit, others, folder)
        pictures["Speed"] = "speed"
    return {heading: plot_path(folder, f"{title}_{name}") for heading, name in pictures.items()}


def _by_tag(entries: Entries, names: Names) -> dict[str, dict[str, float]]:
    """Tracker, as shown, -> tag -> expected average overlap, that of all frames first."""
    return {
        name: {
            ALL: entries[tracker]["eao"],
            **{tag: scores["eao"] for tag, scores in entries[tracker]["attributes"].items()},
        }
        for tracker, name in names.items()
    }


def _lines(entries: Entries, curves: Mapping[str, np.ndarray], names: Names) -> dict[str, Curve]:
    """Curves of all trackers without the start, shorter ones filled up with NaN."""
    length = max(len(curve) for curve in curves.values())
    return {
        tracker: Curve(
            name,
            np.pad(curves[tracker][1:], (0, length - len(curves[tracker])), constant_values=np.nan),
            entries[tracker]["eao"],
        )
        for tracker, name in names.items()
    }
