"""Writing files so that a reader never meets half of one."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_NEW_FILE_MODE = 0o666  # what open() asks for; the umask takes its share


@contextmanager
def atomic_write(
    path: str | os.PathLike, mode: str = "w", encoding: str | None = "utf-8"
) -> Iterator[IO]:
    """Open a file that appears under its name only once it is complete.

    The content goes to a temporary name in the same folder, is flushed to the disk and then
    renamed over `path`. After an error or a kill the old file, if any, is as it was.

    Args:
        path: The file to write; its folder is made where it is missing.
        mode: "w" for text (line ends are written as they are) or "wb" for bytes.
        encoding: Of text; ignored for bytes.

    Yields:
        The open file.

    Raises:
        OSError: The folder cannot be made or written.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    text = {} if "b" in mode else {"encoding": encoding, "newline": ""}
    handle, temporary = tempfile.mkstemp(
        prefix=f".{target.name}.", suffix=".tmp", dir=target.parent
    )
    try:
        with os.fdopen(handle, mode, **text) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _permissions(target))
        os.replace(temporary, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _permissions(target: Path) -> int:
    """Mode bits of the file to be replaced, else those a plain `open` would give."""
    try:
        return target.stat().st_mode & 0o777
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        return _NEW_FILE_MODE & ~umask
