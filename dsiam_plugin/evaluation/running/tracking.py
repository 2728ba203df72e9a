"""One tracker over the frames of one sequence: straight through, or with restarts."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from dsiam_plugin.evaluation.measures.regions import Regions, region_overlaps
from dsiam_plugin.evaluation.results.files import CODE_INITIALISED, CODE_LOST, CODE_SKIPPED
from dsiam_plugin.evaluation.running.starts import Box, enclosing_box, is_target
from dsiam_plugin.evaluation.running.trackers import Estimate, Tracker, image_mode, read_estimate
from dsiam_plugin.io.images import read_image

RESTART_SKIP = 5  # frames from a failure to the next start, the VOT challenges' setting

_NO_SCORE = float("nan")


@dataclass
class Track:
    """What a tracker did on one run, one entry a frame in every list.

    Attributes:
        regions: Boxes, polygons, and in runs with restarts codes, which are tuples of one number.
        scores: Confidences, NaN where there are none.
        seconds: Time inside the tracker; reading images does not count.
    """

    regions: list[tuple[float, ...]] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def append(self, region: tuple[float, ...], score: float, seconds: float) -> None:
        """Add one frame."""
        self.regions.append(region)
        self.scores.append(score)
        self.seconds.append(seconds)


def run_through(
    tracker: Tracker,
    images: Sequence[str],
    start_box: Callable[[np.ndarray], Box],
    advance: Callable[[], None],
) -> Track:
    """Start on the first frame and follow to the last.

    Args:
        tracker: The tracker; its `init` must forget every earlier target.
        images: Files of the frames.
        start_box: Gives the box to start with, from the first image.
        advance: Called after every frame.

    Returns:
        The track; its first region is the start box.
    """
    mode, track = image_mode(tracker), Track()
    for index, path in enumerate(images):
        image = read_image(path, mode)
        if index == 0:
            box = start_box(image)
            track.append(box, _NO_SCORE, _start(tracker, image, box))
        else:
            estimate, seconds = _follow(tracker, image)
            track.append(estimate.box, estimate.score, seconds)
        advance()
    return track


def run_with_restarts(
    tracker: Tracker,
    images: Sequence[str],
    truth: Sequence[Sequence[float]],
    advance: Callable[[], None],
) -> Track:
    """VOT's supervised run: a target that is lost is given back five frames later.

    A frame whose region does not overlap the annotation gets code 2. The tracker starts anew
    five frames on, or at the first later frame whose annotation shows the target; that frame
    gets code 1 and the ones between code 0.

    Args:
        tracker: The tracker; its `init` must forget every earlier target.
        images: Files of the frames.
        truth: Annotation of each frame, boxes or polygons.
        advance: Called after every frame.
    """
    mode, track = image_mode(tracker), Track()
    start_from: int | None = 0  # None while the tracker runs
    for index, (path, region) in enumerate(zip(images, truth, strict=True)):
        if start_from is not None and (index < start_from or not is_target(region)):
            track.append((CODE_SKIPPED,), _NO_SCORE, 0.0)
        elif start_from is not None:
            image = read_image(path, mode)
            seconds = _start(tracker, image, enclosing_box(region))
            track.append((CODE_INITIALISED,), _NO_SCORE, seconds)
            start_from = None
        else:
            image = read_image(path, mode)
            estimate, seconds = _follow(tracker, image)
            if _is_on_target(estimate, region, image):
                track.append(estimate.polygon or estimate.box, estimate.score, seconds)
            else:
                track.append((CODE_LOST,), estimate.score, seconds)
                start_from = index + RESTART_SKIP
        advance()
    return track


def _start(tracker: Tracker, image: np.ndarray, box: Box) -> float:
    """Start the tracker; the seconds it took."""
    begin = time.perf_counter()
    tracker.init(image, box)
    return time.perf_counter() - begin


def _follow(tracker: Tracker, image: np.ndarray) -> tuple[Estimate, float]:
    """Track one frame; the answer and the seconds it took."""
    begin = time.perf_counter()
    answer = tracker.track(image)
    seconds = time.perf_counter() - begin
    return read_estimate(answer), seconds


def _is_on_target(estimate: Estimate, truth: Sequence[float], image: np.ndarray) -> bool:
    """Whether answer and annotation share a pixel, counted as pysot's runner counts."""
    height, width = image.shape[:2]
    found = Regions.pack([estimate.polygon or estimate.box])
    return bool(region_overlaps(found, Regions.pack([truth]), (width, height))[0] > 0)
