"""The sequences at hand: what is run, what is compared with the paper, what is only annotated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsiam_plugin.errors import DatasetError, ResultsError
from dsiam_plugin.evaluation.datasets import DatasetFactory
from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.datasets.facts import load_facts
from dsiam_plugin.evaluation.datasets.metadata import Metadata
from dsiam_plugin.evaluation.datasets.otb_layout import ANNOTATION_FOLDER, SEQUENCE_FOLDER
from dsiam_plugin.evaluation.datasets.video import Video
from dsiam_plugin.evaluation.results.files import read_boxes, write_boxes
from dsiam_plugin.evaluation.results.layout import ONE_PASS

PAPERS = "OTB2013"  # what the paper is evaluated on
ALL_OTB = "OTB100"


@dataclass(frozen=True)
class Material:
    """Data sets that share sequences.

    Attributes:
        run: Every sequence with its images, the first frames alone where fewer are asked for.
        compared: Those of them that the paper has; all, where it has none of them.
        annotated: All of OTB-2013, whole, images or not; None where an annotation is missing.
        mark: What the numbers are not, because sequences or frames are missing; else empty.
    """

    run: Dataset
    compared: Dataset
    annotated: Dataset | None
    mark: str


def gather(folders: Sequence[Path], frames: int | None) -> Material:
    """The sequences of all folders.

    Args:
        folders: OTB in any layout, or other sequence folders; the first that has a sequence's
            images counts. For ``sequences`` with ``annotations`` beside it both are taken.
        frames: How many of each to take; None for all.

    Raises:
        DatasetError: A folder holds no sequences, or none of all has images.
    """
    found: dict[str, list[Video]] = {}
    for folder in map(_with_annotations, folders):
        for name in (PAPERS, ALL_OTB):
            for video in DatasetFactory.create_dataset(name=name, dataset_root=folder):
                found.setdefault(video.name, []).append(video)
    table = load_facts(PAPERS)
    seen = {name: next(filter(_has_images, of), None) for name, of in found.items()}
    run = {name: _entry(video, frames) for name, video in seen.items() if video}
    if not run:
        raise DatasetError(f"{', '.join(map(str, folders))}: none of the sequences has images")
    known = {name: entry for name, entry in run.items() if name in table}
    whole = {
        name: _entry(video, None)
        for name in table
        for video in found.get(name, ())
        if len(video.gt_traj) == table[name].frames
    }
    end = "" if frames is None else f"-first{frames}"
    missing = tuple(name for name in table if name not in known)
    return Material(
        run=_dataset(f"OTB{end}", run),
        compared=_dataset(
            f"{PAPERS if known else 'OTB'}{end}", known or run, missing if known else ()
        ),
        annotated=_dataset(PAPERS, whole) if len(whole) == len(table) else None,
        mark=_mark(len(known), len(table), frames),
    )


def import_results(source: Path, tracker: str, dataset: Dataset, target: Path) -> dict[str, str]:
    """Copies a tracker's published results, cut to the sequences and frames of a data set.

    Args:
        source: Holds the tracker's folder.
        tracker: Its name.
        dataset: Whose frames are kept.
        target: Gets ``<tracker>/<sequence>.txt``.

    Returns:
        Sequence -> why it has no result.
    """
    facts = {**load_facts(ALL_OTB), **load_facts(PAPERS)}
    gaps = {}
    for video in dataset:
        path = video.result_file(source, tracker)
        if path is None:
            gaps[video.name] = "no file"
            continue
        boxes = read_boxes(path)
        whole, skip = len(video), 0
        if video.name in facts:
            whole, skip = facts[video.name].frames, facts[video.name].skip
        if len(boxes) == whole + skip:
            boxes = boxes[skip:]
        if len(boxes) not in (whole, len(video)):
            gaps[video.name] = f"{path}: {len(boxes)} rows, expected {whole}"
            continue
        write_boxes(ONE_PASS.result_path(target / tracker, video.name), boxes[: len(video)])
    if len(gaps) == len(dataset):
        raise ResultsError(f"{source / tracker}: no result fits; {next(iter(gaps.values()))}")
    return gaps


def _with_annotations(folder: Path) -> Path:
    """The folder above, where that is a data set of which this one has the images."""
    above = folder.parent
    beside = folder.name == SEQUENCE_FOLDER and (above / ANNOTATION_FOLDER).is_dir()
    return above if beside else folder


def _has_images(video: Video) -> bool:
    return all(Path(name).is_file() for name in (video.img_names[0], video.img_names[-1]))


def _entry(video: Video, frames: int | None) -> dict[str, Any]:
    """The video's metadata, its first frames alone."""
    return {
        "video_dir": video.video_dir,
        "init_rect": video.init_rect,
        "img_names": list(video.img_names[:frames]),
        "gt_rect": list(video.gt_traj[:frames]),
        "attr": list(video.attr or ()),
        "skip": video.skipped_frames,
    }


def _dataset(
    name: str, videos: Mapping[str, Mapping[str, Any]], missing: Sequence[str] = ()
) -> Dataset:
    return Dataset.from_metadata(name, Metadata(Path(), videos, tuple(missing)))


def _mark(known: int, total: int, frames: int | None) -> str:
    parts = [f"the first {frames} frames of a sequence"] if frames is not None else []
    if known < total:
        parts.append(f"{known} of {total} sequences" if known else "other sequences")
    text = " and ".join(parts)
    return f"{text[0].upper()}{text[1:]}: no {PAPERS} score" if parts else ""
