"""One tracker over the frames of one sequence: straight through, or with restarts."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from dsiam_plugin.adapters.pysot import PYSOT_SHIFT_PX
from dsiam_plugin.evaluation.measures.regions import Regions, region_overlaps
from dsiam_plugin.evaluation.results.files import CODE_INITIALISED, CODE_LOST, CODE_SKIPPED
from dsiam_plugin.evaluation.running.starts import Box, enclosing_box, is_target
from dsiam_plugin.evaluation.running.trackers import Tracker, box_mode, image_mode, read_estimate
from dsiam_plugin.io.images import read_image
from dsiam_plugin.io.sources import Frame
from dsiam_plugin.trackers.follow import Step, follow

RESTART_SKIP = 5  # frames from a failure to the next start, the VOT challenges' setting


@dataclass
class Track:
    """The answers of a tracker on one run, one entry a frame in every list.

    Attributes:
        regions: Boxes, polygons, and in runs with restarts codes, which are tuples of one number.
        scores: Confidences, NaN where there are none.
        seconds: Time inside the tracker; reading images does not count.
    """

    regions: list[tuple[float, ...]] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def append(self, region: tuple[float, ...], step: Step | None = None) -> None:
        """Add one frame; `step` is None where the tracker did not run."""
        self.regions.append(region)
        self.scores.append(math.nan if step is None or step.answer is None else step.answer.score)
        self.seconds.append(0.0 if step is None else step.seconds)


class _StartedAsByPysot:
    """A tracker whose first boxes are measured from the middle of a pixel, see `trackers`."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self.track = tracker.track

    def init(self, image: np.ndarray, box: Sequence[float]) -> None:
        """Start on an annotated x, y, w, h."""
        x, y, w, h = box
        self._tracker.init(image, (x + PYSOT_SHIFT_PX, y + PYSOT_SHIFT_PX, w, h))


def run_through(
    tracker: Tracker,
    images: Sequence[str],
    start_box: Callable[[np.ndarray], Box],
    advance: Callable[[], None],
    from_polygon: bool = False,
) -> Track:
    """The track from the first frame to the last.

    Args:
        tracker: The tracker; its `init` must forget every earlier target.
        images: Files of the frames.
        start_box: Gives the box to start with, from the first image.
        advance: Called after every frame.
        from_polygon: The first box was made of a polygon; pysot's loop does not shift such.

    Returns:
        The track; its first region is the start box.
    """
    shifted = box_mode(tracker) == "pysot" and not from_polygon
    started = _StartedAsByPysot(tracker) if shifted else tracker
    track = Track()
    for _, step in follow(started, _frames(images, tracker), start_box, read_estimate):
        track.append(tuple(step.box), step)
        advance()
    return track


def run_with_restarts(
    tracker: Tracker,
    images: Sequence[str],
    truth: Sequence[Sequence[float]],
    advance: Callable[[], None],
) -> Track:
    """The track of VOT's supervised run: a target that is lost is given back five frames later.

    A frame whose region does not overlap the annotation gets code 2. The tracker starts anew
    five frames on, or at the first later frame whose annotation shows the target; that frame
    gets code 1 and the ones between code 0. Here pysot's loop shifts no first box.
    """
    track, start_from = Track(), 0
    for index, region in enumerate(truth):
        if index < len(track.regions):  # followed already
            continue
        if index < start_from or not is_target(region):
            track.append((CODE_SKIPPED,))
            advance()
        else:
            _follow_until_lost(tracker, images[index:], truth[index:], track, advance)
            start_from = len(track.regions) - 1 + RESTART_SKIP
    return track


def _follow_until_lost(
    tracker: Tracker,
    images: Sequence[str],
    truth: Sequence[Sequence[float]],
    track: Track,
    advance: Callable[[], None],
) -> None:
    """Start on the first frame and add to the track, up to a failure or the end."""
    steps = follow(
        tracker, _frames(images, tracker), lambda _: enclosing_box(truth[0]), read_estimate
    )
    for index, ((frame, step), region) in enumerate(zip(steps, truth, strict=False)):
        found = getattr(step.answer, "polygon", None) or tuple(step.box)
        on_target = index == 0 or _is_on_target(found, region, frame.image)
        if index == 0:
            track.append((CODE_INITIALISED,), step)
        else:
            track.append(found if on_target else (CODE_LOST,), step)
        advance()
        if not on_target:
            return


def _frames(images: Sequence[str], tracker: Tracker) -> Iterator[Frame]:
    """The frames, read one by one in the tracker's colour order."""
    mode = image_mode(tracker)
    for index, path in enumerate(images):
        yield Frame(index, path, read_image(path, mode))


def _is_on_target(found: Sequence[float], truth: Sequence[float], image: np.ndarray) -> bool:
    """True where answer and annotation share a pixel, counted as pysot's runner counts."""
    height, width = image.shape[:2]
    regions = Regions.pack([found]), Regions.pack([truth])
    return bool(region_overlaps(*regions, (width, height))[0] > 0)
