"""Only whole and well-formed requests reach libtrax, and nothing waits for ever."""

import os

import pytest

from dsiam_plugin.errors import VOTError
from dsiam_plugin.vot import stream_guard
from dsiam_plugin.vot.stream_guard import (
    PEER_GONE,
    StreamGuard,
    guard_stream,
    unescaped,
    whole_requests,
)

START = b'@@TRAX:initialize "1,2,30,40"\n'
FRAME = b'@@TRAX:frame "file:///a.jpg" "key=value"\n'
QUIT = b"@@TRAX:quit\n"


def test_a_request_is_a_frame_with_the_initialisations_before_it():
    anew = b"@@TRAX:initialize\n"
    lines = [b"log\n", anew, START, FRAME, b"\n", FRAME, QUIT]
    assert list(whole_requests(iter(lines))) == [anew + START + FRAME, FRAME, QUIT]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([START], "closed the connection"),
        ([b"@@TRAX:initialize\n", FRAME], "initialised no target"),
        ([b'@@TRAX:initialize ""\n'], "the region ''"),
        ([b'@@TRAX:initialize "1,2,nan,4"\n'], "expected a rectangle"),
        ([b'@@TRAX:initialize "1,2,3,1e999"\n'], "expected a rectangle"),
        ([b'@@TRAX:initialize "1,2,3,4,5,6,7"\n'], "expected a rectangle"),
        ([b'@@TRAX:initialize "m0,0,100000,100000,1"\n'], "expected a rectangle"),
        ([b"@@TRAX:frame\n"], "no single path"),
        ([b'@@TRAX:frame ""\n'], "no single path"),
        ([b'@@TRAX:frame "http://host/a.jpg"\n'], "an image as 'http'"),
        ([b'@@TRAX:state "1,2,3,4"\n'], "cannot be read: 'state'"),
        ([b"@@TRAX:\xff\xfe\n"], "cannot be read"),
    ],
)
def test_what_libtrax_does_not_survive_is_one_line(lines, message):
    with pytest.raises(VOTError, match=message):
        list(whole_requests(iter(lines)))


@pytest.mark.parametrize(
    "path", ["/a b.jpg", "C:/a.jpg", "/d=1/b=2.jpg", "/50%/ü/%C3.jpg", "/\udcff.jpg"]
)
def test_paths_of_every_system_pass_as_ascii(path):
    line = b'@@TRAX:frame "file://%s"\n' % os.fsencode(path)
    (request,) = whole_requests(iter([line]))
    assert request.isascii()
    sent = request.decode().split('"')[1].removeprefix("file://")
    assert unescaped(sent) == path


def pipes():
    """A guard between two pipes: (it, the peer's end, libtrax's end)."""
    (source, peer), (reading, sink) = os.pipe(), os.pipe()
    guard = StreamGuard(source, sink)
    guard.start()
    return guard, os.fdopen(peer, "wb", buffering=0), os.fdopen(reading, "rb")


def test_requests_are_handed_on_when_complete_and_the_end_is_named():
    guard, peer, libtrax = pipes()
    with libtrax:
        with peer:
            peer.write(START + FRAME[:10])
            peer.write(FRAME[10:])
            assert libtrax.readline() + libtrax.readline() == START + FRAME
            peer.write(START)
        assert libtrax.read() == b""  # half a request is not
    guard.join(5)
    assert guard.problem == PEER_GONE


def test_a_message_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(stream_guard, "MAX_LINE", 1000)
    guard, peer, libtrax = pipes()
    with peer, libtrax:
        peer.write(b"@@TRAX:frame " + b"a" * 2000)
        assert libtrax.read() == b""
    guard.join(5)
    assert guard.problem == "TraX peer sent a message of more than 1000 bytes"


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("TRAX_IN", "x", "TRAX_IN='x'; expected the number of an open file descriptor"),
        ("TRAX_OUT", "9" * 30, "TRAX_OUT="),
        ("TRAX_SOCKET", "", "expected a port"),
        ("TRAX_SOCKET", "70000", "expected a port"),
        ("TRAX_SOCKET", "1", "TRAX_SOCKET=1: nobody listens there"),
    ],
)
def test_variables_without_a_peer_are_one_line(monkeypatch, variable, value, message):
    monkeypatch.setattr(stream_guard, "CONNECT_S", 0.0)
    with pytest.raises(VOTError, match=message):
        guard_stream({variable: value})
