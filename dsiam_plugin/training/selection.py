"""Which frames, videos and clips of a source go into a pack."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.training.sources.footage import ABSENT, NO_IMAGE, OCCLUDED, Footage, Scan, Skip


@dataclass(frozen=True)
class CurationConfig:
    """What to select; the defaults are the paper's where it gives numbers.

    Attributes:
        clips: How many clips, drawn at random; None packs whole tracks.
        clip_length: Frames of a clip.
        stride: Take every so many-th frame.
        max_frames: Most frames of a whole track; of longer ones frames are taken evenly.
        sequences: Most videos; those with the smallest targets are kept. 0 keeps all.
        min_share, max_share: Range of a track's median area share, w h / (W H).
        min_inside: Share of a box that must lie inside the image.
        keep_occluded: Whether frames flagged as occluded are used.
        seed: Of the clips.
    """

    clips: int | None = 2000
    clip_length: int = 10
    stride: int = 1
    max_frames: int = 100
    sequences: int = 1130
    min_share: float = 0.001
    max_share: float = 0.5
    min_inside: float = 0.5
    keep_occluded: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check all values.

        Raises:
            DatasetError: Naming every value that is out of range.
        """
        least = {"clip_length": 2, "stride": 1, "max_frames": 2, "sequences": 0, "seed": 0}
        problems = [
            f"{name} is {getattr(self, name)}; expected at least {limit}"
            for name, limit in least.items()
            if getattr(self, name) < limit
        ]
        if self.clips is not None and self.clips < 1:
            problems.append(f"clips is {self.clips}; expected at least 1")
        if not 0 <= self.min_share <= self.max_share:
            problems.append(
                f"shares are {self.min_share} to {self.max_share}; expected 0 <= least <= most"
            )
        if not 0 < self.min_inside <= 1:
            problems.append(f"min_inside is {self.min_inside}; expected a share in (0, 1]")
        if problems:
            raise DatasetError("; ".join(problems))


def usable_frames(scan: Scan, config: CurationConfig) -> Scan:
    """The targets of a scan in the frames that can be used; the others become skips."""
    result = Scan(skips=list(scan.skips))
    for target in scan.targets:
        reasons = frame_reasons(target, config)
        for reason, count in sorted(Counter(filter(None, reasons)).items()):
            numbers = [
                int(frame)
                for frame, why in zip(target.frames, reasons, strict=True)
                if why == reason
            ]
            result.skips.append(Skip(reason, target.name, "frame", count, _ranges(numbers)))
        usable = target.take([row for row, reason in enumerate(reasons) if not reason])
        if len(usable) < 2:
            result.skips.append(Skip("no usable frames", target.name, "track"))
        else:
            result.targets.append(usable)
    return result


def frame_reasons(target: Footage, config: CurationConfig) -> list[str]:
    """Why each frame cannot be used; "" where it can."""
    width, height = target.size
    x, y, w, h = target.boxes.T
    with np.errstate(invalid="ignore", divide="ignore"):
        inside_w = np.minimum(x + w, width) - np.maximum(x, 0)
        inside_h = np.minimum(y + h, height) - np.maximum(y, 0)
        inside = np.clip(inside_w, 0, None) * np.clip(inside_h, 0, None) / (w * h)
        cases = [
            ("image missing", target.states == NO_IMAGE),
            ("target absent", target.states == ABSENT),
            ("target occluded", (target.states == OCCLUDED) & (not config.keep_occluded)),
            ("box not finite", ~np.isfinite(target.boxes).all(axis=1)),
            ("box empty", (w <= 0) | (h <= 0)),
            ("box outside the image", inside < config.min_inside),
        ]
    reasons = np.full(len(target), "", dtype=object)
    for reason, holds in reversed(cases):  # the first case that holds is written last
        reasons[holds] = reason
    return list(reasons)


def area_share(target: Footage) -> float:
    """Median over the frames of the box's area as a share of the picture's."""
    areas = target.boxes[:, 2] * target.boxes[:, 3]
    return float(np.median(areas)) / (target.size[0] * target.size[1])


def select_by_share(
    targets: Sequence[Footage], config: CurationConfig
) -> tuple[list[Footage], list[Skip]]:
    """Targets whose area share is in range, of the videos with the smallest ones.

    The paper leaves out targets that fill the picture and keeps 1130 videos, without saying more.
    Here a video counts by its smallest target in range, and all its targets in range are kept.

    Returns:
        The targets in their old order, and the others as skips.
    """
    skips, eligible, smallest = [], [], {}
    for target in targets:
        share = area_share(target)
        if config.min_share <= share <= config.max_share:
            eligible.append(target)
            smallest[target.video] = min(share, smallest.get(target.video, share))
        else:
            reason = "target too small" if share < config.min_share else "target too large"
            skips.append(Skip(reason, target.name, "track", detail=f"area share {share:.4g}"))
    ranking = sorted(smallest, key=lambda video: (smallest[video], video))
    kept = set(ranking[: config.sequences or None])
    skips += [
        Skip(f"beyond {config.sequences} videos", target.name, "track")
        for target in eligible
        if target.video not in kept
    ]
    return [target for target in eligible if target.video in kept], skips


def whole_tracks(targets: Sequence[Footage], config: CurationConfig) -> Iterator[Footage]:
    """Every target with every ``stride``-th frame, at most ``max_frames`` of them."""
    for target in targets:
        rows = np.arange(0, len(target), config.stride)
        if len(rows) > config.max_frames:
            rows = rows[np.linspace(0, len(rows) - 1, config.max_frames).round().astype(int)]
        yield target.take(rows)


def random_clips(targets: Sequence[Footage], config: CurationConfig) -> Iterator[Footage]:
    """Clips of ``clip_length`` successive frames in random order, none of them sharing a frame.

    Every target gives a clip before any gives a second one.
    """
    rng = np.random.default_rng(config.seed)
    waiting: dict[int, list[np.ndarray]] = {}
    for index, target in enumerate(targets):
        windows = clip_windows(target.frames, config, rng)
        waiting[index] = [windows[place] for place in rng.permutation(len(windows))]
    while waiting := {index: windows for index, windows in waiting.items() if windows}:
        for index in rng.permutation(list(waiting)):
            clip = targets[index].take(waiting[index].pop())
            yield replace(clip, name=f"{clip.name}@{int(clip.frames[0])}")


def clip_windows(
    frames: np.ndarray, config: CurationConfig, rng: np.random.Generator
) -> list[np.ndarray]:
    """Rows of all clips of a target, tiled from a random start in every unbroken run of frames."""
    windows = []
    span = (config.clip_length - 1) * config.stride + 1
    for run in np.split(np.arange(len(frames)), np.flatnonzero(np.diff(frames) != 1) + 1):
        if len(run) < span:
            continue
        start = int(rng.integers(len(run) % span + 1))
        for first in range(start, len(run) - span + 1, span):
            windows.append(run[first : first + span : config.stride])
    return windows


def _ranges(numbers: Sequence[int]) -> str:
    """Frame numbers as text: ``3-5, 9``."""
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for place, number in enumerate(numbers):
        groups[number - place].append(number)
    return ", ".join(
        f"{group[0]}-{group[-1]}" if len(group) > 1 else str(group[0]) for group in groups.values()
    )
