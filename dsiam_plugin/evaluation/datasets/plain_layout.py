"""Any folder of frames with a ground-truth file beside them, of no known benchmark."""

from dataclasses import replace
from pathlib import Path

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.evaluation.datasets import vot_layout
from dsiam_plugin.evaluation.datasets.annotations import (
    enclosing_box,
    read_annotated_boxes,
    read_annotated_regions,
    visible_flags,
)
from dsiam_plugin.evaluation.datasets.facts import load_facts
from dsiam_plugin.evaluation.datasets.otb_layout import frame_names
from dsiam_plugin.io.folders import frame_files, subfolders
from dsiam_plugin.io.parsing import read_text

OTB_GROUND_TRUTH = "groundtruth_rect.txt"
OTB_TARGETS = "groundtruth_rect.[0-9].txt"  # one file a target, where a video has several
TESTING_LIST = "testing_set.txt"
IMAGE_FOLDERS = ("img", "imgs", "color", "images", "frames", ".")
_ALL_OTB = "OTB100"  # the table that holds every OTB sequence


def read_folder(root: Path) -> dict[str, dict]:
    """Metadata of a sequence folder, or of the sequence folders in it, in pysot's schema.

    Args:
        root: Holds `groundtruth_rect.txt` (1-based, as OTB) or `groundtruth.txt` (0-based, as
            VOT) with frames beside it or in `img/`, `color/`; or holds such folders, or folders
            of such folders as LaSOT.

    Returns:
        By folder name (and number, where a folder has several targets), paths relative to
        `root`; empty where there is no sequence.

    Raises:
        DatasetError: A sequence's frames and annotation do not fit.
    """
    folders = ["."] if _ground_truths(root) else list(sequence_folders(root).values())
    return {
        name: _read_target(root, folder, ground_truth)
        for folder in folders
        for name, ground_truth in _ground_truths(root / folder).items()
    }


def sequence_folders(root: Path) -> dict[str, str]:
    """Name of each folder with a ground-truth file, one or two levels below `root`, to its path.

    LaSOT has two levels, `airplane/airplane-1/groundtruth.txt`, and a list of those to test on.
    """
    found: dict[str, str] = {}
    for name in subfolders(root):
        if _ground_truths(root / name):
            found[name] = name
            continue
        inner = (f"{name}/{below}" for below in subfolders(root / name))
        found.update({Path(path).name: path for path in inner if _ground_truths(root / path)})
    if not (root / TESTING_LIST).is_file():
        return found
    listed = read_text(root / TESTING_LIST, DatasetError, "sequence names").split()
    return {name: path for name, path in found.items() if name in listed}


def read_sequence(root: Path, folder: str) -> dict:
    """Metadata of the first target in a sequence folder below `root`.

    Raises:
        DatasetError: There is none, or frames and annotation do not fit.
    """
    ground_truths = _ground_truths(root / folder)
    if not ground_truths:
        raise DatasetError(f"{root / folder}: no {OTB_GROUND_TRUTH} or {vot_layout.GROUND_TRUTH}")
    return _read_target(root, folder, next(iter(ground_truths.values())))


def _ground_truths(folder: Path) -> dict[str, Path]:
    """Name of each target in a sequence folder to its file."""
    name = folder.resolve().name
    for file_name in (OTB_GROUND_TRUTH, vot_layout.GROUND_TRUTH):
        if (folder / file_name).is_file():
            return {name: folder / file_name}
    targets = sorted(path for path in folder.glob(OTB_TARGETS) if path.read_bytes().strip())
    return {f"{name}-{path.suffixes[0][1:]}": path for path in targets}


def _read_target(root: Path, folder: str, ground_truth: Path) -> dict:
    sequence = root / folder
    if (sequence / vot_layout.PROPERTIES_FILE).is_file():
        return vot_layout.read_sequence(root, folder)
    regions = _read_regions(ground_truth)
    img_names = _img_names(root, folder, ground_truth, len(regions))
    return {
        "video_dir": folder,
        "init_rect": regions[0],
        "img_names": img_names,
        "gt_rect": regions,
        "attr": [],
        **visible_flags(sequence, len(img_names)),
    }


def _read_regions(path: Path) -> list[list[float]]:
    """Boxes of an annotation; such folders are run in one pass, which is scored by boxes."""
    if path.name != vot_layout.GROUND_TRUTH:
        return read_annotated_boxes(path, first_pixel=1).tolist()
    regions = read_annotated_regions(path)
    return [enclosing_box(region, f"{path}:{row}") for row, region in enumerate(regions, 1)]


def _img_names(root: Path, folder: str, ground_truth: Path, rows: int) -> list[str]:
    """Frames of a sequence, relative to `root`; invented where there are none.

    OTB annotates a part of some sequences: there the numbers come from the table. One row alone
    is the start box of a sequence that others score.
    """
    images = _images(root / folder)
    if not images:
        return [f"{folder}/img/{number:04d}.jpg" for number in range(1, rows + 1)]
    if rows in (1, len(images)):
        return [f"{folder}/{name}" for name in images]
    facts = load_facts(_ALL_OTB).get((root / folder).resolve().name)
    if facts is None or facts.annotated != rows:
        raise DatasetError(
            f"{ground_truth}: {rows} rows, but {root / folder} has {len(images)} frames; "
            f"expected one row a frame"
        )
    return frame_names(root, folder, replace(facts, skip=0))


def _images(sequence: Path) -> list[str]:
    """Frames of the first folder that has some, in natural order."""
    for folder in IMAGE_FOLDERS:
        names = frame_files(sequence / folder)
        if names:
            return [f"{folder}/{name}" for name in names]
    return []
