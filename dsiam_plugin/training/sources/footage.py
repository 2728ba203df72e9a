"""What every source gives: frames with a target's boxes, and a record of what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

VISIBLE, OCCLUDED, ABSENT, NO_IMAGE = range(4)


class Skip(NamedTuple):
    """Something left out of a pack.

    Attributes:
        reason: A few words, the same for every case of the kind.
        where: The video, track or file.
        level: ``video``, ``track``, ``frame`` or ``clip``.
        count: How many of them.
        detail: What was found there.
    """

    reason: str
    where: str
    level: str
    count: int = 1
    detail: str = ""


@dataclass(frozen=True)
class Footage:
    """One target in the successive frames of a video.

    Attributes:
        name: Unique in its source.
        video: What it was filmed in; targets of one video share pictures.
        folder: Where the images are.
        images: File names in the folder, N of them.
        frames: (N,) int64 frame numbers, increasing.
        boxes: (N, 4) float64 ``(x, y, w, h)``, 0-based px; NaN where there is none.
        states: (N,) uint8: ``VISIBLE``, ``OCCLUDED``, ``ABSENT`` or ``NO_IMAGE``.
        size: Width and height of the frames in px.
    """

    name: str
    video: str
    folder: Path
    images: tuple[str, ...]
    frames: np.ndarray
    boxes: np.ndarray
    states: np.ndarray
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: Sequence[int] | np.ndarray) -> Footage:
        """The same target in some of its frames, by index."""
        rows = np.asarray(rows, np.int64)
        return replace(
            self,
            images=tuple(self.images[row] for row in rows),
            frames=self.frames[rows],
            boxes=self.boxes[rows],
            states=self.states[rows],
        )


@dataclass
class Scan:
    """Targets of one unit of a source, and what of it cannot be used."""

    targets: list[Footage] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)


class Source(Protocol):
    """A data set on the disk. Instances travel to worker processes."""

    def units(self) -> list[str]:
        """Names of what :meth:`read` takes, sorted.

        Raises:
            DatasetError: The folder is not laid out as the source demands.
        """

    def read(self, unit: str) -> Scan:
        """Annotations of one unit; trouble with it becomes a :class:`Skip`."""
