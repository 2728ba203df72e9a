"""Running a tracker over a data set: plan, skip what is done, run, write, report."""

import difflib
import os
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tqdm import tqdm

from dsiam_plugin.errors import DatasetError, TrackerError
from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.datasets.video import Video
from dsiam_plugin.evaluation.running.cluster import run_on_cluster
from dsiam_plugin.evaluation.running.jobs import RunJob
from dsiam_plugin.evaluation.running.processes import run_in_processes
from dsiam_plugin.evaluation.running.protocols import (
    Protocol,
    choose_protocol,
)
from dsiam_plugin.evaluation.running.provenance import describe
from dsiam_plugin.evaluation.running.store import ResultStore
from dsiam_plugin.evaluation.running.trackers import TrackerSpec
from dsiam_plugin.evaluation.running.worker import JobOutcome, Worker, describe_error
from dsiam_plugin.io.shapes import check_name

Executor = Callable[
    [TrackerSpec, Sequence[RunJob], Callable[[int], None]], Generator[JobOutcome, None, None]
]
_LOG_INTERVAL_S = 30.0  # between two lines of progress where stderr is a file, not a terminal


@dataclass
class RunReport:
    """The result of a run, in numbers.

    Attributes:
        tracker: Name of the tracker.
        dataset: Name of the data set.
        protocol: Name of the protocol.
        finished: Runs done now, one a sequence, or a start of a sequence.
        skipped: Runs whose results stood there already.
        failures: Run to one line that says why it has no result.
        unscored: Sequences of which only the first box is annotated.
        fps: Frames a second inside the tracker, over the runs done now; 0 if there were none.
    """

    tracker: str
    dataset: str
    protocol: str
    finished: int = 0
    skipped: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    unscored: list[str] = field(default_factory=list)
    fps: float = 0.0


def run_dataset(
    dataset: Dataset,
    tracker: TrackerSpec,
    tracker_path: str | os.PathLike = "results",
    *,
    protocol: str | None = None,
    sequences: Sequence[str] | None = None,
    repetitions: int = 1,
    num: int = 1,
    threads: int = 1,
    address: str | None = None,
    gpus: float = 0,
    force: bool = False,
    progress: bool = True,
) -> RunReport:
    """A report of running a tracker over a data set; its results are in pysot's layout.

    Every finished run is written at once; the next call skips it. A sequence that fails is
    reported and the others go on.

    Args:
        dataset: From `DatasetFactory.create_dataset`; its frames are read from files.
        tracker: How to build the tracker.
        tracker_path: Folder of results; they go to `<data set>/<tracker>` below it.
        protocol: "OPE", "TRE", "SRE", "VOT" (restarts) or "LT"; None for the data set's own.
        sequences: Names to run; None for all.
        repetitions: Restarts only: how often to run each sequence. After three equal results
            the tracker counts as deterministic and is not run again.
        num: Worker processes, or actors on a cluster; 0 runs in this process.
        threads: Threads of each worker. More than 1 can change the last bits of results.
        address: Ray cluster: "auto", "local" or an address; None for processes.
        gpus: Graphics cards each actor on a cluster gets.
        force: Discard results that stand there already.
        progress: Show a bar on stderr.

    Raises:
        DatasetError: A sequence is unknown, or the data set has no frames.
        BenchmarkError: The data set is not run by that protocol.
        ResultsError: Results of another tracker or configuration stand there, another run is
            writing there, or the folder cannot be written.
        TrackerError: The tracker cannot be built.
    """
    way = choose_protocol(dataset, protocol)
    videos = _choose_videos(dataset, sequences)
    store = ResultStore(Path(tracker_path) / dataset.name / tracker.name, way.layout)
    record = describe(tracker, way.name, repetitions if way.repeats else 1)
    report = RunReport(tracker.name, dataset.name, way.name)
    report.unscored = [video.name for video in videos if video.has_start_box_only]
    executor = _choose_executor(num, threads, address, gpus)
    with store.locked():
        store.claim(record, [video.name for video in dataset], force)
        jobs = _plan(way, videos, repetitions, report)
        waiting = [job for job in jobs if not store.is_done(job)]
        report.skipped = len(jobs) - len(waiting)
        if waiting:
            frames = sum(len(job.images) for job in waiting)
            with ProgressBar(f"{tracker.name} {dataset.name} {way.name}", frames, progress) as bar:
                _run(executor(tracker, waiting, bar.advance), store, report, bar)
    return report


def run_in_process(
    spec: TrackerSpec,
    jobs: Sequence[RunJob],
    on_frames: Callable[[int], None],
    *,
    threads: int = 1,
) -> Generator[JobOutcome, None, None]:
    """Run the jobs here; the tracker may be anything that Python can call.

    Random number generators are seeded anew.

    Yields:
        What became of each job, in their order.

    Raises:
        TrackerError: The tracker cannot be built.
    """
    try:
        worker = Worker(spec, threads)
    except Exception as error:
        raise TrackerError(f"{spec.name} cannot be built: {describe_error(error)}") from error
    with closing(worker):
        for job in jobs:
            yield worker.run(job, lambda: on_frames(1))


class ProgressBar:
    """Frames done, the speed of one tracker and the number of failures; a context manager.

    The bar's rate is that of all workers together; `fps` is frames over the time inside the
    tracker, so it does not grow with the number of workers.
    """

    def __init__(self, title: str, frames: int, visible: bool = True) -> None:
        interval = 0.1 if sys.stderr.isatty() else _LOG_INTERVAL_S
        self._bar = tqdm(
            total=frames, desc=title, unit="frame", disable=not visible, mininterval=interval
        )
        self._tracked = 0
        self._seconds = 0.0
        self._failed = 0

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.close()

    def advance(self, frames: int) -> None:
        """So many frames more."""
        self._bar.update(frames)

    def add(self, outcome: JobOutcome) -> None:
        """A job has ended."""
        for track in outcome.tracks:
            self._tracked += sum(1 for seconds in track.seconds if seconds > 0)
            self._seconds += sum(track.seconds)
        self._failed += outcome.error is not None
        if not self._bar.disable:
            failed = f", {self._failed} failed" if self._failed else ""
            self._bar.set_postfix_str(f"fps {self.fps:.1f}{failed}", refresh=False)

    @property
    def fps(self) -> float:
        """Frames a second of one tracker; 0 before the first job has ended."""
        return self._tracked / self._seconds if self._seconds > 0 else 0.0


def _plan(
    way: Protocol, videos: Sequence[Video], repetitions: int, report: RunReport
) -> list[RunJob]:
    """All runs on the videos; videos without any are failures."""
    jobs: list[RunJob] = []
    for video in videos:
        of_video = way.jobs(video, repetitions)
        if not of_video:
            report.failures[video.name] = "no frame shows a target to start from"
        jobs += of_video
    return jobs


def _run(
    running: Generator[JobOutcome, None, None],
    store: ResultStore,
    report: RunReport,
    bar: ProgressBar,
) -> None:
    """Write each result as it comes and note it in the report."""
    with closing(running) as outcomes:
        for outcome in outcomes:
            bar.add(outcome)
            if outcome.error is not None:
                report.failures[outcome.job.label] = outcome.error
                continue
            store.write(outcome.job, outcome.tracks)
            report.finished += 1
    report.fps = bar.fps


def _choose_executor(num: int, threads: int, address: str | None, gpus: float) -> Executor:
    if address is not None:
        return partial(run_on_cluster, address=address, num=max(num, 1), threads=threads, gpus=gpus)
    if num == 0:
        return partial(run_in_process, threads=threads)
    return partial(run_in_processes, num=num, threads=threads)


def _choose_videos(dataset: Dataset, names: Sequence[str] | None) -> list[Video]:
    """The videos of those names, in the data set's order."""
    check_name(dataset.name, "data set", DatasetError)
    known = [check_name(video.name, "sequence", DatasetError) for video in dataset]
    for name in names or ():
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
            raise DatasetError(f"{dataset.name} has no sequence {name!r}{hint}")
    videos = [video for video in dataset if not names or video.name in names]
    if not any(os.path.isfile(path) for video in videos for path in video.img_names[:1]):
        raise DatasetError(
            f"{dataset.dataset_root}: none of the {len(videos)} sequences has frames; "
            "annotations suffice to evaluate, a run needs the images too"
        )
    return videos
