"""GOT-10k: ``train/GOT-10k_Train_000001/00000001.jpg`` with ``groundtruth.txt`` beside.

``absence.label`` is 1 where the target is not in view, ``cover.label`` says in eighths how much of
it is visible, and ``meta_info.ini`` holds the resolution. All three may be missing.
"""

import configparser
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.evaluation.datasets.annotations import (
    COVER_FILE,
    read_annotated_boxes,
    read_hidden,
    read_labels,
)
from dsiam_plugin.io.folders import subfolders
from dsiam_plugin.training.data.sources.footage import Flag, Footage, Scan
from dsiam_plugin.training.data.sources.rectangles import rectangle_footage, scan_sequence

ANNOTATIONS = "groundtruth.txt"
HALF_VISIBLE = 4  # of 8


@dataclass(frozen=True)
class GOT10k:
    """Sequences of GOT-10k. The top-left pixel of an annotation is taken to be (1, 1)."""

    root: Path  # folder of the data set, or of the sequences themselves
    split: str = "train"  # `train` or `val`; of `test` only the first boxes are public

    @property
    def folder(self) -> Path:
        """The folder that holds the sequences."""
        inner = self.root / self.split
        return inner if inner.is_dir() else self.root

    def units(self) -> list[str]:
        """Folders of the split with or without annotations."""
        folder = self.folder
        names = subfolders(folder)
        if not any((folder / name / ANNOTATIONS).is_file() for name in names):
            raise DatasetError(
                f"{folder}: no sequences; expected GOT-10k_Train_000001/{ANNOTATIONS} and so on"
            )
        return names

    def read(self, unit: str) -> Scan:
        """The target of a sequence."""
        folder = self.folder / unit
        return scan_sequence(folder / ANNOTATIONS, unit, lambda: self._target(folder))

    def describe(self) -> dict[str, str | int]:
        """Source and options, for the report."""
        return {"name": "got10k", "folder": self.root.name, "split": self.split}

    def _target(self, folder: Path) -> Footage:
        boxes = read_annotated_boxes(folder / ANNOTATIONS, first_pixel=1)
        flags = visibility_flags(folder, len(boxes))
        return rectangle_footage(folder.name, folder, boxes, flags, resolution(folder))


def visibility_flags(folder: Path, rows: int) -> np.ndarray:
    """(rows,) uint8: ``Flag.ABSENT``, or ``Flag.OCCLUDED`` where less than half is visible.

    Raises:
        DatasetError: A file of labels does not fit.
    """
    flags = np.zeros(rows, np.uint8)
    cover = read_labels(folder / COVER_FILE, rows)
    if cover is not None:
        flags[cover < HALF_VISIBLE] = Flag.OCCLUDED
    hidden = read_hidden(folder, rows)
    if hidden is not None:
        flags[hidden] |= np.uint8(Flag.ABSENT)
    return flags


def resolution(folder: Path) -> tuple[int, int] | None:
    """Width and height from ``resolution: (1920, 1080)`` of ``meta_info.ini``, if it says so."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(folder / "meta_info.ini", encoding="utf-8")
        text = parser.get("METAINFO", "resolution", fallback="")
    except (configparser.Error, UnicodeDecodeError):
        return None
    numbers = [int(number) for number in re.findall(r"[0-9]{1,6}", text)]
    return (numbers[0], numbers[1]) if len(numbers) == 2 and min(numbers) > 0 else None
