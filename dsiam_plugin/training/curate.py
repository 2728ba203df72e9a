"""Make packs of training data: ``dsiam data curate SOURCE ROOT OUT``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tqdm import tqdm

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.training.curation import curate
from dsiam_plugin.training.selection import CurationConfig
from dsiam_plugin.training.sources.otb import VIDEO_OF, OTBFolders

PROGRAM = "dsiam data curate"


def build_parser() -> argparse.ArgumentParser:
    """Command line of :func:`main`."""
    defaults = CurationConfig()
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Cut the targets of a data set once, into a pack that training reads.",
    )
    parser.add_argument("source", choices=["otb"], metavar="SOURCE", help="otb")
    parser.add_argument("root", type=Path, metavar="ROOT", help="folder of the data set")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to make")
    add = parser.add_argument
    add("--clips", type=int, default=defaults.clips, metavar="N")
    add("--clip-length", type=int, default=defaults.clip_length, metavar="T")
    add("--tracks", action="store_true", help="pack whole tracks instead of clips")
    add("--stride", type=int, default=defaults.stride, metavar="K")
    add("--max-frames", type=int, default=defaults.max_frames, metavar="F")
    add("--sequences", type=int, default=defaults.sequences, metavar="N")
    add("--min-share", type=float, default=defaults.min_share, metavar="A")
    add("--max-share", type=float, default=defaults.max_share, metavar="A")
    add("--min-inside", type=float, default=defaults.min_inside, metavar="A")
    add("--keep-occluded", action="store_true")
    add("--seed", type=int, default=defaults.seed, metavar="S")
    add("--video-of", default=VIDEO_OF, metavar="REGEX")
    add("--workers", type=int, default=1, metavar="N")
    add("--force", action="store_true", help="replace an earlier pack in OUT")
    return parser


def show_progress(items: Iterable, label: str, total: int | None) -> Iterable:
    """A progress bar where stderr is a terminal."""
    return tqdm(items, desc=label, total=total, disable=None)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = build_parser().parse_args(argv)
    try:
        config = CurationConfig(
            clips=None if arguments.tracks else arguments.clips,
            clip_length=arguments.clip_length,
            stride=arguments.stride,
            max_frames=arguments.max_frames,
            sequences=arguments.sequences,
            min_share=arguments.min_share,
            max_share=arguments.max_share,
            min_inside=arguments.min_inside,
            keep_occluded=arguments.keep_occluded,
            seed=arguments.seed,
        )
        source = OTBFolders(arguments.root, arguments.video_of)
        outcome = curate(
            source,
            arguments.out,
            config,
            force=arguments.force,
            workers=arguments.workers,
            progress=show_progress,
        )
    except DatasetError as error:
        sys.stderr.write(f"{PROGRAM}: error: {error}\n")
        return 1
    sys.stdout.write(f"{outcome.tracks} tracks, {outcome.crops} crops\n")
    for skip in outcome.skips:
        sys.stdout.write(f"{skip.count} {skip.reason}: {skip.where} {skip.detail}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
