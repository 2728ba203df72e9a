"""A lock on a folder, so that two processes do not write into it at once."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from dsiam_plugin.errors import DSiamError
from dsiam_plugin.io.messages import excerpt

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

NAME = ".lock"


@contextmanager
def locked_folder(folder: Path, error: type[DSiamError]) -> Iterator[None]:
    """Hold the only lock on a folder inside the block; the folder is made where it is missing.

    The system gives the lock up with the process that holds it, however that ends, so a file
    that a killed one left behind locks nothing. Where a file system knows no locks, or on
    Windows, there is none.

    Raises:
        DSiamError: Another process has the lock, which the message names; of class `error`.
        OSError: The folder cannot be written.
    """
    if fcntl is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    with _locked_file(path, error) as file:
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)  # still locked, so nobody else's


def _locked_file(path: Path, error: type[DSiamError]) -> IO[str]:
    """The open file under this name, locked."""
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with file:
                file.seek(0)
                holder = excerpt(file.read(200)).strip("'") or "another process"
            raise error(
                f"{path.parent}: {holder} is writing here; expected nobody else to: wait for its"
                " end, or name another folder"
            ) from None
        except OSError:  # a file system without locks
            return file
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()  # its holder has just finished and removed it
