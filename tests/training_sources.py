"""Small data sets in the exact on-disk format of each training source.

Every frame is grey with a target whose green channel tells the frame: a crop that shows the wrong
frame or place is noticed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

SIZE = (96, 72)  # width, height
RED, BLUE, GREY = 220, 30, 128

Box = tuple[float, float, float, float]


def box_at(index: int) -> Box:
    """Target in frame ``index``, counted from 0: x, y, w, h, 0-based."""
    return (20 + 2 * index, 15 + index, 20, 16)


def green_at(index: int) -> int:
    """Green of the target in frame ``index``."""
    return 20 * (index % 12)


def write_picture(path: Path, index: int, boxes: Sequence[Box] = ()) -> None:
    """Frame ``index`` with the target, and plain grey boxes where others are."""
    image = np.full((SIZE[1], SIZE[0], 3), GREY, np.uint8)
    for x, y, w, h in map(_whole, boxes or [box_at(index)]):
        image[y : y + h, x : x + w] = (BLUE, green_at(index), RED)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 98])


def write_otb(root: Path, name: str, frames: int = 12, separator: str = ",") -> Path:
    """``NAME/img/0001.jpg`` and ``NAME/groundtruth_rect.txt``, 1-based."""
    folder = root / name
    for index in range(frames):
        write_picture(folder / "img" / f"{index + 1:04d}.jpg", index)
    _write_boxes(folder / "groundtruth_rect.txt", frames, separator)
    return folder


def write_got10k(root: Path, name: str, frames: int = 12) -> Path:
    """``train/NAME`` with images, boxes, labels and meta information."""
    folder = root / "train" / name
    for index in range(frames):
        write_picture(folder / f"{index + 1:08d}.jpg", index)
    rows = [(x + 1, y + 1, w, h) for x, y, w, h in map(box_at, range(frames))]
    lines = [",".join(f"{value:.4f}" for value in row) for row in rows]
    (folder / "groundtruth.txt").write_text("\n".join(lines) + "\n")
    write_labels(folder / "absence.label", [0] * frames)
    write_labels(folder / "cover.label", [8] * frames)
    write_labels(folder / "cut_by_image.label", [0] * frames)
    (folder / "meta_info.ini").write_text(
        "[METAINFO]\nurl: https://youtu.be/%20x\nbegin: 00:00:01\nend: 00:00:10\n"
        "anno_fps: 10Hz\nobject_class: ctenophore\nmotion_class: swimming\n"
        "major_class: invertebrate\nroot_class: animal\nmotion_adverb: slowly\n"
        f"resolution: ({SIZE[0]}, {SIZE[1]})\n"
    )
    return folder


def write_lasot(root: Path, name: str, frames: int = 12) -> Path:
    """``CLASS/NAME/img/00000001.jpg`` with boxes and flags on one line."""
    folder = root / name.rsplit("-", 1)[0] / name
    for index in range(frames):
        write_picture(folder / "img" / f"{index + 1:08d}.jpg", index)
    _write_boxes(folder / "groundtruth.txt", frames, ",")
    for flags in ("full_occlusion.txt", "out_of_view.txt"):
        write_labels(folder / flags, [0] * frames, ",")
    (folder / "nlp.txt").write_text("a red box moving on grey\n")
    return folder


def write_labels(path: Path, labels: Sequence[int], separator: str = "\n") -> None:
    """One number a frame."""
    path.write_text(separator.join(map(str, labels)) + "\n")


def write_snippet(
    root: Path, snippet: str, frames: int = 12, *, split: str = "train", batch: str = ""
) -> tuple[Path, Path]:
    """A snippet of ILSVRC VID with one object, track id 0; returns annotations and images."""
    place = Path("VID", split, batch, snippet)
    annotations, images = root / "Annotations" / place, root / "Data" / place
    for index in range(frames):
        write_picture(images / f"{index:06d}.JPEG", index)
        write_notes(annotations, index, [vid_object("0", box_at(index))])
    return annotations, images


def write_notes(folder: Path, index: int, objects: Sequence[str]) -> None:
    """The XML file of frame ``index``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{index:06d}.xml").write_text(
        f"<annotation>\n\t<folder>{folder.name}</folder>\n\t<filename>{index:06d}</filename>\n"
        "\t<source>\n\t\t<database>ILSVRC_2015</database>\n\t</source>\n"
        f"\t<size>\n\t\t<width>{SIZE[0]}</width>\n\t\t<height>{SIZE[1]}</height>\n\t</size>\n"
        + "".join(objects)
        + "</annotation>\n"
    )


def vid_object(track: str, box: Box, *, occluded: int = 0, generated: int = 1) -> str:
    """An ``<object>`` of ILSVRC VID; corners are inclusive and 0-based."""
    x, y, w, h = _whole(box)
    return (
        f"\t<object>\n\t\t<trackid>{track}</trackid>\n\t\t<name>n02510455</name>\n\t\t<bndbox>\n"
        f"\t\t\t<xmax>{x + w - 1}</xmax>\n\t\t\t<xmin>{x}</xmin>\n"
        f"\t\t\t<ymax>{y + h - 1}</ymax>\n\t\t\t<ymin>{y}</ymin>\n\t\t</bndbox>\n"
        f"\t\t<occluded>{occluded}</occluded>\n\t\t<generated>{generated}</generated>\n"
        "\t</object>\n"
    )


def write_stills(folder: Path, names: Sequence[str] = ("one", "two")) -> Path:
    """Photographs with a striped disc, and their segments."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, name in enumerate(names):
        image = np.full((120, 160, 3), 100 + 30 * place, np.uint8)
        labels = np.ones(image.shape[:2], np.uint8)
        cv2.circle(labels, (80, 60), 25, 7, -1)
        stripes = np.where(np.arange(160) // 4 % 2, 230, 20).astype(np.uint8)
        image[labels == 7] = np.broadcast_to(stripes[None, :, None], image.shape)[labels == 7]
        cv2.imwrite(str(folder / f"{name}.jpg"), image)
        cv2.imwrite(str(folder / f"{name}_segments.png"), labels)
    return folder


def _write_boxes(path: Path, frames: int, separator: str) -> None:
    """1-based boxes, a line each."""
    rows = [(x + 1, y + 1, w, h) for x, y, w, h in map(box_at, range(frames))]
    path.write_text("".join(separator.join(map(str, row)) + "\n" for row in rows))


def _whole(box: Box) -> tuple[int, int, int, int]:
    x, y, w, h = (int(value) for value in box)
    return x, y, w, h
