"""SIGINT and SIGTERM as requests that the training loop answers between two steps."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

from dsiam_plugin.training.run.distributed import Group

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(Exception):
    """The run was asked to stop; a checkpoint is written.

    Attributes:
        status: Exit status, 128 + the signal's number, as shells report it.
    """

    def __init__(self, number: int):
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.status = 128 + number


class StopRequests:
    """Remembers the first signal; the second one acts at once, as without this class.

    Use it as a context manager in the main thread.

    Args:
        group: All its processes stop at the same step.
    """

    def __init__(self, group: Group):
        self._group = group
        self._number = 0
        self._old: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopRequests:
        self._old = {number: signal.signal(number, self._remember) for number in SIGNALS}
        return self

    def __exit__(self, *details: object) -> None:
        self._restore()

    def requested(self) -> int:
        """The signal that any process of the group got, or 0; all processes must ask together."""
        return int(self._group.largest(float(self._number)))

    def raise_own(self) -> None:
        """Stops if this process got a signal; for work that one process does alone.

        Raises:
            Stopped: If so.
        """
        if self._number:
            raise Stopped(self._number)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self._number = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)
        self._old = {}
