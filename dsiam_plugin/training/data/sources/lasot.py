"""LaSOT: ``airplane/airplane-1/img/00000001.jpg`` and ``airplane/airplane-1/groundtruth.txt``.

``full_occlusion.txt`` and ``out_of_view.txt`` are one line of 0 and 1, a number a frame; where
either is 1 the target cannot be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dsiam_plugin.errors import DatasetError, ImageError
from dsiam_plugin.evaluation.datasets.annotations import read_annotated_boxes
from dsiam_plugin.io.folders import is_hidden
from dsiam_plugin.training.data.sources.footage import Footage, Scan, Skip, frame_size
from dsiam_plugin.training.data.sources.got10k import visibility_flags
from dsiam_plugin.training.data.sources.rectangles import match_images

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
        if not (folder / ANNOTATIONS).is_file():
            return Scan(skips=[Skip("no annotations", folder.name, "video")])
        try:
            return Scan(targets=[self._target(folder)])
        except (DatasetError, ImageError) as error:
            return Scan(skips=[Skip("bad sequence", folder.name, "track", detail=str(error))])

    def describe(self) -> dict[str, str | int]:
        """Source and options, for the report."""
        return {"name": "lasot", "folder": self.root.name}

    def _target(self, folder: Path) -> Footage:
        boxes = read_annotated_boxes(folder / ANNOTATIONS, first_pixel=1)
        images = match_images(folder / "img", len(boxes))
        return Footage(
            name=folder.name,
            sequence=folder.name,
            video=folder.name,
            folder=folder / "img",
            images=images.names,
            frames=images.frames,
            boxes=boxes,
            flags=images.flags | visibility_flags(folder, len(boxes)),
            size=frame_size(folder / "img", images.names),
        )
