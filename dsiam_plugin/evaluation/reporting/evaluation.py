"""The outcome of every kind of evaluation: scores, tables, gaps and a way to draw them."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from dsiam_plugin.errors import BenchmarkError, ResultsError
from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.datasets.registry import find_benchmark
from dsiam_plugin.evaluation.datasets.video import NO_FILE, Video
from dsiam_plugin.evaluation.measures.regions import Convention
from dsiam_plugin.evaluation.visualization.published import PublishedScore
from dsiam_plugin.io.tables import Table
from dsiam_plugin.io.workers import ordered_map

Measured = TypeVar("Measured")
Measure = Callable[[Dataset, Path, str], tuple[Mapping[str, str], Measured]]  # gaps, result
Gaps = Mapping[str, Mapping[str, str]]  # tracker -> video -> why it has no result
Trajectory = tuple[Sequence[Sequence[float]], np.ndarray]
Drawer = Callable[[Path], dict[str, Path]]


@dataclass(frozen=True)
class Evaluation:
    """The outcome for some trackers on one data set."""

    dataset: Dataset  # the data set
    summary: dict[str, Any]  # the scores as the JSON file has them
    tables: Sequence[Table]  # the main tables
    attribute_tables: Sequence[Table]  # one measure by attribute each
    video_tables: Sequence[Table]  # one measure by video each, and other long tables
    gaps: Gaps  # what is missing; trackers without gaps have an empty entry
    # (tracker, video) -> its region in every frame and their overlaps with the annotation, (N,),
    # NaN where not defined
    trajectory: Callable[[str, str], Trajectory]
    draw: Drawer  # writes the plots into a folder; returns title -> PNG file, in the report's order


@dataclass(frozen=True)
class Options:
    """Definitions, engines and processes of an evaluation.

    Attributes:
        processes: Trackers evaluated at the same time.
        eao: Definition of a restart run's scores: ``pysot`` or ``vot``.
        interval: Shortest and longest run, in frames, for the expected average overlap; None takes
            the benchmark's.
        pysot_path: A checkout of pysot whose classes are to compute; None computes here.
            The curve of expected average overlap, which they do not give, always is ours.
        protocol: ``TRE`` or ``SRE`` for these runs; None takes the data set's usual evaluation.
        filter_seconds: Time VOT's filter operation takes on the machine of the results, which
            turns frames/s into EFO; None leaves speeds in frames/s.
        field: Published scores of restart runs to rank among; None takes the benchmark's, where
            all its sequences were evaluated.
    """

    processes: int = 1
    eao: Convention = "pysot"
    interval: tuple[int, int] | None = None
    pysot_path: Path | None = None
    protocol: str | None = None
    filter_seconds: float | None = None
    field: Sequence[PublishedScore] | None = None

    def __post_init__(self) -> None:
        if self.pysot_path is None:
            return
        if self.protocol is not None:
            raise BenchmarkError(f"pysot's classes do not evaluate {self.protocol}")
        if self.eao != "pysot":
            raise BenchmarkError(f"pysot's classes do not know the EAO definition {self.eao!r}")
        if self.interval is not None:
            raise BenchmarkError("pysot's classes have EAO intervals of their own, none is taken")

    @property
    def engine_note(self) -> str:
        """Line that says who computed, for the tables; empty where it was this package."""
        return f"Computed by pysot's classes in {self.pysot_path}." if self.pysot_path else ""


def result_of(dataset: Dataset, folder: Path, tracker: str, name: str) -> tuple[Video, Any]:
    """A video and a tracker's result on it, which is there."""
    video = dataset[name]
    return video, video.load_tracker(folder, tracker, store=False)


def _check_any_result(dataset: Dataset, folder: Path, gaps: Gaps) -> None:
    """Refuses results of which none fits the data set.

    Raises:
        ResultsError: Every tracker lacks every sequence; the message has the first reason.
    """
    if not gaps:
        raise ResultsError(f"no tracker of {dataset.name} is named whose results are in {folder}")
    if all(len(missing) == len(dataset) for missing in gaps.values()):
        reason = next(iter(next(iter(gaps.values())).values()))
        raise ResultsError(
            f"no tracker in {folder} has a result for any sequence of {dataset.name}; "
            f"the first: {reason}"
        )


def title_of(dataset: Dataset) -> str:
    """Name of the data set for titles and file names: a folder goes by its last part."""
    return Path(dataset.name).name


def heading(dataset: Dataset, what: str) -> str:
    """Title of a table; says so where the folder lacks sequences of the benchmark."""
    total = sequences_of(dataset)
    if len(dataset) == total:
        return f"{title_of(dataset)}: {what}"
    return f"{title_of(dataset)} ({len(dataset)} of {total} sequences): {what}"


def sequences_of(dataset: Dataset) -> int:
    """Number of sequences of the whole benchmark, as far as that is known."""
    benchmark = find_benchmark(dataset.name)
    known = benchmark.sequences if benchmark else None
    return known or len(dataset) + len(dataset.missing_videos)


def gap_lines(dataset: Dataset, gaps: Gaps, most: int | None = 3) -> list[str]:
    """One line a missing result, at most ``most`` a tracker (None: all), and a count.

    Damaged files come first: that a file is not there surprises nobody.
    """
    lines = []
    for tracker, missing in gaps.items():
        if len(missing) == len(dataset):
            lines.append(f"{tracker}: no usable result for any of {len(dataset)} sequences")
        elif missing:
            lines.append(
                f"{tracker}: {len(dataset) - len(missing)} of {len(dataset)} sequences; "
                "the scores are means over these"
            )
        if missing:
            ordered = sorted(missing.items(), key=lambda gap: gap[1].startswith(NO_FILE))
            shown = ordered[:most]
            lines += [f"  {video}: {reason}" for video, reason in shown]
            if len(shown) < len(missing):
                lines.append(f"  and {len(missing) - len(shown)} more (-s lists all)")
    return lines


def map_trackers(
    measure: Measure[Measured], dataset: Dataset, folder: Path, trackers: Sequence[str], count: int
) -> tuple[dict[str, Measured], Gaps]:
    """Results and gaps of every tracker, in their order, from at most ``count`` processes.

    ``measure`` is a module's function or a partial of one, so that other processes can find it.

    Raises:
        ResultsError: No tracker has a result for any sequence.
    """
    count = max(min(count, len(trackers)), 1)
    # One share a process, as sending the data set takes longer than measuring a tracker.
    shares = [trackers[first::count] for first in range(count)]
    work = partial(_measure_all, measure, dataset, folder)
    found: dict[str, tuple[Mapping[str, str], Measured]] = {}
    with closing(ordered_map(work, shares, count)) as parts:
        for part in parts:
            found |= part
    gaps = {tracker: found[tracker][0] for tracker in trackers}
    _check_any_result(dataset, folder, gaps)
    return {tracker: found[tracker][1] for tracker in trackers}, gaps


def _measure_all(
    measure: Measure[Measured], dataset: Dataset, folder: Path, trackers: Sequence[str]
) -> dict[str, tuple[Mapping[str, str], Measured]]:
    return {tracker: measure(dataset, folder, tracker) for tracker in trackers}
