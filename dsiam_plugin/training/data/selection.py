"""Which frames, sequences and clips of a source go into a pack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.training.data.sources.footage import Flag, Footage, Scan, Skip

FEWEST_FRAMES = 2  # one is no track


@dataclass(frozen=True)
class CurationConfig:
    """What to select; the defaults are the paper's where it gives numbers.

    Attributes:
        clips: How many clips, drawn at random; None packs whole tracks.
        clip_length: Frames of a clip.
        stride: Take every so many-th frame.
        max_frames: Most frames of a whole track; of longer ones frames are taken evenly.
        sequences: Most sequences; those with the smallest targets are kept. 0 keeps all.
        min_share, max_share: Range of a track's median area share, w h / (W H).
        min_inside: Share of a box that must lie inside the image.
        keep_occluded: Whether frames flagged as occluded are used.
        drop_generated: Whether frames are left out whose box was not drawn by hand.
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
    drop_generated: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check all values.

        Raises:
            DatasetError: Naming every value that is out of range.
        """
        least = {"clip_length": FEWEST_FRAMES, "stride": 1, "max_frames": FEWEST_FRAMES}
        least |= {"sequences": 0, "seed": 0} | ({} if self.clips is None else {"clips": 1})
        problems = [
            f"{name} is {getattr(self, name)}; expected at least {limit}"
            for name, limit in least.items()
            if getattr(self, name) < limit
        ]
        if not 0 <= self.min_share <= self.max_share:
            problems.append(
                f"area shares are {self.min_share:g} to {self.max_share:g}; expected 0 or more, the"
                " smaller one first"
            )
        if not 0 < self.min_inside <= 1:
            problems.append(f"min_inside is {self.min_inside:g}; expected a share above 0, up to 1")
        if problems:
            raise DatasetError("; ".join(problems))

    @property
    def clip_span(self) -> int:
        """Frames of the video from a clip's first frame to its last."""
        return (self.clip_length - 1) * self.stride + 1


def usable_frames(scan: Scan, config: CurationConfig) -> Scan:
    """The targets of a scan in the frames that can be used; the others become skips."""
    result = Scan(skips=list(scan.skips))
    for target in scan.targets:
        reasons = frame_reasons(target, config)
        for reason in sorted(set(reasons) - {""}):
            frames = target.frames[reasons == reason]
            result.skips.append(
                Skip(reason, target.name, "frame", len(frames), f"frames {ranges(frames)}")
            )
        usable = target.take(np.flatnonzero(reasons == ""))
        if len(usable) < FEWEST_FRAMES:
            detail = f"{len(usable)} of {len(target)} frames"
            result.skips.append(Skip("no usable frames", target.name, "track", detail=detail))
        else:
            result.targets.append(usable)
    return result


def frame_reasons(target: Footage, config: CurationConfig) -> np.ndarray:
    """Why each frame cannot be used, (N,) of str; "" where it can. The first reason counts."""
    w, h = target.boxes[:, 2:].T
    flags = target.flags
    cases = {
        "image missing": flags & Flag.NO_IMAGE > 0,
        "target absent": flags & Flag.ABSENT > 0,
        "target occluded": (flags & Flag.OCCLUDED > 0) & (not config.keep_occluded),
        "box generated": (flags & Flag.GENERATED > 0) & config.drop_generated,
        "box not finite": ~np.isfinite(target.boxes).all(axis=1),
        "box empty": (w <= 0) | (h <= 0),
        "box outside the image": ~(share_inside(target) >= config.min_inside),
    }
    return np.select(list(cases.values()), list(cases), default="")


def share_inside(target: Footage) -> np.ndarray:
    """Share of each box's area that lies inside the image, (N,); NaN without a proper box."""
    corners = target.boxes[:, :2]
    with np.errstate(invalid="ignore", divide="ignore"):
        ends = np.minimum(corners + target.boxes[:, 2:], target.size)
        overlap = np.clip(ends - np.maximum(corners, 0), 0, None)
        return overlap.prod(axis=1) / target.boxes[:, 2:].prod(axis=1)


def area_share(target: Footage) -> float:
    """Median over the frames of the box's area as a share of the picture's."""
    areas = target.boxes[:, 2:].prod(axis=1)
    return float(np.median(areas)) / (target.size[0] * target.size[1])


def select_by_share(
    targets: Sequence[Footage], config: CurationConfig
) -> tuple[list[Footage], list[Skip]]:
    """Targets whose area share is in range, of the sequences with the smallest ones.

    The paper leaves out targets that fill the picture and keeps 1130 sequences, without saying
    more. Here a sequence ranks by its smallest target in range, and with it all of its targets in
    range are kept.

    Returns:
        The targets in their old order, and the others as skips.
    """
    skips, eligible = [], []
    smallest: dict[str, float] = {}
    for target in targets:
        share = area_share(target)
        if config.min_share <= share <= config.max_share:
            eligible.append(target)
            smallest[target.sequence] = min(share, smallest.get(target.sequence, share))
        else:
            reason = "target too small" if share < config.min_share else "target too large"
            skips.append(Skip(reason, target.name, "track", detail=f"area share {share:.4g}"))
    ranking = sorted(smallest, key=lambda sequence: (smallest[sequence], sequence))
    kept = set(ranking[: config.sequences or None])
    skips += [
        Skip(
            "enough sequences", target.name, "track", detail=f"area share {area_share(target):.4g}"
        )
        for target in eligible
        if target.sequence not in kept
    ]
    return [target for target in eligible if target.sequence in kept], skips


def whole_tracks(targets: Sequence[Footage], config: CurationConfig) -> Iterator[Footage]:
    """Every target in every ``stride``-th of its frames, at most ``max_frames`` of them."""
    for target in targets:
        rows = np.arange(0, len(target), config.stride)
        if len(rows) > config.max_frames:
            rows = rows[np.linspace(0, len(rows) - 1, config.max_frames).round().astype(int)]
        yield target.take(rows)


def long_enough(
    targets: Sequence[Footage], config: CurationConfig
) -> tuple[list[Footage], list[Skip]]:
    """Targets with a run of successive frames for a clip, and the others as skips."""
    long, skips = [], []
    for target in targets:
        longest = max(len(run) for run in runs(target.frames))
        if longest >= config.clip_span:
            long.append(target)
        else:
            detail = f"{longest} of {config.clip_span} successive frames"
            skips.append(Skip("too short for a clip", target.name, "track", detail=detail))
    return long, skips


def random_clips(targets: Sequence[Footage], config: CurationConfig) -> Iterator[Footage]:
    """Clips in random order, none of which share a frame, until there are no more.

    Every target gives a clip before any gives a second one.
    """
    rng = np.random.default_rng(config.seed)
    waiting = []
    for target in targets:
        windows = clip_windows(target.frames, config, rng)
        waiting.append([windows[place] for place in rng.permutation(len(windows))])
    while left := [index for index, windows in enumerate(waiting) if windows]:
        for index in rng.permutation(left):
            clip = targets[index].take(waiting[index].pop())
            yield replace(clip, name=f"{clip.name}@{int(clip.frames[0])}")


def clip_windows(
    frames: np.ndarray, config: CurationConfig, rng: np.random.Generator
) -> list[np.ndarray]:
    """Rows of the clips that follow each other, from a random start, in every run of frames."""
    windows = []
    span = config.clip_span
    for run in runs(frames):
        if len(run) >= span:
            first = int(rng.integers(len(run) % span + 1))
            starts = range(first, len(run) - span + 1, span)
            windows += [run[start : start + span : config.stride] for start in starts]
    return windows


def runs(frames: np.ndarray) -> list[np.ndarray]:
    """Indices of (N,) increasing frame numbers, split wherever a number is missing."""
    return np.split(np.arange(len(frames)), np.flatnonzero(np.diff(frames) != 1) + 1)


def ranges(frames: np.ndarray) -> str:
    """Increasing frame numbers as text: ``3-5, 9``."""
    ends = [(int(frames[run[0]]), int(frames[run[-1]])) for run in runs(frames)]
    return ", ".join(f"{first}-{last}" if last > first else f"{first}" for first, last in ends)
