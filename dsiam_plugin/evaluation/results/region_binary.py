"""The VOT toolkit's binary trajectory files, `<sequence>_001.bin`.

Little-endian: int16 version (1), uint32 number of regions, then for each a uint8 kind and

- 0, code: uint32;
- 1, box: four float32, x, y, w, h;
- 2, polygon: uint16 number of corners, then two float32 a corner;
- 3, mask: not supported here.
"""

import os
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.io.files import atomic_write

VERSION = 1
CODE, BOX, POLYGON, MASK = 0, 1, 2, 3
_HEADER = struct.Struct("<hI")
_KIND = struct.Struct("<B")
_CODE = struct.Struct("<I")
_BOX = struct.Struct("<4f")
_CORNERS = struct.Struct("<H")


def read_binary(path: str | os.PathLike) -> list[list[float]]:
    """Read a binary trajectory.

    Returns:
        One list a frame: a code (1 number), a box (4) or a polygon (2n).

    Raises:
        ResultsError: The file cannot be read, is cut short, is no trajectory or holds masks.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read ({error.strerror})") from None
    regions: list[list[float]] = []
    try:
        version, count = _HEADER.unpack_from(data)
        if version != VERSION:
            raise ResultsError(f"{path}: format version {version}, expected {VERSION}")
        offset = _HEADER.size
        while len(regions) < count:
            region, offset = _read_region(data, offset, f"{path}: region {len(regions) + 1}")
            regions.append(region)
    except struct.error:
        raise ResultsError(f"{path}: cut short after {len(regions)} regions") from None
    return regions


def write_binary(path: str | os.PathLike, regions: Iterable[Sequence[float]]) -> None:
    """Write a binary trajectory, atomically."""
    packed = [_pack_region(region) for region in regions]
    with atomic_write(path, "wb") as file:
        file.write(_HEADER.pack(VERSION, len(packed)) + b"".join(packed))


def _read_region(data: bytes, offset: int, where: str) -> tuple[list[float], int]:
    """The region at `offset` and the offset behind it."""
    (kind,) = _KIND.unpack_from(data, offset)
    offset += _KIND.size
    if kind == POLYGON:
        (corners,) = _CORNERS.unpack_from(data, offset)
        offset += _CORNERS.size
        layout = struct.Struct(f"<{2 * corners}f")
    elif kind in (CODE, BOX):
        layout = _CODE if kind == CODE else _BOX
    else:
        found = "a mask" if kind == MASK else f"kind {kind}"
        raise ResultsError(f"{where} is {found}, expected a code, a box or a polygon")
    return [float(number) for number in layout.unpack_from(data, offset)], offset + layout.size


def _pack_region(region: Sequence[float]) -> bytes:
    if len(region) == 1:
        return _KIND.pack(CODE) + _CODE.pack(int(region[0]))
    if len(region) == 4:
        return _KIND.pack(BOX) + _BOX.pack(*region)
    corners = len(region) // 2
    return _KIND.pack(POLYGON) + struct.pack(f"<H{2 * corners}f", corners, *region)
