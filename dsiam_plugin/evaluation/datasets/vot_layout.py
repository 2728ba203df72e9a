"""The VOT toolkit's folders: `list.txt`, `<sequence>/{sequence,groundtruth.txt,color/}`."""

import math
import re
from pathlib import Path, PurePosixPath
from typing import Any

from dsiam_plugin.errors import DatasetError, ResultsError
from dsiam_plugin.evaluation.datasets.annotations import read_annotated_regions
from dsiam_plugin.evaluation.results.files import read_values
from dsiam_plugin.io.messages import excerpt, fail
from dsiam_plugin.io.parsing import read_text
from dsiam_plugin.io.shapes import check_name

LIST_FILE = "list.txt"
GROUND_TRUTH = "groundtruth.txt"
PROPERTIES_FILE = "sequence"
DEFAULT_CHANNEL = "color/%08d.jpg"
GOT10K_FILES = ("meta_info.ini", "absence.label", "cover.label")
# pysot's key, then the spellings of the toolkit's `<tag>.tag` and `<tag>.label` files.
TAG_FILES = {
    "camera_motion": ("camera_motion",),
    "illum_change": ("illum_change", "illumination_change"),
    "motion_change": ("motion_change",),
    "size_change": ("size_change",),
    "occlusion": ("occlusion",),
}


def is_root(root: Path) -> bool:
    """True where `root` has a `list.txt` that names at least one sequence folder of VOT in it.

    GOT-10k has lists as well; its sequences have labels or information of their own, or one box.
    """
    if not (root / LIST_FILE).is_file():
        return False
    folders = [root / folder for folder in read_names(root).values()]
    return any(
        (folder / GROUND_TRUTH).is_file()
        and not any((folder / name).exists() for name in GOT10K_FILES)
        and ((folder / PROPERTIES_FILE).is_file() or _has_rows(folder / GROUND_TRUTH))
        for folder in folders
    )


def read_list(root: Path) -> tuple[dict[str, dict], tuple[str, ...]]:
    """Metadata of the sequences that `list.txt` names, in pysot's schema.

    Returns:
        Metadata by name, and the names without a ground truth in `root`.

    Raises:
        DatasetError: A sequence is damaged.
    """
    names = read_names(root)
    present = {
        name: folder for name, folder in names.items() if (root / folder / GROUND_TRUTH).is_file()
    }
    missing = tuple(name for name in names if name not in present)
    return {name: read_sequence(root, folder) for name, folder in present.items()}, missing


def read_names(root: Path) -> dict[str, str]:
    """Sequence names in `list.txt` and their folders below `root`, in order.

    Raises:
        DatasetError: The file is blank, or names something outside `root`.
    """
    path = root / LIST_FILE
    lines = read_text(path, DatasetError, "sequence names").splitlines()
    names = {}
    for row, line in enumerate(lines, start=1):
        folder = PurePosixPath(line.strip().replace("\\", "/"))
        if not folder.parts:
            continue
        if folder.is_absolute() or ".." in folder.parts:
            fail(DatasetError, f"{path}:{row}", excerpt(line), "a folder beside the file")
        names[check_name(folder.name, "sequence", DatasetError, f"{path}:{row}")] = str(folder)
    if not names:
        raise DatasetError(f"{path}: the file is blank, expected sequence names")
    return names


def read_sequence(root: Path, name: str) -> dict:
    """Metadata of one sequence folder, `name` being its path below `root`.

    Raises:
        DatasetError: The ground truth is missing or damaged.
    """
    folder = root / name
    regions = read_annotated_regions(folder / GROUND_TRUTH)
    properties = read_properties(folder / PROPERTIES_FILE)
    pattern = _image_pattern(folder, properties)
    entry: dict[str, Any] = {
        "video_dir": name,
        "init_rect": regions[0],
        "img_names": [f"{name}/{pattern % number}" for number in range(1, len(regions) + 1)],
        "gt_rect": regions,
    }
    entry.update(_tags(folder, len(regions)))
    sizes = [key for key in ("width", "height") if key in properties]
    entry.update({key: _pixels(folder, properties, key) for key in sizes})
    return entry


def read_properties(path: Path) -> dict[str, str]:
    """`key=value` lines of a `sequence` file; empty where there is none."""
    if not path.is_file():
        return {}
    lines = read_text(path, DatasetError, "lines of key=value").splitlines()
    pairs = (line.partition("=") for line in lines)
    return {key.strip(): value.strip() for key, sign, value in pairs if sign}


def _has_rows(path: Path) -> bool:
    """True for more than one row, which is an annotation and not a start box alone."""
    with path.open("rb") as stream:
        return len(stream.read(4096).split(b"\n", 2)) == 3 or bool(stream.read(1))


def _image_pattern(folder: Path, properties: dict[str, str]) -> str:
    """Pattern of the images' names; the first challenges kept them beside the ground truth."""
    flat = (folder / "00000001.jpg").is_file()
    default = DEFAULT_CHANNEL.rpartition("/")[2] if flat else DEFAULT_CHANNEL
    pattern = properties.get("channels.color", default)
    if "." not in PurePosixPath(pattern).name:  # a folder alone, as the VOT toolkit takes it
        pattern = f"{pattern}/{DEFAULT_CHANNEL.rpartition('/')[2]}"
    if not re.fullmatch(r"[^%]*%(0?[1-9])?d[^%]*", pattern):
        fail(
            DatasetError, folder / PROPERTIES_FILE, f"channels.color={excerpt(pattern)}",
            f"a pattern with one number, such as {DEFAULT_CHANNEL}",
        )  # fmt: skip
    return pattern


def _pixels(folder: Path, properties: dict[str, str], key: str) -> int:
    """Width or height of the images."""
    try:
        pixels = float(properties[key])
    except ValueError:
        pixels = math.nan
    if not 1 <= pixels < 1 << 20:
        fail(
            DatasetError, folder / PROPERTIES_FILE, f"{key}={excerpt(properties[key])}",
            "a number of pixels",
        )  # fmt: skip
    return int(pixels)


def _tags(folder: Path, frames: int) -> dict[str, list[int]]:
    tags = {}
    for key, names in TAG_FILES.items():
        files = [folder / f"{name}{suffix}" for name in names for suffix in (".tag", ".label")]
        file = next((path for path in files if path.is_file()), None)
        tags[key] = _read_tag(file, frames) if file else [0] * frames
    return tags


def _read_tag(file: Path, frames: int) -> list[int]:
    """0/1 a frame; a short file is continued with 0, as the VOT toolkit does."""
    try:
        values = read_values(file)
    except ResultsError as error:
        raise DatasetError(str(error)) from None
    flags = (values == 1).astype(int).tolist()[:frames]
    return flags + [0] * (frames - len(flags))
