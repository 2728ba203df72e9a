"""The bar of a run."""

import sys

from tqdm import tqdm

from dsiam_plugin.evaluation.running.worker import JobOutcome

_LOG_INTERVAL_S = 30.0  # between two lines where stderr is a file, not a terminal


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
