"""Names in folders: which are frames, which belong to the system, and the one order of frames.

Every command that lists a folder goes by these rules, so that a folder of frames gives the same
sequence wherever it is read.
"""

import os
import re
from pathlib import Path

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
# Made by archivers, disks and network drives beside the user's own; names with a dot are too.
SYSTEM_NAMES = ("__MACOSX", "__pycache__", "@eaDir", "$RECYCLE.BIN", "lost+found")


def is_hidden(name: str) -> bool:
    """True for names such as ``._0001.jpg``, ``.ipynb_checkpoints`` and ``__MACOSX``."""
    return name.startswith(".") or name in SYSTEM_NAMES


def is_frame(name: str) -> bool:
    """True where a file of this name is a frame: an image's suffix, and not hidden."""
    return Path(name).suffix.lower() in IMAGE_SUFFIXES and not is_hidden(name)


def natural_key(name: str) -> tuple[list[str | int], str]:
    """Sorting key that puts ``frame9`` before ``frame10``; names of equal numbers by letters.

    For numbers padded with zeros this is the order of the names themselves.
    """
    pieces = re.split(r"([0-9]+)", name)
    parts = [int(piece) if position % 2 else piece for position, piece in enumerate(pieces)]
    return parts, name


def frame_files(folder: str | Path) -> list[str]:
    """Names of the frames in a folder, in natural order; empty where there is no such folder.

    A link that leads nowhere counts as a frame: left out, the later frames would move up.

    Raises:
        OSError: The folder cannot be listed.
    """
    if not os.path.isdir(folder):
        return []
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if is_frame(entry.name) and not entry.is_dir()]
    return sorted(names, key=natural_key)


def subfolders(folder: str | Path) -> list[str]:
    """Names of the folders in a folder, sorted, without hidden ones; empty where it is none.

    Raises:
        OSError: The folder cannot be listed.
    """
    if not os.path.isdir(folder):
        return []
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.is_dir()]
    return sorted(name for name in names if not is_hidden(name))
