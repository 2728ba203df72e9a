"""The metadata files of pysot, `NAME.json`: one entry a sequence."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.io.files import atomic_write
from dsiam_plugin.io.messages import excerpt, fail
from dsiam_plugin.io.parsing import read_json
from dsiam_plugin.io.shapes import check_shape

TAGS = ("camera_motion", "illum_change", "motion_change", "size_change", "occlusion")
_SHAPE = {
    str: {
        "video_dir": str, "init_rect": list, "img_names": [str], "gt_rect": list,
        "attr?": ([str], None), "width?": (int, None), "height?": (int, None), "skip?": int,
        "absent?": [float], **{f"{tag}?": [float] for tag in TAGS},
    }
}  # fmt: skip
MAX_SIDE = 1 << 20  # px
_LARGEST = 1 << 30  # bytes; LaSOT's file has about 10^8
_SUFFIXES = ("", "_new")  # pysot used both
_LOCAL_KEYS = ("skip",)  # of the metadata here, unknown to pysot


def read_metadata(root: Path, names: Iterable[str]) -> dict[str, dict] | None:
    """The metadata file in `root` under the first of the names that is there, or None.

    Raises:
        DatasetError: The file is damaged.
    """
    for file_name in [f"{name}{suffix}.json" for name in names for suffix in _SUFFIXES]:
        path = root / file_name
        if path.is_file():
            videos = read_json(path, DatasetError, "sequences by name", _SHAPE, _LARGEST)
            for name, entry in videos.items():
                _check(path, name, entry)
            return videos
    return None


def write_metadata(path: Path, videos: Mapping[str, Mapping]) -> None:
    """Write sequences in pysot's schema, atomically."""
    table = {
        name: {key: value for key, value in entry.items() if key not in _LOCAL_KEYS}
        for name, entry in videos.items()
    }
    with atomic_write(path) as file:
        json.dump(table, file)


def _check(path: Path, name: str, entry: dict) -> None:
    """Check an entry and put its names of files into the form of this system."""
    where = f"{path}: sequence {excerpt(name)}"
    frames, rows = len(entry["img_names"]), len(entry["gt_rect"])
    if not rows or rows not in (1, frames):
        fail(DatasetError, where, f"{frames} img_names and {rows} gt_rect", "as many, or one box")
    _check_regions(where, [entry["init_rect"]])
    _check_regions(where, entry["gt_rect"])
    for key in (*TAGS, "absent"):
        if entry.get(key) and len(entry[key]) != frames:
            fail(
                DatasetError, where, f"{len(entry[key])} values of {key}", f"{frames}, one a frame"
            )
    for key in ("width", "height"):
        if entry.get(key) and not 1 <= entry[key] <= MAX_SIDE:
            fail(DatasetError, where, f"{key} {excerpt(entry[key])}", f"1 to {MAX_SIDE} px")
    entry["video_dir"] = entry["video_dir"].replace("\\", "/")
    entry["img_names"] = [image.replace("\\", "/") for image in entry["img_names"]]


def _check_regions(where: str, regions: list) -> None:
    """Check that regions are boxes or polygons; as arrays, for a benchmark has millions."""
    try:
        numbers = np.asarray(regions)
    except (ValueError, OverflowError):  # of several lengths
        numbers = np.empty(0)
    if numbers.ndim == 2 and numbers.dtype.kind in "fiu" and not np.isinf(numbers).any():
        widths = {numbers.shape[1]}
    else:
        check_shape(regions, [[float]], where, DatasetError)
        widths = set(map(len, regions))
    bad = [width for width in widths if width < 4 or (width > 4 and width % 2)]
    if bad:
        fail(DatasetError, where, f"a region of {bad[0]} numbers", "x,y,w,h or a polygon")
