"""Hang-ups are reported only when a wait does not end by itself."""

import os
import threading

import pytest

from dsiam_plugin.vot.peer_watch import PeerWatch

GRACE_S = 0.05


@pytest.fixture
def pipe(monkeypatch):
    """Writing end of the pipe the watch looks at; closing it is the hang-up."""
    reading, writing = os.pipe()
    monkeypatch.setenv("TRAX_IN", str(reading))
    monkeypatch.delenv("TRAX_SOCKET", raising=False)
    writer = os.fdopen(writing, "wb", buffering=0)
    yield writer
    writer.close()
    os.close(reading)


def test_a_wait_that_outlasts_the_hang_up_is_reported(pipe):
    gone = threading.Event()
    with PeerWatch(gone.set, grace_s=GRACE_S) as watch, watch.waiting():
        assert not gone.wait(4 * GRACE_S), "reported although the peer is there"
        pipe.close()
        assert gone.wait(5)


def test_waits_that_end_are_not_reported(pipe):
    gone = threading.Event()
    with PeerWatch(gone.set, grace_s=GRACE_S) as watch:
        pipe.close()
        for _ in range(50):  # unread messages after the hang-up: each wait returns at once
            with watch.waiting():
                pass
        assert not gone.wait(4 * GRACE_S)
        with watch.waiting():
            assert gone.wait(5)


def test_the_thread_ends_with_the_session(pipe):
    with PeerWatch(pytest.fail, grace_s=GRACE_S) as watch:
        pass
    watch.join(5)
    assert not watch.is_alive()
