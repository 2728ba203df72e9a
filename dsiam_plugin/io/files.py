"""Files and folders that are either complete or absent, and folders that a command may replace.

Everything is written under a temporary name in the destination's own folder, flushed to the
disk and renamed at the end, so an interrupted run leaves the old file or folder, or none. A run
that is killed leaves its temporary one, which the next writer of the same destination removes.
Running ones hold a lock, so nothing is taken from them.
"""

import ctypes
import errno
import os
import re
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from dsiam_plugin.errors import DatasetError

try:
    import fcntl
except ImportError:  # Windows: temporary files of killed runs stay there
    fcntl = None  # type: ignore[assignment]

PARTIAL, REPLACED = "partial", "replaced"  # marks in temporary names: what comes, what was there
RENAME_EXCHANGE = 2  # of Linux's renameat2
DISK_ERRORS = (errno.ENOSPC, errno.EFBIG, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC))
AT_FDCWD = -100  # relative paths start at the working directory


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Lends a temporary name to write to and renames it to ``path`` on success.

    The temporary name keeps the suffix, because video and image writers choose their format by
    it. On any exception (interrupts too) it is removed and an older file at ``path`` stays.

    Yields:
        A name in the same folder, of an empty file.

    Raises:
        OSError: The folder cannot be written, or the caller removed the file.
    """
    final = _named(path)
    _sweep(final)
    if final.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder; expected a file's name", str(final))
    if final.exists() and not final.is_file():  # renaming would put a file in its place
        raise OSError(errno.EINVAL, "is a pipe or device; expected a file's name", str(final))
    with _temporary(final, _make_file) as temporary:
        yield temporary
        _flush(temporary)
        if final.exists():
            shutil.copymode(final, temporary)
        os.replace(temporary, final)


@contextmanager
def atomic_write(
    path: str | os.PathLike, mode: str = "w", encoding: str | None = "utf-8"
) -> Iterator[IO]:
    """Open a file that appears under its name only once it is complete.

    Args:
        path: The file to write; its folder is made where it is missing.
        mode: "w" for text (line ends are written as they are) or "wb" for bytes.
        encoding: Encoding of text; ignored for bytes.

    Yields:
        The open file.

    Raises:
        OSError: The folder cannot be made or written.
    """
    encoding, newline = (None, None) if "b" in mode else (encoding, "")
    with (
        atomic_path(Path(path)) as temporary,
        open(temporary, mode, encoding=encoding, newline=newline) as file,
    ):
        yield file


def write_text(path: str | Path, text: str) -> None:
    """Writes UTF-8 text with Unix line ends on every system, atomically."""
    with atomic_write(path) as file:
        file.write(text)


@contextmanager
def atomic_folder(path: str | Path, *, replace: bool = False) -> Iterator[Path]:
    """Lends a temporary folder and renames it to ``path`` on success.

    Args:
        path: Final name.
        replace: A folder that is there gives way, in one step where the system can; otherwise
            nothing or an empty folder may be there.

    Yields:
        An existing empty folder beside ``path``.

    Raises:
        OSError: ``path`` is a file, or a folder that is not empty and must stay, or cannot be
            written.
    """
    final = _named(path)
    _sweep(final)
    if final.exists() and not (final.is_dir() and (replace or not any(final.iterdir()))):
        raise FileExistsError(f"{final} exists; expected a new name or an empty folder")
    with _temporary(final, os.mkdir) as temporary:
        yield temporary
        if replace and final.exists():
            _replace_folder(temporary, final)
        else:
            if os.name == "nt" and final.exists():
                final.rmdir()  # os.replace cannot overwrite a folder there
            os.replace(temporary, final)


def check_destination(out: Path, marker: str, kind: str, *, force: bool) -> None:
    """Refuse to mix with or to remove what the same command did not make.

    Args:
        out: Folder to make.
        marker: File that every folder of this kind holds.
        kind: What it is called, with its article.
        force: One of this kind may be replaced.

    Raises:
        DatasetError: ``out`` exists and is in use.
    """
    _sweep(_named(out))
    if not out.exists() and not out.is_symlink():
        return
    if not out.is_dir() or out.is_symlink():
        raise DatasetError(f"{out}: exists and is not a folder")
    if not any(out.iterdir()):
        return
    if not (out / marker).is_file():
        raise DatasetError(f"{out}: holds other files (no {marker}); expected a new folder")
    if not force:
        raise DatasetError(f"{out}: already holds {kind}; --force replaces it")


@contextmanager
def _temporary(final: Path, make: Callable[[Path], object]) -> Iterator[Path]:
    """Lends a fresh file or folder beside ``final``, locked, and removes it where it is left."""
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary, lock = _make_locked(final, make)
    try:
        yield temporary
    except OSError as error:
        if error.filename is None and error.errno in DISK_ERRORS:  # of a write, which has no name
            raise OSError(error.errno, error.strerror, str(final)) from error
        raise
    finally:
        _remove(temporary)
        _unlock(lock)


def _make_locked(final: Path, make: Callable[[Path], object]) -> tuple[Path, int | None]:
    """A fresh temporary file or folder and its lock; made anew where a sweep was faster."""
    while True:
        temporary = _beside(final, PARTIAL)
        try:
            make(temporary)
        except OSError as error:  # it names the temporary file, which nobody asked for
            raise OSError(error.errno, error.strerror, str(final)) from error
        lock = _lock(temporary, wait=True)
        if temporary.exists():
            return temporary, lock
        _unlock(lock)


def _make_file(path: Path) -> None:
    """Creates an empty file with the permissions that the process's mask leaves."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))


def _named(path: str | Path) -> Path:
    """The path, absolute where it ends in no name, as ``.`` does."""
    return Path(path) if Path(path).name not in ("", "..") else Path(os.path.abspath(path))


def _beside(final: Path, mark: str) -> Path:
    """A new hidden name in the folder of ``final``, with its suffix."""
    return final.with_name(f".{final.stem}.{mark}-{secrets.token_hex(4)}{final.suffix}")


def _replace_folder(new: Path, final: Path) -> None:
    """Puts ``new`` in the place of ``final``; the old folder is removed by the caller or here.

    Where the two names cannot be exchanged in one step, a kill between the two renames leaves
    the old folder under a hidden name, and :func:`_sweep` brings it back.
    """
    if _exchange(new, final):
        return
    aside = _beside(final, REPLACED)
    lock = _lock(final, wait=True)
    try:
        os.rename(final, aside)
        os.rename(new, final)
        _remove(aside)
    finally:
        _unlock(lock)


def _exchange(first: Path, second: Path) -> bool:
    """Swaps two names in one step; False where the system or the disk cannot."""
    if sys.platform != "linux":
        return False
    call = getattr(ctypes.CDLL(None), "renameat2", None)
    if call is None:
        return False
    names = os.fsencode(first), os.fsencode(second)
    return call(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE) == 0


def _sweep(final: Path) -> None:
    """Removes what killed runs left beside ``final``; brings back a folder they had moved away."""
    stem, suffix = re.escape(final.stem), re.escape(final.suffix)
    pattern = re.compile(rf"\.{stem}\.({PARTIAL}|{REPLACED})-[0-9a-f]{{8}}{suffix}")
    try:
        names = os.listdir(final.parent)
    except OSError:  # no such folder yet; others are reported when it is written to
        return
    for match in filter(None, map(pattern.fullmatch, names)):
        left = final.with_name(match[0])
        lock = _lock(left, wait=False)
        if lock is None:  # its run goes on, or this disk has no locks
            continue
        if match[1] == REPLACED and not final.exists():
            os.rename(left, final)
        else:
            _remove(left)
        _unlock(lock)


def _remove(path: Path) -> None:
    """Removes a file or folder, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _lock(path: Path, *, wait: bool) -> int | None:
    """A handle that keeps others from locking the file or folder; None where there is none."""
    if fcntl is None:
        return None
    handle = None
    with suppress(OSError):  # held by another, gone, or a network disk without locks
        handle = os.open(path, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return handle
    _unlock(handle)
    return None


def _unlock(handle: int | None) -> None:
    """Gives a lock back."""
    if handle is not None:
        os.close(handle)


def _flush(path: Path) -> None:
    """Waits until the file's bytes are on the disk, before its name is."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
