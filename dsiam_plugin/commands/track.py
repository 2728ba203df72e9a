"""``dsiam track``: follow one target through a video, a folder, a camera or a stream."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from dsiam_plugin.commands.argument_types import positive
from dsiam_plugin.commands.command import complain
from dsiam_plugin.commands.options import DEFAULT_TRACKER, add_threads, build, tracker_options
from dsiam_plugin.errors import BoxError, DSiamError, SourceError

if TYPE_CHECKING:
    import numpy as np

    from dsiam_plugin.io.boxes import Box
    from dsiam_plugin.io.sinks import Sink, Tracked
    from dsiam_plugin.io.sources import Frame, Source
    from dsiam_plugin.trackers.follow import Step, Tracker


EXIT_INCOMPLETE = 1


@dataclass
class Summary:
    """Counts of the frames tracked so far."""

    frames: int = 0
    lost: int = 0
    interrupted: bool = False
    trouble: str = ""
    started: float = field(default_factory=time.perf_counter)

    def add(self, tracked: Tracked) -> None:
        """Counts one frame."""
        self.frames += 1
        self.lost += tracked.lost

    def __str__(self) -> str:
        seconds = max(time.perf_counter() - self.started, 1e-9)
        return (
            f"{self.frames} frames in {seconds:.1f} s ({self.frames / seconds:.1f} fps),"
            f" lost in {self.lost}"
        )


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declares ``dsiam track``."""
    parser = subparsers.add_parser(
        "track",
        parents=[tracker_options()],
        help="track a target in a video, folder of frames, camera or stream",
        description="Without --output, --result and a window, the boxes go to standard output.",
    )
    parser.set_defaults(run=run, explain_extra=explain_extra)
    add = parser.add_argument
    add("source", metavar="SOURCE", help="video file, folder or glob of images, camera number, URL")
    add("--tracker", default=DEFAULT_TRACKER, metavar="NAME", help="default: %(default)s")
    add(
        "--init-box",
        action=_Once,
        metavar="X,Y,W,H",
        help="target on the first frame: left, top, width, height in pixels, 0-based"
        " (default: drawn with the mouse; write --init-box=-5,... for a negative X)",
    )
    add(
        "--output",
        metavar="PATH",
        help="frames with the box drawn: a video by suffix (.mp4, .webm, .avi, .mkv, .mov),"
        " else a folder",
    )
    add("--result", metavar="FILE", help="boxes, one x,y,w,h a frame, 0-based")
    add("--scores", metavar="FILE", help="scores, one a frame; nan for the first")
    add(
        "--gui",
        action=argparse.BooleanOptionalAction,
        help="show the frames; Esc or q stops (default: where there is a display)",
    )
    add("--max-frames", type=positive, metavar="N", help="stop after N frames")
    add_threads(parser, "of this process")


def run(arguments: argparse.Namespace) -> int:
    """Tracks, writes and shows as asked; returns the exit status.

    Where a source or the tracker fails after the first frame, what was tracked is written and
    the status is 1.

    Raises:
        DSiamError: Bad input. Nothing is written then.
        KeyboardInterrupt: After an interrupt; what was tracked until then has been written.
    """
    from dsiam_plugin.io.sources import open_source

    has_window = _wants_window(arguments.gui)
    choose_box = _box_chooser(arguments.init_box, has_window)
    written = _check_places(arguments)
    source = open_source(arguments.source)
    tracker = build(arguments, arguments.tracker)
    summary = Summary()
    with ExitStack() as stack:
        places = _sinks(arguments, source.fps, has_window)
        sinks = [stack.enter_context(place) for place in places]
        _track(tracker, source, choose_box, arguments.max_frames, sinks, summary)
    report = f"{summary}: {', '.join(written)}" if written else str(summary)
    if summary.interrupted:
        raise KeyboardInterrupt(f"interrupted; kept {report}")
    if summary.trouble:
        complain("", f"warning: {summary.trouble}; kept {report}")
        return EXIT_INCOMPLETE
    sys.stderr.write(f"{report}\n")
    return 0


def explain_extra(words: Sequence[str]) -> str:
    """The message about words on the command line that nothing takes; empty for options."""
    if any(word.startswith("-") and not _is_number(word) for word in words):
        return ""
    if _is_number(words[0]):
        return f"{' '.join(words)}: expected a box as one word, --init-box X,Y,W,H"
    return (
        f"{words[0]}: a second source ({len(words)} words too many); expected one video or folder,"
        ' or a glob in quotes: "shots/*.png"'
    )


def parse_box(text: str) -> Box:
    """The box written as ``X,Y,W,H``.

    Raises:
        BoxError: These are not four numbers.
    """
    from dsiam_plugin.io.boxes import Box

    try:
        return Box(*(float(number) for number in text.replace(",", " ").split()))
    except (TypeError, ValueError):
        raise BoxError(
            f"--init-box {text!r}: expected four numbers X,Y,W,H such as 120,80,64,48"
        ) from None


def _track(
    tracker: Tracker,
    source: Source,
    choose_box: Callable[[np.ndarray], Box],
    max_frames: int | None,
    sinks: Iterable[Sink],
    summary: Summary,
) -> None:
    """Feeds every tracked frame to the sinks until the source, a sink or the user ends it."""
    from tqdm import tqdm
    from tqdm.contrib.logging import logging_redirect_tqdm

    from dsiam_plugin.io.sources import prefetch
    from dsiam_plugin.trackers.follow import follow

    known = [length for length in (source.length, max_frames) if length is not None]
    with (
        closing(prefetch(source)) as frames,
        logging_redirect_tqdm(),  # warnings go above the bar
        tqdm(total=min(known, default=None), unit=" frames", ncols=100) as progress,
    ):
        try:
            steps = follow(tracker, islice(frames, max_frames), choose_box)
            for tracked in _until_trouble(steps, summary):
                wishes = [sink(tracked) for sink in sinks]
                summary.add(tracked)
                progress.update()
                if not all(wishes):
                    break
        except KeyboardInterrupt:
            if summary.frames == 0:
                raise
            summary.interrupted = True


def _until_trouble(steps: Iterator[tuple[Frame, Step]], summary: Summary) -> Iterator[Tracked]:
    """The tracked frames, without the error that ends them: it is noted, and they are kept."""
    from dsiam_plugin.io.sinks import Tracked

    try:
        for frame, (box, answer, _) in steps:
            score, lost = (None, False) if answer is None else (answer.score, answer.lost)
            yield Tracked(frame, box, score, lost)
    except DSiamError as error:
        if summary.frames == 0:
            raise
        summary.trouble = str(error)


def _sinks(
    arguments: argparse.Namespace, fps: float, has_window: bool
) -> Iterator[AbstractContextManager[Sink]]:
    """Everything that takes tracked frames; standard output where there is nothing else."""
    from dsiam_plugin.io import sinks

    if arguments.output:
        yield sinks.drawn_frames(arguments.output, fps)
    if arguments.result:
        yield sinks.text_rows(arguments.result, sinks.box_row)
    if arguments.scores:
        yield sinks.text_rows(arguments.scores, sinks.score_row)
    if has_window:
        yield sinks.window()
    elif not (arguments.output or arguments.result):
        yield sinks.printed_boxes()


def _wants_window(asked: bool | None) -> bool:
    """The user's choice, checked, or True where a window is possible."""
    from dsiam_plugin.io.display import check_display, has_display

    if asked is None:
        return has_display()
    if asked:
        check_display()
    return asked


def _box_chooser(text: str | None, has_window: bool) -> Callable[[np.ndarray], Box]:
    """A function that finds the target on the first frame."""
    from dsiam_plugin.io.display import select_box

    if text is not None:
        box = parse_box(text)
        return lambda image: box
    if not has_window:
        raise BoxError("--init-box is missing and there is no window; expected --init-box X,Y,W,H")
    return select_box


def _check_places(arguments: argparse.Namespace) -> list[str]:
    """The files to write; SourceError where one cannot be made or would replace another file."""
    from dsiam_plugin.io.video_output import check_output

    if arguments.output:
        check_output(arguments.output)
    options = ("output", "result", "scores")
    places = {name: getattr(arguments, name) for name in options if getattr(arguments, name)}
    taken = {Path(arguments.source).resolve(): "the source"}
    for option, place in places.items():
        other = taken.setdefault(Path(place).resolve(), f"--{option}")
        if other != f"--{option}":
            raise SourceError(f"--{option} {place}: is {other} too; expected another name")
    return list(places.values())


class _Once(argparse.Action):
    """An option that may not be given twice, as its last value would count without a word."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        """Stores the value, or ends with a message."""
        if getattr(namespace, self.dest) is not None:
            parser.error(
                f"{option_string}: given twice; expected one target (several: in Python, "
                "tracker.init(image, boxes))"
            )
        setattr(namespace, self.dest, values)


def _is_number(text: str) -> bool:
    """True for what float() reads."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
