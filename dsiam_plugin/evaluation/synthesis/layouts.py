"""Writing sequences as OTB and as the VOT toolkit lay them out."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from dsiam_plugin.evaluation.synthesis.attributes import FrameRecord, frame_tags
from dsiam_plugin.evaluation.synthesis.script import Stage

JPEG_QUALITY = 92


@dataclass(frozen=True)
class SequenceFacts:
    """The facts of a finished sequence: its name, frame size, records and OTB attributes."""

    name: str
    stage: Stage
    records: tuple[FrameRecord, ...]
    attributes: tuple[str, ...]


@dataclass(frozen=True)
class SequenceLayout:
    """A benchmark's places of frames and annotations.

    Attributes:
        frame_pattern: Path of a frame in the sequence's folder, of its number from 1.
        exit_depth: How far a target may leave the view, in target widths. In OTB it may vanish.
            VOT's supervised experiment restarts trackers from the annotation a few frames after a
            loss, wherever the target is then, so there a part always stays in view.
        annotate: Writes a sequence's annotations into its folder.
        index: Writes the list of sequences into the data set's folder.
    """

    frame_pattern: str
    exit_depth: float
    annotate: Callable[[Path, SequenceFacts], None]
    index: Callable[[Path, Sequence[SequenceFacts]], None]

    def write_frame(self, folder: Path, number: int, image: np.ndarray) -> None:
        """Write frame ``number`` (from 1), (H, W, 3) uint8 BGR, of the sequence in ``folder``."""
        path = folder / (self.frame_pattern % number)
        path.parent.mkdir(parents=True, exist_ok=True)
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        path.write_bytes(data.tobytes())  # unlike cv2.imwrite, says why it fails


def annotate_otb(folder: Path, facts: SequenceFacts) -> None:
    """``groundtruth_rect.txt``: x,y,w,h with the top-left pixel (1, 1).

    The box follows the whole target, also where it is hidden or out of view.
    """
    boxes = [(x + 1, y + 1, w, h) for x, y, w, h in (record.box for record in facts.records)]
    write_lines(folder / "groundtruth_rect.txt", [",".join(map(str, box)) for box in boxes])


def index_otb(folder: Path, sequences: Sequence[SequenceFacts]) -> None:
    """``sequences.json``: folder, frame range and attributes of every sequence."""
    entries = {
        facts.name: {
            "folder": facts.name,
            "first_frame": 1,
            "last_frame": len(facts.records),
            "frames": len(facts.records),
            "attributes": list(facts.attributes),
        }
        for facts in sequences
    }
    write_lines(folder / "sequences.json", [json.dumps(entries, indent=1)])


def annotate_vot(folder: Path, facts: SequenceFacts) -> None:
    """``groundtruth.txt`` (x,y,w,h, top-left pixel (0, 0)), ``sequence`` and the tag files."""
    lines = [",".join(map(str, record.box)) for record in facts.records]
    write_lines(folder / "groundtruth.txt", lines)
    properties = {
        "channels.color": "color/%08d.jpg",
        "format": "default",
        "fps": 30,
        "name": facts.name,
        "width": facts.stage.width,
        "height": facts.stage.height,
        "length": len(facts.records),
    }
    write_lines(folder / "sequence", [f"{key}={value}" for key, value in properties.items()])
    for tag, frames in frame_tags(facts.records).items():
        write_lines(folder / f"{tag}.tag", [str(int(shown)) for shown in frames])


def index_vot(folder: Path, sequences: Sequence[SequenceFacts]) -> None:
    """``list.txt``: the names, one a line."""
    write_lines(folder / "list.txt", [facts.name for facts in sequences])


def write_lines(path: Path, lines: Sequence[str]) -> None:
    """Write text lines, each ended by a single newline on every system."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


LAYOUTS = {
    "otb": SequenceLayout("img/%04d.jpg", 1.3, annotate_otb, index_otb),
    "vot": SequenceLayout("color/%08d.jpg", 0.6, annotate_vot, index_vot),
}
