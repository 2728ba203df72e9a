"""Raw downloads whose annotations lie apart from the frames, or in a format of their own.

| data set | annotations | frames |
|---|---|---|
| UAV123 | `anno/UAV123/<sequence>.txt` | `data_seq/UAV123/<folder>/000001.jpg` |
| UAV20L | `anno/UAV20L/<sequence>.txt` | likewise |
| NFS30, NFS240 | `<sequence>/30/<sequence>.txt`, `240` | `<sequence>/30/<sequence>/00001.jpg` |
| TrackingNet | `TEST/anno/<sequence>.txt` | `TEST/frames/<sequence>/0.jpg` |

Coordinates are taken as they stand, as pytracking and got10k take them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.evaluation.datasets.annotations import read_annotated_boxes
from dsiam_plugin.io.folders import frame_files, is_hidden
from dsiam_plugin.io.messages import excerpt, fail
from dsiam_plugin.io.parsing import read_text

# UAV123 cuts sequences out of longer ones: first frames of `<folder>_1`, `<folder>_2`, ...
UAV_PARTS = {
    "bird1": (1, 775, 1573), "car1": (1, 751, 1627), "car6": (1, 487, 1807, 2953, 3925),
    "car8": (1, 1357), "car16": (1, 415), "group1": (1, 1333, 2515, 3925),
    "group2": (1, 907, 1771), "group3": (1, 1567, 2827, 4369), "person2": (1, 1189),
    "person4": (1, 1501), "person5": (1, 877), "person7": (1, 1249), "person8": (1, 1075),
    "person12": (1, 601), "person14": (1, 847, 1813), "person17": (1, 1501),
    "person19": (1, 1243, 2791), "truck4": (1, 577), "uav1": (1, 1555, 2473),
}  # fmt: skip
_NFS_SLOWDOWN = 8  # 240 annotated frames a second, 30 images
_NFS_ROW = 10  # track, left, top, right, bottom, frame, lost, occluded, generated, label


@dataclass(frozen=True)
class Apart:
    """Places and format of one such download."""

    annotations: tuple[str, ...]  # patterns of the annotations below the root
    frames: Callable[[Path], Path]  # folder of a sequence's frames, from the annotation's path
    # Boxes and, where it says so, hidden frames from an annotation and the number of frames
    read: Callable[[Path, int], tuple[np.ndarray, np.ndarray | None]]
    spare: int = 0  # how many rows or frames too many are cut off at the end


def find_sequences(root: Path, benchmark: str) -> dict[str, str]:
    """Name of each sequence to its annotation's path, in order; empty for other layouts."""
    layout = LAYOUTS.get(benchmark)
    patterns = layout.annotations if layout else ()
    paths = sorted(path for pattern in patterns for path in root.glob(pattern))
    return {
        path.stem: path.relative_to(root).as_posix() for path in paths if not is_hidden(path.name)
    }


def read_sequence(root: Path, annotation: str, benchmark: str) -> dict:
    """Metadata of one sequence, in pysot's schema.

    Raises:
        DatasetError: The annotation is damaged or does not fit the frames.
    """
    layout, path = LAYOUTS[benchmark], root / annotation
    folder = layout.frames(path)
    images = frame_files(folder)
    boxes, hidden = layout.read(path, len(images))
    names = _part(path.stem, images, len(boxes))
    if 0 < abs(len(names) - len(boxes)) <= layout.spare:
        names, boxes = names[: len(boxes)], boxes[: len(names)]
        hidden = hidden if hidden is None else hidden[: len(names)]
    if len(names) != len(boxes) and len(boxes) != 1:
        raise DatasetError(
            f"{path}: {len(boxes)} rows, but {folder} has {len(names)} frames; "
            f"expected one row a frame"
        )
    video_dir = folder.relative_to(root).as_posix()
    entry = {
        "video_dir": video_dir,
        "init_rect": boxes[0].tolist(),
        "img_names": [f"{video_dir}/{name}" for name in names],
        "gt_rect": boxes.tolist(),
        "attr": [],
    }
    return entry if hidden is None else entry | {"absent": (~hidden).astype(int).tolist()}


def _uav_frames(annotation: Path) -> Path:
    whole, _, part = annotation.stem.rpartition("_")
    name = whole if whole in UAV_PARTS and part.isdigit() else annotation.stem
    return annotation.parents[2] / "data_seq" / "UAV123" / name


def _part(name: str, images: list[str], rows: int) -> list[str]:
    """The frames of a part of a sequence of UAV123; all frames of any other sequence."""
    whole, _, part = name.rpartition("_")
    if whole in UAV_PARTS and part.isdigit() and 1 <= int(part) <= len(UAV_PARTS[whole]):
        first = UAV_PARTS[whole][int(part) - 1]
        return [
            image for image in images if first <= int(re.sub(r"\D", "", image) or 0) < first + rows
        ]
    return images


def _read_plain(path: Path, frames: int) -> tuple[np.ndarray, None]:
    return read_annotated_boxes(path), None


def _read_nfs(path: Path, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Boxes and hidden frames of NfS, which annotates 240 frames a second for both speeds.

    A row holds corners and flags.
    """
    text = read_text(path, DatasetError, "rows of an annotation of NfS")
    rows = []
    for number, line in enumerate(text.rstrip().splitlines(), start=1):
        words = line.split(None, _NFS_ROW - 1)
        try:
            rows.append([float(word) for word in words[1:7]])
        except ValueError:
            rows.append([])
        if len(rows[-1]) != 6:
            fail(
                DatasetError, f"{path}:{number}", excerpt(line),
                "track, left, top, right, bottom, frame, lost, ...",
            )  # fmt: skip
    if not rows:
        raise DatasetError(f"{path}: the file is blank, expected a row a frame")
    left, top, right, bottom, _, lost = np.array(rows).T
    boxes = np.stack([left, top, right - left, bottom - top], axis=1)
    step = _NFS_SLOWDOWN if frames and abs(len(rows) / frames - _NFS_SLOWDOWN) < 1 else 1
    return boxes[::step], (lost > 0)[::step]


_UAV = {
    name: Apart((f"anno/{name}/*.txt",), _uav_frames, _read_plain) for name in ("UAV123", "UAV20L")
}
_NFS = {
    f"NFS{rate}": Apart((f"*/{rate}/*.txt",), lambda path: path.with_suffix(""), _read_nfs, spare=1)
    for rate in (30, 240)
}
LAYOUTS: dict[str, Apart] = {
    **_UAV,
    **_NFS,
    "TrackingNet": Apart(
        ("anno/*.txt", "TEST/anno/*.txt"),
        lambda path: path.parents[1] / "frames" / path.stem,
        _read_plain,
    ),
}
