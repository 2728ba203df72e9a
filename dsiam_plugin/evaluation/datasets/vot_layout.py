"""The VOT toolkit's folders: `list.txt`, `<sequence>/{sequence,groundtruth.txt,color/}`."""

from pathlib import Path
from typing import Any

from dsiam_plugin.errors import DatasetError, ResultsError
from dsiam_plugin.evaluation.results.files import read_regions, read_values

LIST_FILE = "list.txt"
GROUND_TRUTH = "groundtruth.txt"
PROPERTIES_FILE = "sequence"
DEFAULT_CHANNEL = "color/%08d.jpg"
# pysot's key, then the spellings of the toolkit's `<tag>.tag` and `<tag>.label` files.
TAG_FILES = {
    "camera_motion": ("camera_motion",),
    "illum_change": ("illum_change", "illumination_change"),
    "motion_change": ("motion_change",),
    "size_change": ("size_change",),
    "occlusion": ("occlusion",),
}


def is_root(root: Path) -> bool:
    """Whether `root` has a `list.txt` that names at least one sequence folder in it."""
    if not (root / LIST_FILE).is_file():
        return False
    return any((root / name / GROUND_TRUTH).is_file() for name in read_names(root))


def read_list(root: Path) -> tuple[dict[str, dict], tuple[str, ...]]:
    """Metadata of the sequences that `list.txt` names, in pysot's schema.

    Returns:
        Metadata by name, and the names without a ground truth in `root`.

    Raises:
        DatasetError: A sequence is damaged.
    """
    names = read_names(root)
    present = [name for name in names if (root / name / GROUND_TRUTH).is_file()]
    missing = tuple(name for name in names if name not in present)
    return {name: read_sequence(root, name) for name in present}, missing


def read_names(root: Path) -> list[str]:
    """Sequence names in `list.txt`.

    Raises:
        DatasetError: The file is blank.
    """
    lines = (root / LIST_FILE).read_text(encoding="utf-8").splitlines()
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise DatasetError(f"{root / LIST_FILE}: the file is blank, expected sequence names")
    return names


def read_sequence(root: Path, name: str) -> dict:
    """Metadata of one sequence folder.

    Raises:
        DatasetError: Its ground truth is missing or damaged.
    """
    folder = root / name
    regions = read_ground_truth(folder / GROUND_TRUTH)
    properties = read_properties(folder / PROPERTIES_FILE)
    pattern = _image_pattern(folder, properties)
    entry: dict[str, Any] = {
        "video_dir": name,
        "init_rect": regions[0],
        "img_names": [f"{name}/{pattern % number}" for number in range(1, len(regions) + 1)],
        "gt_rect": regions,
    }
    entry.update(_tags(folder, len(regions)))
    entry.update({key: int(properties[key]) for key in ("width", "height") if key in properties})
    return entry


def read_ground_truth(path: Path) -> list[list[float]]:
    """Regions of a `groundtruth.txt`, coordinates as they stand.

    Raises:
        DatasetError: The file is missing or a row is no region.
    """
    try:
        return read_regions(path)
    except ResultsError as error:
        raise DatasetError(str(error)) from None


def read_properties(path: Path) -> dict[str, str]:
    """`key=value` lines of a `sequence` file; empty where there is none."""
    if not path.is_file():
        return {}
    pairs = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines())
    return {key.strip(): value.strip() for key, sign, value in pairs if sign}


def _image_pattern(folder: Path, properties: dict[str, str]) -> str:
    """How images are called; the first challenges kept them beside the ground truth."""
    if "channels.color" in properties:
        return properties["channels.color"]
    flat = (folder / "00000001.jpg").is_file()
    return DEFAULT_CHANNEL.rpartition("/")[2] if flat else DEFAULT_CHANNEL


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
