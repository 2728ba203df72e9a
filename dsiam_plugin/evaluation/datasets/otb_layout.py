"""OTB's folders: `<folder>/img/0001.jpg`, `<folder>/groundtruth_rect.txt`, 1-based boxes.

A folder with nothing but `annotations/<sequence>.txt` is read the same way; frames of some or all
of its sequences may lie in `sequences/<folder>/img`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.evaluation.datasets.annotations import read_annotated_boxes
from dsiam_plugin.evaluation.datasets.facts import SequenceFacts
from dsiam_plugin.evaluation.datasets.names import file_names
from dsiam_plugin.io.folders import frame_files

ANNOTATION_FOLDER = "annotations"
SEQUENCE_FOLDER = "sequences"
_FRAME_NUMBER = re.compile(r"(\d+)\.\w+$")


def read_sequences(root: Path, facts: Mapping[str, SequenceFacts]) -> dict[str, dict]:
    """Metadata of those sequences of a table that are in `root`.

    Raises:
        DatasetError: An annotation is damaged or does not fit the table.
    """
    videos = {}
    for name, sequence in facts.items():
        annotation = find_annotation(root, name, sequence)
        if annotation is not None:
            videos[name] = read_sequence(root, name, sequence, annotation)
    return videos


def read_sequence(root: Path, name: str, facts: SequenceFacts, annotation: Path) -> dict:
    """Metadata of one sequence, in pysot's schema.

    Of a sequence that was cut, the frames that are there: so many rows, and the first frames.

    Raises:
        DatasetError: The annotation is damaged or has other than the expected rows.
    """
    boxes = read_annotated_boxes(annotation, first_pixel=1).tolist()
    folder = image_folder(root, name, facts)
    if _are_first(root / folder / "img", facts, len(boxes)):
        facts = replace(facts, last_frame=facts.first_frame + len(boxes) - 1)
    if len(boxes) == facts.annotated:
        boxes = boxes[facts.skip :]
    elif len(boxes) != facts.frames:
        raise DatasetError(
            f"{annotation}: {len(boxes)} rows, expected {facts.annotated} "
            f"(frames {facts.first_frame} to {facts.last_frame} of {name})"
        )
    return {
        "video_dir": folder,
        "init_rect": boxes[0],
        "img_names": frame_names(root, folder, facts),
        "gt_rect": boxes,
        "attr": list(facts.attributes),
        "skip": facts.skip,
    }


def find_annotation(root: Path, name: str, facts: SequenceFacts) -> Path | None:
    """The sequence's ground-truth file, in whichever layout; None where there is none."""
    return next((path for path in _annotation_paths(root, name, facts) if path.is_file()), None)


def image_folder(root: Path, name: str, facts: SequenceFacts) -> str:
    """The sequence's folder below `root`: its own where there is one, else the shared one."""
    names = (facts.folder, *file_names(name))
    for folder in (*names, *(f"{SEQUENCE_FOLDER}/{name}" for name in names)):
        if (root / folder).is_dir():
            return folder
    return facts.folder


def frame_names(root: Path, folder: str, facts: SequenceFacts) -> list[str]:
    """Names of the evaluated frames, relative to `root`.

    The table says how they are called; where the disk says otherwise (png for jpg, five digits
    for four), the files that are there are taken by their number.
    """
    numbers = range(facts.first_frame + facts.skip, facts.last_frame + 1)
    names = [f"{folder}/img/{number:0{facts.digits}d}.{facts.extension}" for number in numbers]
    if (root / names[0]).is_file() or not (root / folder / "img").is_dir():
        return names
    found = numbered_images(root / folder / "img")
    return [
        f"{folder}/img/{found[number]}" if number in found else name
        for number, name in zip(numbers, names, strict=True)
    ]


def numbered_images(folder: Path) -> dict[int, str]:
    """Number at the end of the name to file name, for the images of a folder."""
    matches = [(_FRAME_NUMBER.search(name), name) for name in frame_files(folder)]
    return {int(match[1]): name for match, name in matches if match}


def _are_first(images: Path, facts: SequenceFacts, rows: int) -> bool:
    """True where the folder holds the first `rows` frames of a longer sequence and no other."""
    if not facts.skip < rows < facts.frames or not images.is_dir():
        return False
    return sorted(numbered_images(images)) == [facts.first_frame + row for row in range(rows)]


def _annotation_paths(root: Path, name: str, facts: SequenceFacts) -> Iterator[Path]:
    yield root / ANNOTATION_FOLDER / f"{name}.txt"
    yield root / facts.folder / facts.annotation
    for folder in file_names(name):
        yield root / folder / facts.annotation
        yield root / folder / "groundtruth_rect.txt"
        yield root / ANNOTATION_FOLDER / f"{folder}.txt"
    yield root / SEQUENCE_FOLDER / facts.folder / facts.annotation
