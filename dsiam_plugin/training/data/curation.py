"""From a source to a pack: scan, select, cut, write."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dsiam_plugin.errors import DatasetError, ImageError
from dsiam_plugin.io.boxes import Box
from dsiam_plugin.io.files import atomic_folder, check_destination
from dsiam_plugin.io.images import read_image
from dsiam_plugin.io.workers import ordered_map
from dsiam_plugin.training.data.curation_report import CurationOutcome, nothing_left, write_report
from dsiam_plugin.training.data.cutting import cut_crop
from dsiam_plugin.training.data.pack import INDEX, PackGeometry, PackWriter
from dsiam_plugin.training.data.selection import (
    FEWEST_FRAMES,
    CurationConfig,
    long_enough,
    random_clips,
    select_by_share,
    usable_frames,
    whole_tracks,
)
from dsiam_plugin.training.data.sources.footage import Footage, Scan, Skip, Source

Progress = Callable[[Iterable, str, int | None], Iterable]


class CutFootage(NamedTuple):
    """Frames of a track that could be read."""

    footage: Footage  # these frames, n of them
    crops: list[np.ndarray]  # n of (S, S, 3) uint8 RGB
    boxes: list[Box]  # n of the target in its crop
    skips: list[Skip]  # the other frames


def without_bar(items: Iterable, label: str, total: int | None) -> Iterable:
    """Iterates without showing progress."""
    return items


def curate(
    source: Source,
    out: Path,
    config: CurationConfig,
    *,
    force: bool = False,
    workers: int = 1,
    progress: Progress = without_bar,
) -> CurationOutcome:
    """Make a pack in folder ``out``, which appears only when it is complete.

    The same source, configuration and OpenCV give the same bytes, whatever ``workers`` is.

    Raises:
        DatasetError: ``out`` is in use or cannot be written, the source is no good or leaves
            nothing to pack.
    """
    out = Path(os.path.abspath(out))
    check_destination(out, INDEX, "a pack", force=force)
    try:
        with atomic_folder(out, replace=True) as fresh:
            outcome = fill(fresh, source, config, workers, progress)
    except OSError as error:
        named = error.filename and f".{out.stem}." not in str(error.filename)
        place = error.filename if named else out  # nobody asked for the temporary folder
        raise DatasetError(f"{place}: {error.strerror or error}") from error
    return outcome


def fill(
    folder: Path, source: Source, config: CurationConfig, workers: int, progress: Progress
) -> CurationOutcome:
    """Write a pack and its report into an empty folder."""
    outcome = CurationOutcome()
    selected = select(scan_source(source, config, outcome, workers, progress), config, outcome)
    if config.clips is None:
        wanted, total = whole_tracks(selected, config), len(selected)
    else:
        wanted, total = random_clips(selected, config), config.clips
    geometry = PackGeometry(config.side)
    with (
        PackWriter(folder, geometry) as writer,
        closing(ordered_map(partial(cut_footage, geometry), wanted, workers)) as results,
    ):
        for piece in progress(accepted(results, config, outcome), "cutting", total):
            frames = [int(frame) for frame in piece.footage.frames]
            writer.add(piece.footage.name, piece.footage.video, frames, piece.crops, piece.boxes)
            outcome.crops += len(frames)
        if not outcome.tracks:
            raise DatasetError(nothing_left(outcome))
    write_report(folder, source.describe(), config, outcome)
    return outcome


def scan_source(
    source: Source,
    config: CurationConfig,
    outcome: CurationOutcome,
    workers: int,
    progress: Progress,
) -> list[Footage]:
    """All targets of the source in their usable frames."""
    units = source.units()
    outcome.units = len(units)
    targets = []
    with closing(ordered_map(partial(scan_unit, source, config), units, workers)) as scans:
        for scan in progress(scans, "reading", len(units)):
            targets += scan.targets
            outcome.skips += scan.skips
    outcome.targets = len(targets)
    return targets


def select(
    targets: list[Footage], config: CurationConfig, outcome: CurationOutcome
) -> list[Footage]:
    """Targets that are long enough and not too large or small."""
    skips: list[Skip] = []
    if config.clips is not None:
        targets, skips = long_enough(targets, config)
    selected, others = select_by_share(targets, config)
    outcome.skips += skips + others
    outcome.selected = len(selected)
    return selected


def scan_unit(source: Source, config: CurationConfig, unit: str) -> Scan:
    """One unit's targets in their usable frames."""
    return usable_frames(source.read(unit), config)


def cut_footage(geometry: PackGeometry, footage: Footage) -> CutFootage:
    """Cut all frames of a track; images that cannot be read are left out and listed."""
    rows, crops, boxes, skips = [], [], [], []
    for row, image in enumerate(footage.images):
        try:
            picture = read_image(footage.folder / image)
        except ImageError as error:
            skips.append(Skip("image unreadable", footage.name, "frame", detail=str(error)))
            continue
        crop, box = cut_crop(picture, Box(*footage.boxes[row]), geometry)
        rows.append(row)
        crops.append(crop)
        boxes.append(box)
    return CutFootage(footage.take(rows), crops, boxes, skips)


def accepted(
    pieces: Iterator[CutFootage], config: CurationConfig, outcome: CurationOutcome
) -> Iterator[CutFootage]:
    """Whole clips, until there are as many as asked; or all tracks that still are tracks."""
    least, level = (
        (FEWEST_FRAMES, "track") if config.clips is None else (config.clip_length, "clip")
    )
    for piece in pieces:
        outcome.skips += piece.skips
        if len(piece.crops) < least:
            detail = f"{len(piece.crops)} of {least} frames"
            outcome.skips.append(Skip("frames lost", piece.footage.name, level, detail=detail))
            continue
        outcome.tracks += 1
        yield piece
        if outcome.tracks == config.clips:
            return
