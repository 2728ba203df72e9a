"""Which sequences are shown with their frames, and the pictures of them (Fig. 1 and Fig. 10)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dsiam_plugin.evaluation.reporting.pictures import sequence_results
from dsiam_plugin.evaluation.reproduction.scored import Scored
from dsiam_plugin.evaluation.visualization.figures import plot_path
from dsiam_plugin.evaluation.visualization.overlaps import draw_overlaps
from dsiam_plugin.evaluation.visualization.strips import TRACKERS, draw_strip

EXAMPLES = 2  # sequences in Fig. 1
TYPICAL, FAILURES = 6, 2  # in Fig. 10


def gaining(scored: Scored, tracker: str, baseline: str) -> list[str]:
    """The sequences on which a tracker gains most over another (Fig. 1)."""
    own, base = scored.success(tracker), scored.success(baseline)
    gains = {video: own[video] - base[video] for video in own if video in base}
    return sorted(gains, key=lambda video: (-gains[video], video))[:EXAMPLES]


def telling(scored: Scored, tracker: str, peers: Sequence[str]) -> tuple[list[str], list[str]]:
    """Where the trackers differ most, and where the first of them fails (Fig. 10)."""
    own = scored.success(tracker)
    failures = sorted(own, key=lambda video: (own[video], video))[:FAILURES]
    others = [scored.success(name) for name in (tracker, *peers)]
    spread = {
        video: float(np.std([of[video] for of in others if video in of]))
        for video in own
        if video not in failures
    }
    return sorted(spread, key=lambda video: (-spread[video], video))[:TYPICAL], failures


def draw_frames(
    scored: Scored, trackers: Sequence[str], videos: Sequence[str], folder: Path, curves: bool
) -> dict[str, Path]:
    """Draws frames of sequences with the boxes of the first seven trackers; title -> PNG file.

    With ``curves`` the overlap in every frame stands below them.
    """
    evaluation = scored.evaluation(list(trackers)[:TRACKERS])
    draw, kind = (draw_overlaps, "overlap") if curves else (draw_strip, "strip")
    pictures = {}
    for video in videos:
        draw(sequence_results(evaluation, scored.dataset[video]), path=folder)
        pictures[video] = plot_path(folder, f"{kind}_{video}")
    return pictures
