"""How long our boxes and the authors' follow each other, and what their boxes tell of their code.

```
python benchmarks/follow_authors.py OTB MORE_OTB --authors results/OTB2013/DSiamM-authors \
    --weights siamfc_3s_color.npz --out runs/follow --frames 150
```

The authors' boxes have four decimals, and their code moves a box by whole cells of the upsampled
response in units of the rounded search side. So the side they used, whether the size changed, and
the frames that they took for lost can be read off (:func:`decode`). Ours starts from their first
box, with their context. Boxes are kept in OUT, and another call goes on with them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is imported

import numpy as np  # noqa: E402
import torch  # noqa: E402

from dsiam_plugin import build_tracker  # noqa: E402
from dsiam_plugin.errors import DSiamError  # noqa: E402
from dsiam_plugin.evaluation.datasets.factory import create_dataset  # noqa: E402
from dsiam_plugin.evaluation.measures.metrics import (  # noqa: E402
    box_overlaps,
    success_curve,
)
from dsiam_plugin.evaluation.results.files import (  # noqa: E402
    read_boxes,
    read_values,
    write_boxes,
    write_values,
)
from dsiam_plugin.evaluation.running.tracking import run_through  # noqa: E402
from dsiam_plugin.io.tables import Table  # noqa: E402
from dsiam_plugin.trackers.crops import context_side, round_half_up  # noqa: E402

CONTEXTS = (0.5, 0.1)  # of the crops; the second one shows in nine of the 51 sequences
EARLY = 20  # frames before the templates can have grown apart
DAMPING, STEP, GROWTH = 0.58, 1.0375, 1.1
CELL = 8 / 16 / 255  # side of a cell of the upsampled response as a share of the search side
ROUNDING_PX = 3e-4  # of the files, twice
MOST_PATHS = 100
SAME, LOST, FOUND = "same", "lost", "found"
FACTORS = {
    "smaller": 1 + DAMPING * (1 / STEP - 1),
    SAME: 1.0,
    "larger": 1 + DAMPING * (STEP - 1),
}
COLUMNS = ("Sequence", "Frames", "Context", "Theirs", "Ours", "Part at", "Overlap", "Apart px")
MORE_COLUMNS = ("Size", "Read off", "Lost", "Ours lost")


class Reading(NamedTuple):
    """A way to read the authors' boxes so far."""

    side: float  # of the search window
    first_side: float
    lost: bool  # the last frame was
    marks: tuple[str, ...]  # one for each frame after the first


def decode(boxes: np.ndarray, context: float) -> tuple[str, ...]:
    """What happened on each frame after the first, as far as the authors' rules explain it.

    Args:
        boxes: Of the authors, (frames, 4).
        context: Share of (w + h) around the target.

    Returns:
        Per frame "smaller", "same" or "larger" (the winning scale), "lost", or "found" (again);
        with the fewest losses. It ends before the first frame that no rule explains.
    """
    side = _side(boxes[0], context)
    paths = [Reading(side, side, False, ())]
    for frame in range(1, len(boxes)):
        found: dict[tuple[float, bool], Reading] = {}
        for path in paths:
            for follower in _followers(path, boxes[frame - 1], boxes[frame], context):
                key = round(follower.side, 2), follower.lost
                if key not in found or _losses(follower) < _losses(found[key]):
                    found[key] = follower
        if not found:
            break
        paths = sorted(found.values(), key=_losses)[:MOST_PATHS]
    return paths[0].marks


def compare(name: str, ours: np.ndarray, lost: np.ndarray, theirs: np.ndarray, truth: Any) -> tuple:
    """A row of the table; the arrays are of the same frames."""
    overlaps = box_overlaps(theirs, ours)
    apart = np.flatnonzero(overlaps >= 0.5)[-1] + 1
    early = slice(1, EARLY + 1)
    shifts = np.linalg.norm(_middles(ours) - _middles(theirs), axis=1)
    sizes = np.sqrt(ours[:, 2:].prod(1) / theirs[:, 2:].prod(1))
    context, marks = read_off(theirs)
    return (
        name,
        len(ours),
        str(context),
        float(success_curve(truth, theirs).mean()),
        float(success_curve(truth, ours).mean()),
        int(apart) if apart < len(ours) else "never",
        float(overlaps[:apart].mean()),
        float(shifts[early].mean()),
        float(sizes[early].mean()),
        len(marks) + 1,
        marks.count(LOST),
        int(lost.sum()),
    )


def read_off(boxes: np.ndarray) -> tuple[float, tuple[str, ...]]:
    """The context that explains most of the authors' boxes, and what it makes of them."""
    readings = {context: decode(boxes, context) for context in CONTEXTS}
    best = max(readings, key=lambda context: len(readings[context]))
    return best, readings[best]


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is missing, print the table."""
    arguments = _parser().parse_args(argv)
    torch.set_num_threads(1)
    rows = []
    try:
        for folder in arguments.data:
            for video in create_dataset(name=folder):
                file = arguments.authors / f"{video.name}.txt"
                if file.exists():
                    rows.append(_row(video, read_boxes(file), arguments))
                    sys.stderr.write(f"{video.name}\n")
    except DSiamError as error:
        sys.stderr.write(f"follow_authors.py: {error}\n")
        return 2
    means = [float(np.mean([row[column] for row in rows])) for column in (3, 4)]
    rows.append(("mean", None, None, *means, *[None] * (len(COLUMNS + MORE_COLUMNS) - 5)))
    print(Table("Ours beside the authors'", COLUMNS + MORE_COLUMNS, tuple(rows)).text())
    return 0


def _row(video: Any, theirs: np.ndarray, arguments: argparse.Namespace) -> tuple:
    count = min(arguments.frames, len(theirs), len(video.gt_traj))
    theirs, truth = theirs[:count], np.asarray(video.gt_traj, dtype=float)[:count]
    file, values = (arguments.out / f"{video.name}{end}" for end in (".txt", "_score.txt"))
    if not values.exists() or len(read_boxes(file)) < count:
        context, _ = read_off(theirs)
        tracker = _tracker(arguments, {"crop": {"context": context}})
        track = run_through(
            tracker, video.img_names[:count], lambda _: tuple(theirs[0]), lambda: None
        )
        arguments.out.mkdir(parents=True, exist_ok=True)
        write_boxes(file, track.regions)
        write_values(values, track.scores)
    lost = read_values(values)[:count] <= 0  # the release's gate
    return compare(video.name, read_boxes(file)[:count], lost, theirs, truth)


def _tracker(arguments: argparse.Namespace, settings: Mapping[str, Any]) -> Any:
    return build_tracker(
        arguments.tracker,
        weights=arguments.weights,
        config={"transform": {"preset": arguments.preset}, **settings},
        device="cpu",
        precision=arguments.precision,
    )


def _followers(path: Reading, last: np.ndarray, box: np.ndarray, context: float) -> list[Reading]:
    """Ways on from a frame's box to the next one."""
    cells = (_middles(box) - _middles(last)) / (CELL * round_half_up(path.side))
    off_px = np.abs(cells - np.round(cells)).max() * CELL * path.side
    if off_px > ROUNDING_PX:
        return []
    ways = []
    for mark, factor in FACTORS.items():
        if abs(box[2] / last[2] - factor) > ROUNDING_PX / box[2] + 2e-5:
            continue
        if not path.lost:
            ways.append(_on(path, path.side * factor, mark))
        elif mark == SAME:
            ways.append(_on(path, _side(last, context), FOUND))
        if mark == SAME:
            ways.append(_on(path, path.side * GROWTH, LOST))
    return ways


def _on(path: Reading, side: float, mark: str) -> Reading:
    """The reading with one more frame."""
    bounded = min(max(side, 0.2 * path.first_side), 5 * path.first_side)
    return Reading(bounded, path.first_side, mark == LOST, (*path.marks, mark))


def _losses(path: Reading) -> int:
    return path.marks.count(LOST)


def _side(box: np.ndarray, context: float) -> float:
    return context_side(box[2], box[3], context) * 255 / 127


def _middles(boxes: np.ndarray) -> np.ndarray:
    return boxes[..., :2] + boxes[..., 2:] / 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="+", help="folders of sequences")
    parser.add_argument("--authors", type=Path, required=True, help="folder of their boxes")
    parser.add_argument("--out", type=Path, required=True, help="folder that keeps our boxes")
    parser.add_argument("--weights", required=True, help="SiamFC's network")
    parser.add_argument("--tracker", default="DSiamM")
    parser.add_argument("--preset", default="release")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--frames", type=int, default=300, help="first frames of each sequence")
    return parser


if __name__ == "__main__":
    sys.exit(main())
