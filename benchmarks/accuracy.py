"""Gains of trackers over a baseline, with their standard errors, on folders of sequences.

```
python benchmarks/accuracy.py OTB CLIPS --out runs/judge --baseline SiamFC \
    --candidates DSiamM gated=DSiamM:gated.yaml wide=DSiamM:gated.yaml@wide.npz \
    --group A=Car4,Crossing --group left-out=@left_out.txt
```

Every tracker starts at the same frames of every sequence (`--starts`, as in temporal robustness
evaluation, TRE) and follows to the end of its first `--frames` frames. A sequence counts once, with
the mean over its starts; gains are paired by sequence. With several baselines the one with the
best mean is taken, in every group anew. Rows are kept in OUT/NAME.jsonl: another call goes on where
one stopped, with more sequences or candidates; a candidate that has changed is refused.
`--to-and-fro 240` plays short clips back and forth until they have so many frames: what adds up
over time, such as an error of size, shows in long runs alone.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is imported: equal on all machines

import numpy as np  # noqa: E402
import torch  # noqa: E402
from opencv_trackers import NanoTracker  # noqa: E402

from dsiam_plugin import build_tracker  # noqa: E402
from dsiam_plugin.errors import DSiamError  # noqa: E402
from dsiam_plugin.evaluation.datasets.factory import create_dataset  # noqa: E402
from dsiam_plugin.evaluation.measures.metrics import (  # noqa: E402
    PRECISION_INDEX,
    precision_curve,
    success_curve,
)
from dsiam_plugin.evaluation.running.starts import is_target, tre_starts  # noqa: E402
from dsiam_plugin.evaluation.running.tracking import run_through  # noqa: E402
from dsiam_plugin.io.tables import Table  # noqa: E402

LOST = 0.15  # a sequence this far below the baseline is lost
ALL = "all"
Run = tuple[str, int]  # name of the sequence, first frame
Scores = Mapping[str, tuple[float, float]]  # success and precision by sequence


@dataclass(frozen=True)
class Candidate:
    """A tracker to be judged.

    Attributes:
        name: What it is called in the table; its file's name.
        tracker: Name in the registry.
        config: YAML file with other constants, or None.
        weights: File of weights, or None for those of `--weights`.
    """

    name: str
    tracker: str
    config: str | None = None
    weights: str | None = None

    @classmethod
    def parse(cls, text: str) -> Candidate:
        """The candidate of ``[NAME=]TRACKER[:CONFIG][@WEIGHTS]``."""
        name, _, rest = text.rpartition("=")
        rest, _, weights = rest.partition("@")
        tracker, _, config = rest.partition(":")
        return cls(name or tracker, tracker, config or None, weights or None)

    def build(self, weights: str | None, precision: str) -> Any:
        """The tracker, on the processor."""
        return build_tracker(
            self.tracker,
            weights=self.weights or weights,
            config=self.config,
            device="cpu",
            precision=precision,
        )


class Rows:
    """Scores of one candidate by run, kept in a file that grows by a line a run.

    Args:
        path: JSON lines: what was run, then its rows.
        identity: What was run; a file of something else is refused.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any]):
        self.path = path
        self.runs: dict[Run, tuple[float, float]] = {}
        if not path.exists():
            self._append({"identity": identity})
            return
        first, *rows = _whole_lines(path)
        if first.get("identity") != json.loads(json.dumps(identity)):
            raise SystemExit(f"{path}: rows of another configuration; choose another --out")
        for row in rows:
            self.runs[row["sequence"], row["start"]] = row["success"], row["precision"]

    def add(self, run: Run, success: float, precision: float) -> None:
        """Keep the scores of a run."""
        sequence, start = run
        self.runs[run] = success, precision
        self._append(
            {"sequence": sequence, "start": start, "success": success, "precision": precision}
        )

    def _append(self, row: Mapping[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is missing, print one table a group."""
    arguments = _parser().parse_args(argv)
    torch.set_num_threads(1)
    candidates = [Candidate.parse(text) for text in arguments.baseline + arguments.candidates]
    if arguments.nano:
        candidates.append(Candidate("TrackerNano", "TrackerNano"))
    try:
        videos = _videos(arguments.data)
        scores = {item.name: _run(item, videos, arguments) for item in candidates}
    except DSiamError as error:
        sys.stderr.write(f"accuracy.py: {error}\n")
        return 2
    baselines = [Candidate.parse(text).name for text in arguments.baseline]
    for name, members in _groups(arguments.group, list(videos)).items():
        print(group_table(name, members, scores, baselines).text())
    return 0


def group_table(
    name: str, members: Sequence[str], scores: Mapping[str, Scores], baselines: Sequence[str]
) -> Table:
    """Means, gains and lost sequences of every candidate on the sequences of a group."""

    def column(candidate: str, measure: int) -> np.ndarray:
        return np.array([scores[candidate][member][measure] for member in members])

    base = max(baselines, key=lambda item: column(item, 0).mean())
    rows = []
    for candidate in scores:
        success = column(candidate, 0)
        gains = success - column(base, 0)
        error = gains.std(ddof=1) / len(gains) ** 0.5 if len(gains) > 1 else float("nan")
        lost = [
            f"{member} {gain:+.2f}"
            for member, gain in zip(members, gains, strict=True)
            if gain < -LOST
        ]
        precision = column(candidate, 1).mean()
        gain = f"{gains.mean():+.4f} +- {error:.4f}"
        rows.append((candidate, success.mean(), precision, gain, ", ".join(lost) or "none"))
    columns = ("Candidate", "Success", "Precision", f"Gain over {base}", "Lost")
    return Table(f"{name}: {len(members)} sequences", columns, tuple(rows))


def _run(candidate: Candidate, videos: Mapping[str, Any], arguments: argparse.Namespace) -> Scores:
    """Scores by sequence, the mean over its starts; runs that have rows are not run again."""
    tracker: Any
    config: dict[str, Any]
    if candidate.tracker == "TrackerNano":
        tracker, config = NanoTracker(*arguments.nano), {}
    else:
        tracker = candidate.build(arguments.weights, arguments.precision)
        config = asdict(tracker.config)
    identity = {
        "tracker": candidate.tracker,
        "config": config,
        "weights": candidate.weights or arguments.weights,
        "precision": arguments.precision,
        "frames": arguments.frames,
    }
    if arguments.to_and_fro:
        identity["to_and_fro"] = arguments.to_and_fro
    rows = Rows(arguments.out / f"{candidate.name}.jsonl", identity)
    scores = {}
    for number, (name, video) in enumerate(videos.items()):
        truth = np.asarray(video.gt_traj, dtype=float)[: arguments.frames]
        runs = [(name, start) for start in _starts(truth, arguments.starts)]
        for run in runs:
            if run not in rows.runs:
                order = there_and_back(run[1], len(truth), arguments.to_and_fro)
                rows.add(run, *_score(tracker, video, truth, order))
        scores[name] = tuple(np.mean([rows.runs[run] for run in runs], axis=0).tolist())
        sys.stderr.write(f"{candidate.name}: {number + 1}/{len(videos)} {name}\n")
    return scores


def there_and_back(start: int, frames: int, length: int) -> list[int]:
    """Frames from ``start`` to the last, then back and forth between the two up to ``length``."""
    once = list(range(start, frames))
    order = list(once)
    turn = itertools.cycle([*once[-2:0:-1], *once])
    order += itertools.islice(turn, max(length - len(once), 0) if len(once) > 1 else 0)
    return order


def _score(
    tracker: Any, video: Any, truth: np.ndarray, order: Sequence[int]
) -> tuple[float, float]:
    """Success (area under the curve) and precision (20 px) of one run."""
    images, truth = [video.img_names[frame] for frame in order], truth[list(order)]
    track = run_through(tracker, images, lambda _: tuple(truth[0]), lambda: None)
    boxes = np.array(track.regions)
    precision = precision_curve(truth, boxes)[PRECISION_INDEX]
    return float(success_curve(truth, boxes).mean()), float(precision)


def _starts(truth: np.ndarray, count: int) -> list[int]:
    """At most ``count`` first frames, spread evenly: frame 0 and starts of TRE's first half."""
    later = [start for start in tre_starts(truth) if 0 < start <= len(truth) // 2]
    chosen = np.linspace(0, len(later), count, endpoint=False).astype(int)[1:]
    first = next(frame for frame, box in enumerate(truth) if is_target(box))
    return [first, *sorted({later[index] for index in chosen} - {first} if later else ())]


def _videos(folders: Sequence[str]) -> dict[str, Any]:
    """Sequences of all folders by name."""
    videos: dict[str, Any] = {}
    for folder in folders:
        for video in create_dataset(name=folder):
            if video.name in videos:
                raise SystemExit(f"{folder}: a second sequence {video.name}")
            videos[video.name] = video
    return videos


def _groups(texts: Sequence[str], names: list[str]) -> dict[str, list[str]]:
    """Sequences by group: all, those named, and all that no group names."""
    groups = {ALL: names}
    for text in texts:
        group, _, members = text.partition("=")
        chosen = Path(members[1:]).read_text().split() if members[:1] == "@" else members.split(",")
        groups[group] = [name for name in names if name in chosen]
    return {group: members for group, members in groups.items() if members}


def _whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a file whose last line may be torn by a kill."""
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, encoding="utf-8")
    return (json.loads(line) for line in whole.splitlines())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="+", help="folders of sequences (or benchmarks' names)")
    parser.add_argument("--out", type=Path, required=True, help="folder that keeps the rows")
    parser.add_argument("--baseline", nargs="+", default=["SiamFC"], metavar="SPEC")
    parser.add_argument("--candidates", nargs="+", default=["DSiam", "DSiamM"], metavar="SPEC")
    parser.add_argument("--weights", help="file of weights (default: the embedded ones)")
    parser.add_argument(
        "--nano", nargs=2, metavar=("BACKBONE", "HEAD"), help="OpenCV's TrackerNano as well"
    )
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--frames", type=int, default=300, help="first frames of each sequence")
    parser.add_argument("--starts", type=int, default=3, help="starts of each sequence")
    parser.add_argument(
        "--to-and-fro", type=int, default=0, metavar="N", help="play shorter runs back and forth"
    )
    parser.add_argument(
        "--group", action="append", default=[], metavar="NAME=A,B|NAME=@FILE", help="own table"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
