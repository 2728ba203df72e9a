"""Any folder of frames with a ground-truth file beside them, of no known benchmark."""

from pathlib import Path

from toolkit.datasets import vot_layout
from toolkit.datasets.otb_layout import IMAGE_EXTENSIONS, read_one_based
from toolkit.errors import DatasetError

OTB_GROUND_TRUTH = "groundtruth_rect.txt"
IMAGE_FOLDERS = ("img", "imgs", "color", "images", "frames", ".")


def read_folder(root: Path) -> dict[str, dict]:
    """Metadata of a sequence folder, or of the sequence folders in it, in pysot's schema.

    Args:
        root: Holds `groundtruth_rect.txt` (1-based, as OTB) or `groundtruth.txt` (0-based, as
            VOT) with frames beside it or in `img/`, `color/`; or holds such folders.

    Returns:
        By folder name, paths relative to `root`; empty where there is no sequence.

    Raises:
        DatasetError: A sequence's frames and annotation do not fit.
    """
    if _ground_truth(root):
        return {root.resolve().name: read_sequence(root, ".")}
    return {name: read_sequence(root, name) for name in sequence_names(root)}


def sequence_names(root: Path) -> list[str]:
    """Folders in `root` that hold a ground-truth file."""
    if not root.is_dir():
        return []
    folders = sorted(path.name for path in root.iterdir() if path.is_dir())
    return [name for name in folders if _ground_truth(root / name)]


def read_sequence(root: Path, folder: str) -> dict:
    """Metadata of one sequence folder below `root`.

    Raises:
        DatasetError: Its frames and annotation do not fit.
    """
    sequence = root / folder
    if (sequence / vot_layout.PROPERTIES_FILE).is_file():
        return vot_layout.read_sequence(root, folder)
    ground_truth = _ground_truth(sequence)
    if ground_truth is None:
        raise DatasetError(f"{sequence}: no {OTB_GROUND_TRUTH} or {vot_layout.GROUND_TRUTH}")
    regions = _read_regions(ground_truth)
    images = _images(sequence)
    if images and len(images) != len(regions):
        raise DatasetError(
            f"{ground_truth}: {len(regions)} rows, but {sequence} has {len(images)} frames; "
            f"expected one row a frame"
        )
    return {
        "video_dir": folder,
        "init_rect": regions[0],
        "img_names": [f"{folder}/{name}" for name in images]
        or [f"{folder}/img/{number:04d}.jpg" for number in range(1, len(regions) + 1)],
        "gt_rect": regions,
        "attr": [],
    }


def _ground_truth(folder: Path) -> Path | None:
    files = (folder / OTB_GROUND_TRUTH, folder / vot_layout.GROUND_TRUTH)
    return next((path for path in files if path.is_file()), None)


def _read_regions(path: Path) -> list[list[float]]:
    if path.name == OTB_GROUND_TRUTH:
        return read_one_based(path)
    return vot_layout.read_ground_truth(path)


def _images(sequence: Path) -> list[str]:
    """Frames of the first folder that has some, in the order of their names."""
    for folder in IMAGE_FOLDERS:
        if (sequence / folder).is_dir():
            names = sorted(
                path.name
                for path in (sequence / folder).iterdir()
                if path.suffix.lower() in IMAGE_EXTENSIONS
            )
            if names:
                return [f"{folder}/{name}" for name in names]
    return []
