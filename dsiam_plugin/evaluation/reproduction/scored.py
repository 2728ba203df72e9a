"""Scores of many trackers on one data set, of which each table and figure takes some."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.measures.result_tables import ONE_PASS, ranked_names
from dsiam_plugin.evaluation.measures.summary import WHOLE, success_score
from dsiam_plugin.evaluation.reporting.evaluation import Evaluation, Gaps, map_trackers
from dsiam_plugin.evaluation.reporting.onepass import (
    CurvesOfAll,
    measure_one_pass,
    report_one_pass,
)
from dsiam_plugin.evaluation.reporting.onepass_plots import draw_measures, draw_overview
from dsiam_plugin.evaluation.reproduction.paper import DIGITISED_MARK, CurvesOfOne


@dataclass(frozen=True)
class Scored:
    """Curves of every tracker and sequence of a data set.

    Attributes:
        dataset: The data set.
        folder: Holds the trackers' results.
        curves: Tracker -> measure -> sequence -> curve.
        gaps: Tracker -> sequence -> why it has no result.
    """

    dataset: Dataset
    folder: Path
    curves: Mapping[str, CurvesOfAll]
    gaps: Gaps

    @classmethod
    def measure(
        cls, dataset: Dataset, folder: Path, trackers: Sequence[str], processes: int
    ) -> "Scored":
        """The scores of the trackers' results in a folder, as `dsiam eval` computes them.

        Raises:
            ResultsError: No tracker has a result for any sequence.
        """
        curves, gaps = map_trackers(measure_one_pass, dataset, folder, trackers, processes)
        return cls(dataset, folder, curves, gaps)

    def present(self, trackers: Iterable[str]) -> list[str]:
        """Those of the names that have a result."""
        return [name for name in trackers if name in self.curves and self.curves[name]["success"]]

    def evaluation(self, trackers: Iterable[str]) -> Evaluation:
        """Tables and trajectories of some of the trackers."""
        names = self.present(trackers)
        return report_one_pass(
            self.dataset,
            self.folder,
            {name: self.curves[name] for name in names},
            {name: self.gaps[name] for name in names},
        )

    def success(self, tracker: str) -> dict[str, float]:
        """Sequence -> area under the success curve."""
        curves = self.curves[tracker]["success"] if tracker in self.curves else {}
        return {video: success_score({video: curve}) for video, curve in curves.items()}

    def draw_curves(
        self,
        trackers: Iterable[str],
        folder: Path,
        digitised: Mapping[str, CurvesOfOne] | None = None,
    ) -> dict[str, Path]:
        """Draws success and precision of some trackers; title -> PNG file.

        ``digitised`` curves are means over the whole data set, and are marked as read off a plot.
        """
        videos = list(self.dataset.attr[WHOLE])
        names = self.present(trackers)
        curves = {m: {name: self.curves[name][m] for name in names} for m in ONE_PASS}
        for name, mean in (digitised or {}).items():
            for measure, curve in mean.items():
                same: dict[str, np.ndarray] = dict.fromkeys(videos, curve)
                curves[measure][f"{name} {DIGITISED_MARK}"] = same
        return draw_measures(folder, self.dataset, curves, "OPE", WHOLE, videos, normalized=False)

    def draw_attributes(self, trackers: Iterable[str], folder: Path) -> dict[str, Path]:
        """Draws radar and bars of the success by attribute; title -> PNG file."""
        entries = self.evaluation(trackers).summary["trackers"]
        names = ranked_names(self.dataset, entries, by="success")
        return draw_overview(folder, self.dataset, entries, names)
