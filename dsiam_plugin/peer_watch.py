"""Notices that the peer of a pipe has gone while a C library still reads from it.

libtrax 4.0.2 reads a closed stream for ever, at full load, when the stream ends between the two
halves of an initialisation (region, then image), as a killed VOT toolkit can leave it.
"""

from __future__ import annotations

import os
import select
import threading
import time
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
        self._waits = 0
        self._in_wait = False

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
        """Sleeps until the stream hangs up, then until one wait lasts too long."""
        if not hasattr(select, "poll") or "TRAX_SOCKET" in os.environ:
            return
        hang_up = select.poll()
        hang_up.register(int(os.environ.get("TRAX_IN", 0)), 0)  # 0: errors and hang-up only
        hang_up.poll()
        waits_before = 0
        while not (self._in_wait and self._waits == waits_before):
            waits_before = self._waits
            time.sleep(self._grace_s)
        self._on_gone()
