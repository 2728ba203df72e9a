"""A worker, wherever it runs: it builds the tracker once and runs job after job."""

import os
import random
import sys
import traceback
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from dsiam_plugin.errors import DSiamError
from dsiam_plugin.evaluation.running.jobs import RunJob, run_job
from dsiam_plugin.evaluation.running.trackers import TrackerSpec, build
from dsiam_plugin.evaluation.running.tracking import Track
from dsiam_plugin.io.messages import one_line

# What the numerical libraries read once, when they are loaded.
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
_MESSAGE_CHARACTERS = 300  # of an error that is not ours
_TOOLKIT_FOLDER = str(Path(__file__).resolve().parent.parent) + os.sep


@dataclass(frozen=True)
class JobOutcome:
    """The end of a job, good or bad."""

    job: RunJob  # the job
    tracks: list[Track]  # one a repetition; none after an error
    error: str | None = None  # one line that says what went wrong; None where all went well


class Worker:
    """One tracker and the jobs it is given."""

    def __init__(self, spec: TrackerSpec, threads: int | None = None) -> None:
        """Build the tracker.

        Raises:
            Exception: Whatever the tracker's factory raises.
        """
        _seed(spec.name)  # so that weights drawn at random are the same in all workers
        self._tracker = build(spec)
        self._threads_before = None if threads is None else _set_threads(threads)

    def close(self) -> None:
        """Give the process its threads back."""
        for set_threads, before in self._threads_before or ():
            set_threads(before)

    def run(self, job: RunJob, advance: Callable[[], None] = lambda: None) -> JobOutcome:
        """Run one job; its errors become part of the outcome.

        Random numbers are seeded from the job's name, so that a tracker that draws some gives
        the same result whichever worker runs it and whatever ran before.
        """
        frames = 0

        def count() -> None:
            nonlocal frames
            frames += 1
            advance()

        _seed(f"{job.video}:{job.number}")
        try:
            return JobOutcome(job, run_job(job, self._tracker, count))
        except Exception as error:  # a tracker may raise anything; the other jobs go on
            frame = frames % max(len(job.images), 1)
            return JobOutcome(job, [], f"frame {frame + 1}: {describe_error(error)}")


def thread_environment(threads: int) -> dict[str, str]:
    """Environment variables that keep the numerical libraries to so many threads."""
    return dict.fromkeys(_THREAD_VARIABLES, str(threads))


def describe_error(error: BaseException) -> str:
    """One line: the message of an error of ours, else its type, message and place."""
    if isinstance(error, DSiamError):
        return str(error)
    message = one_line(error)[:_MESSAGE_CHARACTERS]
    return f"{type(error).__name__}: {message}{_place(error)}"


def _place(error: BaseException) -> str:
    """The place where the tracker raised: its own innermost line, not a library's."""
    calls = [
        call
        for call in traceback.extract_tb(error.__traceback__)
        if not call.filename.startswith((_TOOLKIT_FOLDER, "<"))
    ]
    own = [call for call in calls if "site-packages" not in call.filename] or calls
    return f" ({os.path.basename(own[-1].filename)}:{own[-1].lineno})" if own else ""


def _set_threads(threads: int) -> list[tuple[Callable[[int], None], int]]:
    """Bound the libraries that are told by a call; what each had before, with the call.

    PyTorch is one of them only where the tracker loaded it.
    """
    before: list[tuple[Callable[[int], None], int]] = [(cv2.setNumThreads, cv2.getNumThreads())]
    torch = sys.modules.get("torch")
    if torch is not None:
        before.append((torch.set_num_threads, torch.get_num_threads()))
    for set_threads, _ in before:
        set_threads(threads)
    return before


def _seed(text: str) -> None:
    seed = zlib.crc32(text.encode())
    random.seed(seed)
    np.random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)
