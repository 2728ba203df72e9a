"""From a source to a pack: scan, select, cut, write."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dsiam_plugin.boxes import Box
from dsiam_plugin.errors import DatasetError, ImageError
from dsiam_plugin.images import read_image
from dsiam_plugin.training.crew import ordered_map
from dsiam_plugin.training.cutting import cut
from dsiam_plugin.training.pack import INDEX, PackGeometry, PackWriter
from dsiam_plugin.training.selection import (
    CurationConfig,
    random_clips,
    select_by_share,
    usable_frames,
    whole_tracks,
)
from dsiam_plugin.training.sources.footage import Footage, Scan, Skip, Source

Progress = Callable[[Iterable, str, int | None], Iterable]


class CutFootage(NamedTuple):
    """Crops of a track: (n, S, S, 3) uint8 RGB, boxes (n, 4) in them, and the rows they are of."""

    footage: Footage
    crops: list[np.ndarray]
    boxes: list[Box]
    skips: list[Skip]


@dataclass
class Outcome:
    """What became of a source.

    Attributes:
        units, targets, selected: Numbers of units and targets read, and of targets in range.
        tracks, crops: Numbers written.
        skips: Everything left out.
    """

    units: int = 0
    targets: int = 0
    selected: int = 0
    tracks: int = 0
    crops: int = 0
    skips: list[Skip] = field(default_factory=list)


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
) -> Outcome:
    """Make a pack in folder ``out``, which appears only when it is complete.

    The same source, configuration and OpenCV give the same bytes, whatever ``workers`` is.

    Args:
        source: Where the pictures come from.
        out: Folder to make; parents are made too.
        config: What to select.
        force: Replace an earlier pack there.
        workers: Number of processes.
        progress: Wraps the iteration over units and tracks, for a progress bar.

    Raises:
        DatasetError: ``out`` is in use, the source is no good or leaves nothing to pack, or the
            disk is full.
    """
    out = Path(os.path.abspath(out))
    check_destination(out, force=force)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as workshop:
            fresh = Path(workshop) / "new"
            fresh.mkdir()
            outcome = fill(fresh, source, config, workers, progress)
            if out.exists():
                out.rename(Path(workshop) / "old")
            fresh.rename(out)
    except OSError as error:
        raise DatasetError(f"{out}: cannot be written ({error.strerror or error})") from error
    return outcome


def fill(
    folder: Path, source: Source, config: CurationConfig, workers: int, progress: Progress
) -> Outcome:
    """Write a pack into an empty folder."""
    outcome = Outcome()
    targets = scan_source(source, config, outcome, workers, progress)
    selected, skips = select_by_share(targets, config)
    outcome.skips += skips
    outcome.selected = len(selected)
    wanted = (whole_tracks if config.clips is None else random_clips)(selected, config)
    total = len(selected) if config.clips is None else config.clips
    geometry = PackGeometry()
    results = ordered_map(partial(cut_footage, geometry), wanted, workers)
    with PackWriter(folder, geometry) as writer:
        for result in progress(limited(results, config, outcome), "cutting", total):
            writer.add(
                result.footage.name,
                result.footage.video,
                [int(frame) for frame in result.footage.frames],
                result.crops,
                result.boxes,
            )
            outcome.crops += len(result.crops)
        if not outcome.tracks:
            raise DatasetError(nothing_left(outcome))
    return outcome


def scan_source(
    source: Source, config: CurationConfig, outcome: Outcome, workers: int, progress: Progress
) -> list[Footage]:
    """All targets of the source in their usable frames."""
    units = source.units()
    outcome.units = len(units)
    targets = []
    scans = ordered_map(partial(scan_unit, source, config), units, workers)
    for scan in progress(scans, "reading", len(units)):
        targets += scan.targets
        outcome.skips += scan.skips
    outcome.targets = len(targets)
    return targets


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
        crop, box = cut(picture, Box(*footage.boxes[row]), geometry)
        rows.append(row)
        crops.append(crop)
        boxes.append(box)
    return CutFootage(footage.take(rows), crops, boxes, skips)


def limited(
    results: Iterator[CutFootage], config: CurationConfig, outcome: Outcome
) -> Iterator[CutFootage]:
    """Whole clips until there are as many as asked, or all tracks of at least two frames."""
    least, kind = (2, "track") if config.clips is None else (config.clip_length, "clip")
    for result in results:
        outcome.skips += result.skips
        if len(result.crops) < least:
            outcome.skips.append(Skip("frames missing", result.footage.name, kind))
            continue
        outcome.tracks += 1
        yield result
        if outcome.tracks == config.clips:
            return


def nothing_left(outcome: Outcome) -> str:
    """Why nothing could be packed, in one line."""
    counts: dict[str, int] = {}
    for skip in outcome.skips:
        counts[skip.reason] = counts.get(skip.reason, 0) + skip.count
    reasons = ", ".join(f"{count} x {reason}" for reason, count in sorted(counts.items()))
    return f"nothing left to pack of {outcome.targets} targets ({reasons or 'nothing skipped'})"


def check_destination(out: Path, *, force: bool) -> None:
    """Refuse to mix with or to remove what is not an earlier pack.

    Raises:
        DatasetError: ``out`` exists and is in use.
    """
    if not out.exists() and not out.is_symlink():
        return
    if not out.is_dir() or out.is_symlink():
        raise DatasetError(f"{out}: exists and is not a folder")
    if not any(out.iterdir()):
        return
    if not (out / INDEX).is_file():
        raise DatasetError(f"{out}: holds other files (no {INDEX}); expected a new folder")
    if not force:
        raise DatasetError(f"{out}: already holds a pack; --force replaces it")
