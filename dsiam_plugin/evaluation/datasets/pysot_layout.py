"""The metadata files of pysot, `NAME.json`: one entry a sequence."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.io.files import atomic_write

REQUIRED_KEYS = ("video_dir", "init_rect", "img_names", "gt_rect")
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
            videos = parse_json(path)
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


def parse_json(path: Path) -> dict:
    """An object with one entry a sequence.

    Raises:
        DatasetError: The file is none.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read as JSON ({error})") from None
    if not isinstance(content, dict):
        raise DatasetError(f"{path}: expected an object with one entry a sequence")
    return content


def _check(path: Path, name: str, entry: Mapping) -> None:
    lacking = [key for key in REQUIRED_KEYS if key not in entry]
    if lacking:
        raise DatasetError(f"{path}: sequence {name} lacks {', '.join(lacking)}")
    if len(entry["img_names"]) != len(entry["gt_rect"]):
        raise DatasetError(
            f"{path}: sequence {name} has {len(entry['img_names'])} img_names and "
            f"{len(entry['gt_rect'])} gt_rect, expected as many"
        )
