"""ILSVRC-2015 VID: a folder of frames a snippet and an XML file a frame.

``Data/VID/train/ILSVRC2015_VID_train_0000/ILSVRC2015_train_00000000/000000.JPEG`` goes with the
same path in ``Annotations/VID`` ending in ``.xml``; in ``val`` the snippets are not grouped. The
last three digits of a snippet's name number the snippets of one video.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from dsiam_plugin.errors import DatasetError, ImageError
from dsiam_plugin.io.folders import frame_files, is_hidden, subfolders
from dsiam_plugin.training.data.sources.footage import Flag, Footage, Scan, Skip, frame_size

VIDEO = re.compile(r"(ILSVRC\d+_(?:train|val)_\d{5})\d{3}")
CORNERS = ("xmin", "ymin", "xmax", "ymax")


class Sighting(NamedTuple):
    """An object in a frame: frame number, image, box (x, y, w, h) and flags."""

    frame: int
    image: str
    box: tuple[float, float, float, float]
    flags: int


class FrameNotes(NamedTuple):
    """An annotation file: frame size (0, 0 if unknown) and objects by track id ("" if none)."""

    size: tuple[int, int]
    objects: list[tuple[str, ElementTree.Element]]


@dataclass(frozen=True)
class ILSVRCVideo:
    """The VID part of ILSVRC-2015.

    Boxes are inclusive corners counted from 0. Objects of a snippet are told apart by their
    ``trackid``.
    """

    root: Path  # folder with `Annotations` and `Data`, or its parent
    split: str = "train"  # `train` or `val`

    def units(self) -> list[str]:
        """Paths of the snippets below the split."""
        top = self._part("Annotations")
        snippets = []
        for name in subfolders(top):
            snippets += [f"{name}/{inner}" for inner in subfolders(top / name)] or [name]
        if not snippets:
            raise DatasetError(f"{top}: no snippets; expected the XML annotations of {self.split}")
        return snippets

    def read(self, unit: str) -> Scan:
        """All targets of a snippet."""
        name = unit.rsplit("/", 1)[-1]
        folder = self._part("Annotations") / unit
        files = sorted(path for path in folder.glob("*.xml") if not is_hidden(path.name))
        if not files:
            return Scan(skips=[Skip("no annotations", name, "video")])
        images = self._part("Data") / unit
        tracks, size, troubles = read_snippet(files, images)
        scan = Scan(skips=[Skip(why, name, "frame", count) for why, count in troubles.items()])
        if not tracks:
            scan.skips.append(Skip("no objects", name, "video", detail=f"{len(files)} frames"))
            return scan
        try:
            size = size or frame_size(images, [row.image for row in next(iter(tracks.values()))])
        except ImageError as error:
            scan.skips.append(Skip("bad sequence", name, "video", detail=str(error)))
            return scan
        scan.targets += [footage(name, track, rows, images, size) for track, rows in tracks.items()]
        return scan

    def describe(self) -> dict[str, str | int]:
        """Source and options, for the report."""
        return {"name": "ilsvrc", "folder": self.root.name, "split": self.split}

    def _part(self, part: str) -> Path:
        """Folder of the split's annotations or images."""
        inner = self.root / "ILSVRC2015"
        return (inner if inner.is_dir() else self.root) / part / "VID" / self.split


def read_snippet(
    files: list[Path], images: Path
) -> tuple[dict[str, list[Sighting]], tuple[int, int] | None, Counter[str]]:
    """Objects of a snippet by track id, its frame size, and how often something was wrong."""
    names = {Path(name).stem: name for name in frame_files(images)}
    tracks: defaultdict[str, list[Sighting]] = defaultdict(list)
    troubles: Counter[str] = Counter()
    size = None
    for path in files:
        try:
            notes = parse(path)
        except DatasetError:
            troubles["annotation unreadable"] += 1
            continue
        if not notes.objects:
            troubles["no objects"] += 1
        size = size or (notes.size if min(notes.size) > 0 else None)
        for track, element in distinct(notes.objects, troubles):
            image = names.get(path.stem, "")
            tracks[track].append(sighting(element, int(path.stem), image))
    return dict(sorted(tracks.items())), size, troubles


def distinct(
    objects: list[tuple[str, ElementTree.Element]], troubles: Counter[str]
) -> Iterator[tuple[str, ElementTree.Element]]:
    """Objects of a frame whose track id is there and not given twice."""
    seen = set()
    for track, element in objects:
        if not track:
            troubles["object without track id"] += 1
        elif track in seen:
            troubles["track id given twice"] += 1
        else:
            seen.add(track)
            yield track, element


def parse(path: Path) -> FrameNotes:
    """Read an annotation file.

    Raises:
        DatasetError: It is no XML, or its name is no frame number.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, OSError, ValueError, LookupError) as error:
        raise DatasetError(f"{path}: not readable as XML ({error})") from error
    if not path.stem.isdecimal():
        raise DatasetError(f"{path}: expected a frame number, as in 000000.xml")
    size = tuple(int(number(root, f"size/{side}", 0)) for side in ("width", "height"))
    objects = [((item.findtext("trackid") or "").strip(), item) for item in root.iter("object")]
    return FrameNotes((size[0], size[1]), objects)


def sighting(element: ElementTree.Element, frame: int, image: str) -> Sighting:
    """One ``<object>`` of an annotation file; a box that is not there is NaN."""
    left, top, right, bottom = (number(element, f"bndbox/{corner}", math.nan) for corner in CORNERS)
    flags = Flag.NO_IMAGE * (not image)
    flags |= Flag.OCCLUDED * (number(element, "occluded", 0) > 0)
    flags |= Flag.GENERATED * (number(element, "generated", 0) > 0)
    return Sighting(frame, image, (left, top, right - left + 1, bottom - top + 1), int(flags))


def number(element: ElementTree.Element, path: str, default: float) -> float:
    """The finite number in a child element, or the default."""
    try:
        value = float(element.findtext(path) or "")
    except ValueError:
        return default
    return value if math.isfinite(value) else default


def footage(
    snippet: str, track: str, rows: list[Sighting], folder: Path, size: tuple[int, int]
) -> Footage:
    """The sightings of one track id as footage."""
    match = VIDEO.fullmatch(snippet)
    return Footage(
        name=f"{snippet}.{track}",
        sequence=snippet,
        video=match.group(1) if match else snippet,
        folder=folder,
        images=tuple(row.image for row in rows),
        frames=np.array([row.frame for row in rows], np.int64),
        boxes=np.array([row.box for row in rows], np.float64),
        flags=np.array([row.flags for row in rows], np.uint8),
        size=size,
    )
