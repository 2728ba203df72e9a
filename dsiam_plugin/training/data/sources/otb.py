"""Folders laid out like OTB: ``NAME/img/0001.jpg`` and ``NAME/groundtruth_rect.txt``."""

import re
from dataclasses import dataclass
from pathlib import Path

from dsiam_plugin.errors import DatasetError, ImageError
from dsiam_plugin.evaluation.datasets.annotations import read_annotated_boxes
from dsiam_plugin.io.folders import subfolders
from dsiam_plugin.training.data.sources.footage import Footage, Scan, Skip
from dsiam_plugin.training.data.sources.rectangles import rectangle_footage

ANNOTATIONS = "groundtruth_rect*.txt"
VIDEO_OF = r"(.+?)(?:_\d{3})?"


@dataclass(frozen=True)
class OTBFolders:
    """Sequences in OTB's layout; the top-left pixel of an annotation is (1, 1).

    Several ``groundtruth_rect.N.txt`` in a folder are several targets.
    """

    root: Path  # folder of the sequences
    # Regular expression that matches a whole folder name, the video being its first group. By
    # default `_NNN` at the end numbers the sequences cut from one video
    video_of: str = VIDEO_OF

    def __post_init__(self) -> None:
        """Check the expression."""
        try:
            groups = re.compile(self.video_of).groups
        except re.error as error:
            raise DatasetError(f"video-of {self.video_of!r}: {error}") from error
        if groups < 1:
            raise DatasetError(f"video-of {self.video_of!r}: expected a group, as in '(.+)-[0-9]+'")

    def units(self) -> list[str]:
        """Folders that hold annotations or images."""
        names = [
            name
            for name in subfolders(self.root)
            if (self.root / name / "img").is_dir() or any((self.root / name).glob(ANNOTATIONS))
        ]
        if not names:
            raise DatasetError(
                f"{self.root}: no sequences; expected NAME/img/0001.jpg and so on with"
                " NAME/groundtruth_rect.txt"
            )
        return names

    def read(self, unit: str) -> Scan:
        """All targets of a sequence."""
        scan = Scan()
        files = sorted((self.root / unit).glob(ANNOTATIONS))
        if not files:
            scan.skips.append(Skip("no annotations", unit, "video"))
        for path in files:
            number = path.stem.removeprefix("groundtruth_rect").lstrip("._")
            name = f"{unit}.{number}" if number else unit
            try:
                scan.targets.append(self._target(name, unit, path))
            except (DatasetError, ImageError) as error:
                scan.skips.append(Skip("bad sequence", name, "track", detail=str(error)))
        return scan

    def describe(self) -> dict[str, str | int]:
        """Source and options, for the report."""
        return {"name": "otb", "folder": self.root.name, "video_of": self.video_of}

    def _target(self, name: str, unit: str, path: Path) -> Footage:
        match = re.fullmatch(self.video_of, unit)
        video = (match.group(1) if match else None) or unit
        boxes = read_annotated_boxes(path, first_pixel=1)
        folder = self.root / unit / "img"
        return rectangle_footage(name, folder, boxes, sequence=unit, video=video)
