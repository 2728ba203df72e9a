"""MATLAB files, read by SciPy in a process of its own.

One changed byte of such a file can crash SciPy's reader, a few can make it take all memory. So a
child process parses (:mod:`dsiam_plugin.io.mat_child`), with bounds on time and memory, and hands
plain values over; it is kept for the next file, because most of its time is the import of SciPy.
"""

import atexit
import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from typing import Any

import numpy as np

from dsiam_plugin.errors import DSiamError
from dsiam_plugin.io.versions import import_optional

SECONDS = 60.0
MEMORY = 4 * 2**30  # bytes of address space; the authors' VGG networks take below 2 GiB

# The child looks for modules where this process does.
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[2:]; "
    "from dsiam_plugin.io.mat_child import serve; serve(int(sys.argv[1]))"
)


def read_mat(path: str | os.PathLike, error: type[DSiamError]) -> dict[str, Any]:
    """Variables of a MATLAB file (up to version 7) by name.

    Numbers are arrays with MATLAB's own shapes, never below two dimensions; a row of characters is
    a str, several are a list; a struct is a dict, a struct array of another size a list of dicts; a
    cell array is a list, column by column; what is none of these (sparse, objects) is None.

    Raises:
        DSiamError: ``error``, if the file is missing, damaged or takes more than 60 s or 4 GiB.
        MissingDependencyError: SciPy is not installed.
    """
    import_optional("scipy", "mat")
    try:
        with open(path, "rb"):
            pass
    except OSError as failure:
        raise error(f"{path}: cannot be read ({failure.strerror or failure})") from None
    with _LOCK:
        reply = _READER.ask(os.path.abspath(path))
    if isinstance(reply, str):
        raise error(f"{path}: not a readable .mat file ({reply})")
    return reply


class _Reader:
    """The child process; started when it is first asked, and anew after a crash or a fork."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def ask(self, path: str) -> dict[str, Any] | str:
        """The file's variables, or why there are none."""
        process = self._running()
        assert process.stdin is not None and process.stdout is not None
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(SECONDS, end)
        timer.start()
        try:
            process.stdin.write(os.fsencode(path).hex().encode() + b"\n")
            process.stdin.flush()
            length = int.from_bytes(process.stdout.read(8), "big")
            content = process.stdout.read(length) if length < MEMORY else b""
        except OSError:  # it ended before it was asked
            content = b""
        except BaseException:  # interrupted: its reply would be taken for that to the next question
            self.stop()
            raise
        finally:
            timer.cancel()
        if content:
            return _unpack(content)
        status = self.stop()
        return f"took longer than {SECONDS:.0f} s" if late.is_set() else f"its parser {status}"

    def stop(self) -> str:
        """Ends the child and says how it ended."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return "is not running"
        process.kill()
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            try:
                stream.close()
            except OSError:  # what was not sent yet
                pass
        status = process.wait()
        return f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
            self.stop()
            self._owner = os.getpid()
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(MEMORY), *sys.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # Each thread of a numerical library reserves address space.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )
        return self._process


def _unpack(content: bytes) -> dict[str, Any] | str:
    """Values of the child's reply, an uncompressed ``.npz`` with the tree that refers to it."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            tree = json.loads(archive["tree"].tobytes())
            return tree if isinstance(tree, str) else _join(tree, archive)
    except (ValueError, KeyError, OSError, zipfile.BadZipFile, RecursionError) as failure:
        return f"no values: {type(failure).__name__}"


def _join(node: Any, archive: Any) -> Any:
    """The tree with arrays in place of their names."""
    if isinstance(node, list):
        return [_join(item, archive) for item in node]
    if isinstance(node, dict):
        if "array" in node:
            return archive[node["array"]]
        return {name: _join(item, archive) for name, item in node["struct"].items()}
    return node


_LOCK = threading.Lock()
_READER = _Reader()
atexit.register(_READER.stop)
