"""Packed training data: crops around annotated targets, cut once, read by memory mapping.

A pack is a folder with ``crops.npy`` (N, S, S, 3) uint8 RGB, ``boxes.npy`` (N, 4) float32 and
``pack.json``. Every crop shows one annotated target in the middle, scaled so that its exemplar
window (the context side of ``crops.context_side``) covers ``exemplar_size`` pixels. The side S is
larger than a search region, so shifts, scales and a tracker's own drift are cut from the same crop.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.io.files import write_text

FORMAT = "dsiam-pack-1"
CROPS, BOXES, INDEX = "crops.npy", "boxes.npy", "pack.json"
NPY_HEADER_BYTES = 128


@dataclass(frozen=True)
class Track:
    """One target over successive frames of one video."""

    name: str  # name of the track, unique in its pack
    video: str  # what it was cut from; tracks of one video may show the same target
    start: int  # start, stop: its rows in the pack
    stop: int
    frames: tuple[int, ...]  # the row's frame numbers in the video, increasing

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class PackGeometry:
    """Size and scale of the crops."""

    side: int = 351  # side S of every crop in px
    exemplar_size: int = 127  # what the target's exemplar window measures in the crop, px
    context: float = 0.5  # share of (w + h) added to each side of the target


@dataclass(frozen=True)
class Pack:
    """An open pack; rows are read from the disk when they are used."""

    path: Path  # the folder
    crops: np.ndarray  # (N, S, S, 3) uint8 RGB, memory-mapped
    boxes: np.ndarray  # (N, 4) float32 `(x, y, w, h)` of the target in the crop, 0-based px
    tracks: tuple[Track, ...]  # in the order of their rows
    geometry: PackGeometry  # how the crops were cut


def open_pack(path: str | Path) -> Pack:
    """Opens a pack without reading its crops.

    Raises:
        DatasetError: If the folder is no pack or its parts do not fit each other.
    """
    folder = Path(path)
    try:
        geometry, tracks = _read_index(folder / INDEX)
        crops = np.load(folder / CROPS, mmap_mode="r")
        boxes = np.load(folder / BOXES)
    except (OSError, ValueError, EOFError) as error:
        raise DatasetError(f"{folder}: not a readable pack ({error})") from error
    rows = sum(len(track) for track in tracks)
    expected = (rows, geometry.side, geometry.side, 3)
    if crops.shape != expected or crops.dtype != np.uint8 or boxes.shape != (rows, 4):
        raise DatasetError(
            f"{folder}: crops {crops.shape} and boxes {boxes.shape}, expected {expected} and "
            f"{(rows, 4)} for the tracks of {INDEX}"
        )
    return Pack(folder, crops, boxes, tracks, geometry)


def _read_index(path: Path) -> tuple[PackGeometry, tuple[Track, ...]]:
    """Geometry and tracks of ``pack.json``."""
    index = json.loads(path.read_text(encoding="utf-8"))
    form = index.get("format") if isinstance(index, dict) else None
    if form != FORMAT:
        raise ValueError(f"{path.name}: format {form!r}, expected {FORMAT!r}")
    try:
        geometry = PackGeometry(**index["geometry"])
        items = [{**item, "frames": tuple(item["frames"])} for item in index["tracks"]]
        tracks = tuple(Track(**item) for item in items)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path.name}: unexpected entries ({error!r})") from error
    row = 0
    for track in tracks:
        if track.start != row or len(track) != len(track.frames) or not track.frames:
            raise ValueError(
                f"{path.name}: track {track.name} has {len(track.frames)} frames and rows"
                f" {track.start} to {track.stop}; expected rows from {row} on, one a frame"
            )
        row = track.stop
    return geometry, tracks


@dataclass
class PackWriter:
    """Writes a pack row by row into an existing empty folder.

    Use it as a context manager: the index is written at the end, and only if nothing was raised,
    so an interrupted run leaves a folder that :func:`open_pack` refuses.
    """

    path: Path
    geometry: PackGeometry = field(default_factory=PackGeometry)

    def __post_init__(self) -> None:
        """Open the file of crops; its header is written when the number of rows is known."""
        self._tracks: list[Track] = []
        self._boxes: list[np.ndarray] = []
        self._stream = (self.path / CROPS).open("wb")
        self._stream.write(b"\0" * NPY_HEADER_BYTES)

    def __enter__(self) -> PackWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *details: object) -> None:
        with self._stream:
            if kind is None:
                self._stream.seek(0)
                self._stream.write(_npy_header(len(self._boxes), self.geometry.side))
        if kind is None:
            np.save(self.path / BOXES, np.array(self._boxes, np.float32).reshape(-1, 4))
            index = {
                "format": FORMAT,
                "geometry": asdict(self.geometry),
                "tracks": [asdict(track) for track in self._tracks],
            }
            write_text(self.path / INDEX, json.dumps(index))

    def add(
        self,
        name: str,
        video: str,
        frames: Sequence[int],
        crops: Sequence[np.ndarray],
        boxes: Sequence[Sequence[float]],
    ) -> None:
        """Appends a track.

        Args:
            name: Name of the track.
            video: What it was cut from.
            frames: Frame numbers, increasing.
            crops: (S, S, 3) uint8 RGB each.
            boxes: ``(x, y, w, h)`` in the crop, one a frame.

        Raises:
            DatasetError: If the lengths differ or a crop has another shape.
        """
        side = self.geometry.side
        if not len(frames) == len(crops) == len(boxes) > 0:
            raise DatasetError(
                f"track {name}: {len(frames)} frames, {len(crops)} crops and {len(boxes)} boxes; "
                "expected equal numbers, at least one"
            )
        for crop in crops:
            if crop.shape != (side, side, 3) or crop.dtype != np.uint8:
                raise DatasetError(
                    f"track {name}: crop {crop.shape} {crop.dtype}, expected ({side}, {side}, 3) "
                    "uint8"
                )
        start = len(self._boxes)
        for crop, box in zip(crops, boxes, strict=True):
            self._stream.write(np.ascontiguousarray(crop).tobytes())
            self._boxes.append(np.asarray(box, np.float32))
        frame_numbers = tuple(int(frame) for frame in frames)
        self._tracks.append(Track(name, video, start, start + len(frames), frame_numbers))


def _npy_header(rows: int, side: int) -> bytes:
    """NumPy's own header for the crops, padded to the bytes kept free for it."""
    fields = {"descr": "|u1", "fortran_order": False, "shape": (rows, side, side, 3)}
    text = repr(fields).encode("latin1")
    padding = NPY_HEADER_BYTES - 10 - len(text) - 1
    size = (NPY_HEADER_BYTES - 10).to_bytes(2, "little")
    return b"\x93NUMPY\x01\x00" + size + text + b" " * padding + b"\n"
