"""Writing files and folders that are either complete or absent.

Everything is written under a temporary name in the destination's own folder, flushed to the
disk and renamed at the end, so an interrupted run leaves the old file or none.
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Lends a temporary name to write to and renames it to ``path`` on success.

    The temporary name keeps the suffix, because video and image writers choose their format by
    it. On any exception (interrupts too) it is removed and an older file at ``path`` stays.

    Args:
        path: Final name; missing parent folders are made.

    Yields:
        A name in the same folder. The caller must create the file.

    Raises:
        OSError: The folder cannot be written, or the caller created nothing.
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_file(final)
    try:
        yield temporary
        _flush(temporary)
        if final.exists():
            shutil.copymode(final, temporary)
        os.replace(temporary, final)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_write(
    path: str | os.PathLike, mode: str = "w", encoding: str | None = "utf-8"
) -> Iterator[IO]:
    """Open a file that appears under its name only once it is complete.

    Args:
        path: The file to write; its folder is made where it is missing.
        mode: "w" for text (line ends are written as they are) or "wb" for bytes.
        encoding: Of text; ignored for bytes.

    Yields:
        The open file.

    Raises:
        OSError: The folder cannot be made or written.
    """
    text = {} if "b" in mode else {"encoding": encoding, "newline": ""}
    with atomic_path(Path(path)) as temporary, open(temporary, mode, **text) as file:
        yield file


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Lends a temporary folder and renames it to ``path`` on success.

    Args:
        path: Final name; nothing or an empty folder may be there.

    Yields:
        An existing empty folder beside ``path``.

    Raises:
        OSError: ``path`` is a file or a folder that is not empty, or cannot be written.
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    if final.exists() and (not final.is_dir() or any(final.iterdir())):
        raise FileExistsError(f"{final} exists; expected a new name or an empty folder")
    temporary = Path(tempfile.mkdtemp(prefix=f".{final.name}.", dir=final.parent))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        if final.exists():
            final.rmdir()  # os.replace cannot overwrite a folder on Windows
        os.replace(temporary, final)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def write_text(path: str | Path, text: str) -> None:
    """Writes UTF-8 text with Unix line ends on every system, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _temporary_file(final: Path) -> Path:
    """A fresh empty file beside ``final`` with its suffix and ordinary permissions."""
    if final.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder; expected a file's name", str(final))
    try:
        handle, name = tempfile.mkstemp(
            prefix=f".{final.stem}.", suffix=final.suffix, dir=final.parent
        )
    except OSError as error:  # it names the temporary file, which nobody asked for
        raise OSError(error.errno, error.strerror, str(final)) from error
    os.close(handle)
    os.chmod(name, 0o666 & ~_umask())  # mkstemp makes it private to this user
    return Path(name)


def _flush(path: Path) -> None:
    """Waits until the file's bytes are on the disk, before its name is."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _umask() -> int:
    """The process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
