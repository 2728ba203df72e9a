"""Expected average overlap of VOT's restart experiment, in the two definitions in use."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from dsiam_plugin.errors import BenchmarkError, ResultsError
from dsiam_plugin.evaluation.datasets.registry import find_benchmark
from dsiam_plugin.evaluation.measures.accuracy_robustness import RestartBenchmark
from dsiam_plugin.evaluation.measures.base import show_tables
from dsiam_plugin.evaluation.measures.regions import Convention
from dsiam_plugin.evaluation.measures.restart_metrics import (
    Fragment,
    expected_overlaps,
    failure_frames,
    pysot_fragments,
    vot_fragments,
)
from dsiam_plugin.evaluation.measures.result_tables import ranked_names, score_table
from dsiam_plugin.evaluation.measures.run_overlaps import OverlapCounter
from dsiam_plugin.evaluation.measures.summary import EAOByTag

ALL, EMPTY = "all", "empty"


class EAOBenchmark(RestartBenchmark):
    """Expected average overlap by tracker and tag; pysot's class.

    Attributes:
        skipping: Frames between a loss and the next start.
        tags: Tags to weigh the fragments by; "all" weighs every frame alike.
        definition: "pysot", or "vot" for the VOT toolkit's `supervised_eao_score`.
        low, high: Shortest and longest run, in frames, over which the curve is averaged.
    """

    def __init__(
        self,
        dataset: Any,
        skipping: int = 5,
        tags: Sequence[str] = (ALL,),
        *,
        definition: Convention = "pysot",
        low: int | None = None,
        high: int | None = None,
        counter: OverlapCounter | None = None,
    ) -> None:
        """Choose data set and definition; `low` and `high` replace the benchmark's interval.

        Raises:
            BenchmarkError: The definition is unknown or has no tags, or the data set has no
                interval of its own and none is given.
        """
        super().__init__(dataset, counter or OverlapCounter(definition))
        if definition not in ("pysot", "vot"):
            raise BenchmarkError(f"EAO definition {definition!r}, expected 'pysot' or 'vot'")
        if definition == "vot" and list(tags) != [ALL]:
            raise BenchmarkError(f"tags {list(tags)}: the VOT toolkit's EAO knows only 'all'")
        self.skipping = skipping
        self.tags = list(dict.fromkeys(tags))
        self.definition = definition
        self.low, self.high = _interval(dataset.name, low, high)

    def eval(self, eval_trackers: str | Sequence[str] | None = None) -> dict[str, EAOByTag]:
        """Expected average overlap over the interval.

        Returns:
            Tracker to tag to score; NaN where no run is as long as `low`.
        """
        return {
            tracker: self.scores(self.eval_curves(tracker)[tracker])
            for tracker in self.asked(eval_trackers)
        }

    def scores(self, curves: Mapping[str, np.ndarray]) -> EAOByTag:
        """Tag to score of one tracker, from its curves by tag, as `eval_curves` gives them."""
        return {tag: self._score(curve) for tag, curve in curves.items()}

    def eval_curves(
        self, eval_trackers: str | Sequence[str] | None = None
    ) -> dict[str, dict[str, np.ndarray]]:
        """Expected average overlap by length of a run.

        Returns:
            Tracker to tag to (longest run,) curve: entry j is the mean over frames 1 to j.
        """
        return {tracker: self._curves(tracker) for tracker in self.asked(eval_trackers)}

    def show_result(self, result: dict[str, EAOByTag], topk: int = 10) -> None:
        """Print a table of the best trackers."""
        entries = {
            name: {**scores, "sequences": self.coverage(name).found}
            for name, scores in result.items()
        }
        best = dict(list(ranked_names(self.dataset, entries, self.tags[0]).items())[:topk])
        columns = {tag: "EAO" if self.tags == [ALL] else tag for tag in self.tags}
        show_tables([score_table(self.dataset.name, entries, columns, best, self.describe())])

    def describe(self) -> str:
        """The definition in use, for titles and notes."""
        names = {"pysot": "pysot's definition", "vot": "the VOT toolkit's supervised_eao_score"}
        return f"EAO: {names[self.definition]}, runs of {self.low} to {self.high} frames"

    def _score(self, curve: np.ndarray) -> float:
        """Mean of the curve over the interval; the definitions differ by one frame there."""
        first = self.low - 1 if self.definition == "pysot" else self.low
        last = self.high if self.definition == "pysot" else self.high + 1
        chosen = curve[first:last]
        chosen = chosen[~np.isnan(chosen)]
        return float(chosen.mean()) if len(chosen) else float("nan")

    def _curves(self, tracker: str) -> dict[str, np.ndarray]:
        fragments: list[Fragment] = []
        weights: dict[str, list[float]] = {tag: [] for tag in self.tags}
        longest = 1
        for video, repetitions in self.results(tracker):
            try:
                cuts = list(self._cut_runs(video, repetitions))
            except ResultsError as error:
                self.add_gap(tracker, video, error)
                continue
            longest = max(longest, len(video.gt_traj))
            for cut in cuts:
                fragments += cut
                for tag in self.tags:
                    weights[tag] += [_weight(video, tag, fragment) for fragment in cut]
        if self.definition == "vot":
            longest = max((len(fragment.overlaps) for fragment in fragments), default=1)
        curves = {
            tag: expected_overlaps(fragments, np.array(weights[tag]), longest) for tag in self.tags
        }
        if self.definition == "pysot":  # counts the start as a perfect frame
            for curve in curves.values():
                curve[0] = 1.0
        return curves

    def _cut_runs(self, video: Any, repetitions: Sequence) -> Iterator[list[Fragment]]:
        """The fragments of each repetition."""
        counted = self.counter.count(video, repetitions)
        for run, overlaps in zip(counted.repetitions, counted.for_eao, strict=True):
            if self.definition == "vot":
                yield vot_fragments(overlaps, run)
            else:
                yield pysot_fragments(overlaps, failure_frames(run).tolist(), self.skipping)


def _interval(name: str, low: int | None, high: int | None) -> tuple[int, int]:
    benchmark = find_benchmark(name)
    known = benchmark.eao_interval if benchmark else None
    if known is not None:
        low = known[0] if low is None else low
        high = known[1] if high is None else high
    if low is None or high is None:
        raise BenchmarkError(f"{name} has no EAO interval of its own: pass low= and high=")
    if not 1 <= low <= high:
        raise BenchmarkError(f"EAO interval {low} to {high}, expected 1 <= low <= high")
    return low, high


def _weight(video: Any, tag: str, fragment: Fragment) -> float:
    """Share of the fragment's frames that carry the tag.

    "empty" is the exception: pysot divides the frames of the whole sequence that carry no tag by
    the length of the fragment, and its published scores for that tag are what it gives.
    """
    frames = len(fragment.overlaps)
    if tag == ALL or frames == 0:
        return float(frames > 0)
    if tag == EMPTY:
        return sum(video.tags[EMPTY]) / frames
    return sum(video.select_tag(tag, fragment.start, fragment.start + frames)) / frames
