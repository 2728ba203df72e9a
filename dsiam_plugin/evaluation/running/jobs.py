"""Jobs: the runs that sequences are cut into, and running one of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.evaluation.running.starts import (
    SRE_VARIATIONS,
    Box,
    enclosing_box,
    sre_box,
    tre_starts,
)
from dsiam_plugin.evaluation.running.trackers import Tracker
from dsiam_plugin.evaluation.running.tracking import Track, run_through, run_with_restarts

EQUAL_REPETITIONS = 3  # so many equal ones, and the VOT toolkit takes a tracker for deterministic


@dataclass(frozen=True)
class RunJob:
    """A run of one tracker that one worker does on its own; plain data, so it can travel."""

    video: str  # name of the sequence
    number: int  # which of the video's runs this is, from 1; the number in the file's name
    images: tuple[str, ...]  # files of the frames to run on
    truth: tuple[tuple[float, ...], ...]  # annotation of each of them, 0-based boxes or polygons
    kind: str  # key of `KINDS`
    variation: str | None = None  # the start box of spatial robustness, else None
    repetitions: int = 1  # how often to run at most (restarts only)

    @property
    def label(self) -> str:
        """The name of the job in messages."""
        return self.video if self.number == 1 else f"{self.video} #{self.number}"


def plan_one_pass(job: RunJob) -> list[RunJob]:
    """The whole sequence, once."""
    return [job]


def plan_temporal(job: RunJob) -> list[RunJob]:
    """From each of OTB's 20 start frames to the end of the sequence."""
    return [
        replace(job, number=number, images=job.images[start:], truth=job.truth[start:])
        for number, start in enumerate(tre_starts(job.truth), start=1)
    ]


def plan_spatial(job: RunJob) -> list[RunJob]:
    """The whole sequence from each of OTB's 12 shifted or scaled boxes."""
    return [
        replace(job, number=number, variation=variation)
        for number, variation in enumerate(SRE_VARIATIONS, start=1)
    ]


def run_job(job: RunJob, tracker: Tracker, advance: Callable[[], None]) -> list[Track]:
    """The tracks of a tracker that was run as the job says, one a repetition.

    Raises:
        DatasetError: The job has no frames.
        ImageError: A frame cannot be read.
        TrackerError: An answer of the tracker is not a box.
        Exception: Whatever the tracker raises.
    """
    if not job.images or not job.truth:
        raise DatasetError(f"{len(job.images)} frames and {len(job.truth)} annotations to run on")
    return KINDS[job.kind](job, tracker, advance)


def _one_pass(job: RunJob, tracker: Tracker, advance: Callable[[], None]) -> list[Track]:
    from_polygon = len(job.truth[0]) != 4
    return [run_through(tracker, job.images, partial(_start_box, job), advance, from_polygon)]


def _restarts(job: RunJob, tracker: Tracker, advance: Callable[[], None]) -> list[Track]:
    if len(job.truth) != len(job.images):
        raise DatasetError(
            f"{len(job.truth)} annotations for {len(job.images)} frames, "
            "restarts need one for every frame"
        )
    tracks: list[Track] = []
    while len(tracks) < job.repetitions and not _is_deterministic(tracks):
        tracks.append(run_with_restarts(tracker, job.images, job.truth, advance))
    return tracks


def _start_box(job: RunJob, image: np.ndarray) -> Box:
    """The box the tracker is given on the job's first image."""
    box = enclosing_box(job.truth[0])
    if job.variation is None:
        return box
    height, width = image.shape[:2]
    return sre_box(box, job.variation, width, height)


def _is_deterministic(tracks: Sequence[Track]) -> bool:
    return len(tracks) == EQUAL_REPETITIONS and all(
        track.regions == tracks[0].regions for track in tracks
    )


KINDS: dict[str, Callable[[RunJob, Tracker, Callable[[], None]], list[Track]]] = {
    "one_pass": _one_pass,
    "restarts": _restarts,
}
