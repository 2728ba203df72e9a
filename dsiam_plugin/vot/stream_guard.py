"""Reads the peer's messages before libtrax does, and hands on only what libtrax survives.

libtrax 4.0.2 ends the process on an empty region, reads a stream for ever that ends inside an
initialisation or holds a message only trackers send, takes a byte above 127 (a path with an
umlaut) for the end of the stream, and connects for ever to a socket nobody listens on. So a thread
reads the stream, checks it line by line, and forwards whole requests (the initialisations with
their frame) as ASCII into a pipe, which it closes at the first problem.
"""

import math
import os
import re
import socket
import threading
import time
from collections.abc import Iterator, MutableMapping
from urllib.parse import unquote_to_bytes

from dsiam_plugin.errors import VOTError
from dsiam_plugin.io.messages import excerpt

PREFIX = b"@@TRAX:"  # other lines are no messages: libtrax skips them as well
MAX_LINE = 1 << 20  # bytes: a polygon of 50,000 corners
CONNECT_S = 10.0  # a peer listens before it starts the tracker
RETRY_S = 0.1
PEER_GONE = "TraX peer closed the connection; expected 'initialize', 'frame' or 'quit'"
_WORDS = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_PROPERTY = re.compile(r"[A-Za-z0-9._]+=")
_ESCAPED = re.compile(rb"[%\x80-\xff]")
_OTHER_IMAGE = re.compile(r"(?!file:)([a-z]{2,}):", re.IGNORECASE)  # one letter is a drive


class StreamGuard(threading.Thread):
    """Forwards requests that are well-formed and ends the stream at the first that is not."""

    def __init__(self, source: int, sink: int) -> None:
        super().__init__(daemon=True)
        self._source, self._sink = source, sink
        self.problem: str | None = None

    def run(self) -> None:
        """Forward requests until the stream ends or breaks."""
        try:
            for request in whole_requests(_lines(self._source)):
                os.write(self._sink, request)
            self.problem = PEER_GONE
        except VOTError as error:
            self.problem = str(error)
        except OSError as error:
            self.problem = f"TraX peer cannot be read: {error.strerror}"
        finally:
            os.close(self._sink)


def guard_stream(environment: MutableMapping[str, str]) -> StreamGuard | None:
    """Guard between the peer and libtrax, started; libtrax is told its pipe as ``$TRAX_IN``.

    A session on a socket is connected here and handed to libtrax as a pair of descriptors.

    Args:
        environment: Read and changed: the ``TRAX_`` variables.

    Returns:
        None on Windows, where libtrax takes handles and not descriptors.

    Raises:
        VOTError: A variable is no descriptor or port, or nobody listens there.
    """
    if os.name == "nt":
        return None
    if "TRAX_SOCKET" in environment:
        connection = _connect(environment.pop("TRAX_SOCKET"))
        environment["TRAX_OUT"] = str(connection)
        source = connection
    else:
        source = _descriptor(environment, "TRAX_IN", 0)
    _descriptor(environment, "TRAX_OUT", 1)
    reading, writing = os.pipe()
    environment["TRAX_IN"] = str(reading)
    guard = StreamGuard(source, writing)
    guard.start()
    return guard


def whole_requests(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Requests as libtrax reads them: a frame with the initialisations before it, or a quit.

    They are escaped, see :func:`escaped`.

    Raises:
        VOTError: A message cannot be read, or the stream ends inside a request.
    """
    pending, targets = b"", 0
    for line in lines:
        if not line.startswith(PREFIX):
            continue
        kind, words = _words(line)
        _check(kind, words)
        if kind == "initialize":
            pending, targets = pending + escaped(line), targets + len(words)
            continue
        if pending and not targets:
            raise VOTError("TraX peer initialised no target; expected a rectangle or a polygon")
        yield pending + escaped(line)
        pending, targets = b"", 0
    if pending:
        raise VOTError(PEER_GONE)


def escaped(line: bytes) -> bytes:
    """The line in ASCII, other bytes and ``%`` as ``%XX``; :func:`unescaped` undoes it."""
    return _ESCAPED.sub(lambda found: b"%%%02X" % found[0][0], line)


def unescaped(text: str) -> str:
    """The path that the peer sent, from one that libtrax gave."""
    return os.fsdecode(unquote_to_bytes(text))


def _words(line: bytes) -> tuple[str, list[str]]:
    """Kind of a message and its arguments; ``key=value`` words are properties and left out."""
    text = line[len(PREFIX) :].decode(errors="replace")
    kind, _, rest = text.partition(" ")
    words = [quoted or bare for quoted, bare in _WORDS.findall(rest)]
    return kind.strip().lower(), [word for word in words if not _PROPERTY.match(word)]


def _check(kind: str, words: list[str]) -> None:
    """Refuse what libtrax does not survive or only calls an error."""
    if kind not in ("initialize", "frame", "quit"):
        raise VOTError(
            f"TraX peer sent a message that cannot be read: {excerpt(kind)};"
            " expected 'initialize', 'frame' or 'quit'"
        )
    if kind == "initialize" and words and not _is_region(words[0]):
        raise VOTError(
            f"TraX peer sent the region {excerpt(words[0])};"
            " expected a rectangle x,y,w,h or a polygon"
        )
    if kind == "frame":
        image = words[0] if len(words) == 1 else ""
        other = _OTHER_IMAGE.match(image)
        if not image or other:
            came = f"an image as {other[1]!r}" if other else "no single path of an image"
            raise VOTError(f"TraX peer sent {came}; expected one path of a colour image")


def _is_region(text: str) -> bool:
    """True for a rectangle and for a polygon of finite numbers."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        return False
    count = len(numbers)
    return (count == 4 or (count >= 6 and count % 2 == 0)) and all(map(math.isfinite, numbers))


def _lines(source: int) -> Iterator[bytes]:
    """Complete lines of a descriptor, each with its end."""
    held = b""
    while chunk := os.read(source, 65536):
        *lines, held = (held + chunk).split(b"\n")
        yield from (line + b"\n" for line in lines)
        if len(held) > MAX_LINE:
            raise VOTError(f"TraX peer sent a message of more than {MAX_LINE} bytes")


def _descriptor(environment: MutableMapping[str, str], variable: str, default: int) -> int:
    """The open descriptor a variable names, or the default where it is not set."""
    text = environment.get(variable, str(default))
    try:
        os.fstat(int(text))
        return int(text)
    except (ValueError, OSError, OverflowError) as error:
        raise VOTError(
            f"{variable}={excerpt(text)}; expected the number of an open file descriptor"
        ) from error


def _connect(text: str) -> int:
    """Descriptor of a connection to a port of this machine."""
    if not text.isdigit() or not 0 < int(text) < 1 << 16:
        raise VOTError(f"TRAX_SOCKET={excerpt(text)}; expected a port, 1 to 65535")
    end = time.monotonic() + CONNECT_S
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", int(text)), timeout=CONNECT_S)
        except OSError as error:
            if time.monotonic() > end:
                raise VOTError(
                    f"TRAX_SOCKET={text}: nobody listens there after {CONNECT_S:g} s"
                ) from error
            time.sleep(RETRY_S)
            continue
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection.detach()
