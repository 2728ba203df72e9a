"""Folders that a command makes as a whole, and may replace where it made them before."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dsiam_plugin.errors import DatasetError


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
def replaced_folder(out: Path) -> Iterator[Path]:
    """Lend an empty folder that takes the place of ``out`` if nothing is raised.

    Raises:
        OSError: The folders cannot be made or renamed.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as workshop:
        fresh = Path(workshop) / "new"
        fresh.mkdir()
        yield fresh
        if out.exists():
            out.rename(Path(workshop) / "old")
        fresh.rename(out)
