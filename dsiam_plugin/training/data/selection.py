"""Which frames, sequences and clips of a source go into a pack."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dsiam_plugin.config.fields import number, refuse, validate
from dsiam_plugin.errors import DatasetError
from dsiam_plugin.training.data.pack import PackGeometry
from dsiam_plugin.training.data.sources.footage import Flag, Footage, Scan, Skip

FEWEST_FRAMES = 2  # one is no track


@dataclass(frozen=True)
class CurationConfig:
    """Rules of selection; the defaults are the paper's where it gives numbers.

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
        seed: Seed of the clips.
        side: Side of the packed crops in px, 127 of which show the exemplar window; larger ones
            leave room for wider search windows.
    """

    clips: int | None = number(2000, "[1, 1e9]")
    clip_length: int = number(10, "[2, 1e6]")  # one frame is no track
    stride: int = number(1, "[1, 1e6]")
    max_frames: int = number(100, "[2, 1e9]")
    sequences: int = number(1130, "[0, 1e9]")
    min_share: float = number(0.001, "[0, 1e6]")
    max_share: float = number(0.5, "[0, 1e6]")
    min_inside: float = number(0.5, "(0, 1]")
    keep_occluded: bool = False
    drop_generated: bool = False
    seed: int = number(0, "[0, 2147483647]")
    side: int = number(PackGeometry.side, "[127, 4096]")

    def __post_init__(self) -> None:
        """Check all values."""
        refuse(validate(self), error=DatasetError)

    def problems(self) -> Iterator[str]:
        """A line if no area lies between the bounds."""
        if self.min_share > self.max_share:
            yield f"min_share: {self.min_share:g}, expected at most max_share ({self.max_share:g})"

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
    """The reason against each frame, (N,) of str; "" where it can. The first reason counts."""
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
