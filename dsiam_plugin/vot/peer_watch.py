"""Notices that the peer of a pipe has gone while a C library still reads from it.

libtrax 4.0.2 reads a closed stream for ever, at full load, when the stream ends between the two
halves of an initialisation (region, then image), as a killed VOT toolkit can leave it.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

GRACE_S = 1.0  # a wait that outlasts the hang-up by this much will not return


class PeerWatch(threading.Thread):
    """Calls back once the stream has hung up and one wait does not end.

    Watches standard input, or the descriptor ``$TRAX_IN``; socket sessions and systems without
    ``poll`` (Windows) are not watched.

    Args:
        on_gone: Called at most once, in this thread.
        grace_s: How long a wait may last after the hang-up, seconds.
    """

    def __init__(self, on_gone: Callable[[], None], grace_s: float = GRACE_S) -> None:
        super().__init__(daemon=True)
        self._on_gone = on_gone
        self._grace_s = grace_s
        self._stopped = threading.Event()
        self._waits = 0
        self._in_wait = False

    def __enter__(self) -> PeerWatch:
        """Starts watching."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops watching."""
        self._stopped.set()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Marks the time in which the library reads."""
        self._waits += 1
        self._in_wait = True
        try:
            yield
        finally:
            self._in_wait = False

    def run(self) -> None:
        """Waits until the stream hangs up, then until one wait lasts too long."""
        if not hasattr(select, "poll") or "TRAX_SOCKET" in os.environ:
            return
        hang_up = select.poll()
        hang_up.register(int(os.environ.get("TRAX_IN", 0)), 0)  # 0: errors and hang-up only
        waits_before = None  # how many waits there were a grace ago, since the hang-up
        while not self._stopped.is_set():
            if self._in_wait and self._waits == waits_before:
                return self._on_gone()
            if waits_before is not None or hang_up.poll(1000 * self._grace_s):
                waits_before = self._waits
                self._stopped.wait(self._grace_s)
