"""LaSOT: ``airplane/airplane-1/img/00000001.jpg`` and ``airplane/airplane-1/groundtruth.txt``.

``full_occlusion.txt`` and ``out_of_view.txt`` are one line of 0 and 1, a number a frame; where
either is 1 the target cannot be seen.
"""

from dataclasses import dataclass
from pathlib import Path

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.evaluation.datasets.annotations import read_annotated_boxes
from dsiam_plugin.io.folders import is_hidden
from dsiam_plugin.training.data.sources.footage import Footage, Scan
from dsiam_plugin.training.data.sources.got10k import visibility_flags
from dsiam_plugin.training.data.sources.rectangles import rectangle_footage, scan_sequence

ANNOTATIONS = "groundtruth.txt"


@dataclass(frozen=True)
class LaSOT:
    """Sequences of LaSOT; the top-left pixel of an annotation is taken to be (1, 1)."""

    root: Path

    def units(self) -> list[str]:
        """Paths of the sequences below the root."""
        sequences = {
            path.parent.relative_to(self.root).as_posix()
            for pattern in ("*", "*/*")
            for name in ("img", ANNOTATIONS)
            for path in self.root.glob(f"{pattern}/{name}")
            if not is_hidden(path.parent.name)
        }
        if not sequences:
            raise DatasetError(
                f"{self.root}: no sequences; expected airplane/airplane-1/{ANNOTATIONS} and so on"
            )
        return sorted(sequences)

    def read(self, unit: str) -> Scan:
        """The target of a sequence."""
        folder = self.root / unit
        return scan_sequence(folder / ANNOTATIONS, folder.name, lambda: self._target(folder))

    def describe(self) -> dict[str, str | int]:
        """Source and options, for the report."""
        return {"name": "lasot", "folder": self.root.name}

    def _target(self, folder: Path) -> Footage:
        boxes = read_annotated_boxes(folder / ANNOTATIONS, first_pixel=1)
        flags = visibility_flags(folder, len(boxes))
        return rectangle_footage(folder.name, folder / "img", boxes, flags)
