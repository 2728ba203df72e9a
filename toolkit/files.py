"""Writing files so that a reader never meets half of one."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


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
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    binary = "b" in mode
    try:
        with open(
            temporary,
            mode.replace("w", "x"),
            encoding=None if binary else encoding,
            newline=None if binary else "",
        ) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)  # gone already unless something failed
