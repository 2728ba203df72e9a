"""The plots of VOT's restart experiment: ranking, curve, attributes and speed."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.measures.eao import ALL, Definition
from dsiam_plugin.evaluation.reporting.evaluation import title_of
from dsiam_plugin.evaluation.reporting.restart_tables import RestartScores, published_field
from dsiam_plugin.evaluation.visualization import draw_eao
from dsiam_plugin.evaluation.visualization.curves import Curve
from dsiam_plugin.evaluation.visualization.ranking import draw_eao_curves, draw_eao_ranking
from dsiam_plugin.evaluation.visualization.speed import SpeedScore, draw_speed


def draw_restarts(
    folder: Path,
    dataset: Dataset,
    scores: Mapping[str, RestartScores],
    names: Mapping[str, str],
    interval: tuple[int, int] | None,
    definition: Definition,
    filter_seconds: float | None,
) -> dict[str, Path]:
    """Draws the ranking, the curve, the radar of tags, and the speed where it is known.

    Args:
        folder: Where the plots go.
        dataset: The data set.
        scores: Tracker -> scores.
        names: Tracker -> its name with its gaps.
        interval: Lengths of runs that the expected average overlap is the mean over; without
            it there is none to draw.
        definition: Whose expected average overlap it is.
        filter_seconds: Turns frames/s into EFO; None leaves frames/s.

    Returns:
        Title -> PNG file, in the order of a report.
    """
    title = title_of(dataset)
    field = published_field(dataset)
    ranking = {names[tracker]: found.eao[ALL] for tracker, found in scores.items()}
    published = {row.tracker: row.eao for row in field}
    pictures = {}
    if interval is not None:
        draw_eao_curves(_curves(scores, names), title, interval, folder, definition)
        pictures["EAO curve"] = "eao_curve"
    known_eao = not np.isnan(list(ranking.values())).all()  # else no run is as long as `low`
    if known_eao:
        draw_eao_ranking(ranking, title, published, folder, definition)
        pictures["EAO ranking"] = "eao_ranking"
    if known_eao and all(len(found.eao) > 2 for found in scores.values()):
        draw_eao({names[tracker]: found.eao for tracker, found in scores.items()}, folder, title)
        pictures["EAO by attribute"] = "eao_attributes"
    speeds = [
        SpeedScore(
            names[tracker], found.accuracy, found.eao[ALL], found.fps * (filter_seconds or 1.0)
        )
        for tracker, found in scores.items()
    ]
    if not np.isnan([score.speed for score in speeds]).all():
        unit, others = ("EFO", field) if filter_seconds else ("frames/s", ())
        draw_speed(speeds, title, unit, others, folder)
        pictures["Speed"] = "speed"
    return {heading: folder / f"{title}_{name}.png" for heading, name in pictures.items()}


def _curves(scores: Mapping[str, RestartScores], names: Mapping[str, str]) -> dict[str, Curve]:
    """The curves of all trackers without the start, shorter ones filled up with NaN."""
    length = max(len(found.curve) for found in scores.values())
    return {
        tracker: Curve(
            names[tracker],
            np.pad(found.curve[1:], (0, length - len(found.curve)), constant_values=np.nan),
            found.eao[ALL],
        )
        for tracker, found in scores.items()
    }
