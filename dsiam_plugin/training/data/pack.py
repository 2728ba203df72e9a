"""Packed training data: crops around annotated targets, cut once, read by memory mapping.

A pack is a folder with ``crops.npy`` (N, S, S, 3) uint8 RGB, ``boxes.npy`` (N, 4) float32 and
``pack.json``. Every crop shows one annotated target in the middle, scaled so that its exemplar
window (the context side of ``crops.context_side``) covers ``exemplar_size`` pixels. The side S is
larger than a search region, so shifts, scales and a tracker's own drift are cut from the same crop.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.io.files import write_text
from dsiam_plugin.io.messages import excerpt, fail
from dsiam_plugin.io.parsing import read_json

FORMAT = "dsiam-pack-1"
CROPS, BOXES, INDEX = "crops.npy", "boxes.npy", "pack.json"
NPY_HEADER_BYTES = 128
_TRACK: dict[str, Any] = {"name": str, "video": str, "start": int, "stop": int, "frames": [int]}
_SHAPE: dict[str, Any] = {
    "format": str,
    "geometry": {"side": int, "exemplar_size": int, "context": float},
    "tracks": [_TRACK],
}


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
    index = read_json(folder / INDEX, DatasetError, "the index of a pack", _SHAPE)
    geometry, tracks = _read_index(folder / INDEX, index)
    rows = sum(len(track) for track in tracks)
    crops = _open_array(folder / CROPS, np.uint8, (rows, geometry.side, geometry.side, 3))
    boxes = np.array(_open_array(folder / BOXES, np.float32, (rows, 4)))
    if not (np.isfinite(boxes).all() and (boxes[:, 2:] > 0).all()):
        fail(DatasetError, folder / BOXES, "a box that is empty or not finite")
    return Pack(folder, crops, boxes, tracks, geometry)


def _read_index(path: Path, index: Mapping[str, Any]) -> tuple[PackGeometry, tuple[Track, ...]]:
    """Geometry and tracks of ``pack.json``.

    Raises:
        DatasetError: It is of another format, or its tracks do not follow each other.
    """
    if index["format"] != FORMAT:
        fail(DatasetError, path, f"format {excerpt(index['format'])}", FORMAT)
    geometry = PackGeometry(**{key: index["geometry"][key] for key in _SHAPE["geometry"]})
    row, tracks = 0, []
    for item in index["tracks"]:
        track = Track(**{**{key: item[key] for key in _TRACK}, "frames": tuple(item["frames"])})
        if track.start != row or track.stop - row != len(track.frames) or not track.frames:
            fail(
                DatasetError,
                path,
                f"track {excerpt(track.name)} has {len(track.frames)} frames and rows"
                f" {excerpt(track.start)} to {excerpt(track.stop)}",
                f"rows from {row} on, one a frame",
            )
        row = track.stop
        tracks.append(track)
    return geometry, tuple(tracks)


def _open_array(path: Path, kind: type[np.generic], shape: tuple[int, ...]) -> np.ndarray:
    """The array of a ``.npy`` file, memory-mapped.

    Raises:
        DatasetError: It cannot be read, or is of another type or shape.
    """
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # NumPy parses the header with Python's own tokenizer
        fail(DatasetError, path, f"not a readable array ({error})")
    if array.shape != shape or array.dtype != kind:
        found = f"{array.dtype} {excerpt(array.shape)}"
        fail(DatasetError, path, found, f"{kind.__name__} {shape} for the tracks of {INDEX}")
    return array


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
