"""GOT-10k: ``train/GOT-10k_Train_000001/00000001.jpg`` with ``groundtruth.txt`` beside.

``absence.label`` is 1 where the target is not in view, ``cover.label`` says in eighths how much of
it is visible, and ``meta_info.ini`` holds the resolution. All three may be missing.
"""

from __future__ import annotations

import configparser
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dsiam_plugin.errors import DatasetError, ImageError
from dsiam_plugin.io.folders import subfolders
from dsiam_plugin.training.data.sources.footage import Flag, Footage, Scan, Skip, frame_size
from dsiam_plugin.training.data.sources.rectangles import match_images, read_labels, read_rectangles

ANNOTATIONS = "groundtruth.txt"
HALF_VISIBLE = 4  # of 8


@dataclass(frozen=True)
class GOT10k:
    """Sequences of GOT-10k. The top-left pixel of an annotation is taken to be (1, 1).

    Attributes:
        root: Folder of the data set, or of the sequences themselves.
        split: ``train`` or ``val``; of ``test`` only the first boxes are public.
    """

    root: Path
    split: str = "train"

    @property
    def folder(self) -> Path:
        """Where the sequences are."""
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
        if not (folder / ANNOTATIONS).is_file():
            return Scan(skips=[Skip("no annotations", unit, "video")])
        try:
            return Scan(targets=[self._target(folder)])
        except (DatasetError, ImageError) as error:
            return Scan(skips=[Skip("bad sequence", unit, "track", detail=str(error))])

    def describe(self) -> dict[str, str | int]:
        """Source and options, for the report."""
        return {"name": "got10k", "folder": self.root.name, "split": self.split}

    def _target(self, folder: Path) -> Footage:
        boxes = read_rectangles(folder / ANNOTATIONS, first_pixel=1)
        images = match_images(folder, len(boxes))
        return Footage(
            name=folder.name,
            sequence=folder.name,
            video=folder.name,
            folder=folder,
            images=images.names,
            frames=images.frames,
            boxes=boxes,
            flags=images.flags | visibility_flags(folder, len(boxes)),
            size=resolution(folder) or frame_size(folder, images.names),
        )


def visibility_flags(folder: Path, rows: int) -> np.ndarray:
    """(rows,) uint8: ``Flag.ABSENT``, or ``Flag.OCCLUDED`` where less than half is visible.

    Raises:
        DatasetError: A file of labels does not fit.
    """
    absent = read_labels(folder / "absence.label", rows) > 0
    occluded = np.zeros(rows, bool)
    if (folder / "cover.label").is_file():
        cover = read_labels(folder / "cover.label", rows)
        absent |= cover <= 0
        occluded = cover < HALF_VISIBLE
    return (absent * Flag.ABSENT + occluded * Flag.OCCLUDED).astype(np.uint8)


def resolution(folder: Path) -> tuple[int, int] | None:
    """Width and height from ``resolution: (1920, 1080)`` of ``meta_info.ini``, if it says so."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(folder / "meta_info.ini", encoding="utf-8")
        text = parser.get("METAINFO", "resolution", fallback="")
    except (configparser.Error, UnicodeDecodeError):
        return None
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    return (numbers[0], numbers[1]) if len(numbers) == 2 and min(numbers) > 0 else None
