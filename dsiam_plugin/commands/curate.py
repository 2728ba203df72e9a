"""Make packs of training data: ``dsiam data curate SOURCE ROOT OUT``."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path

from tqdm import tqdm

from dsiam_plugin.commands.command import run_command
from dsiam_plugin.commands.synthesize import frame_size
from dsiam_plugin.evaluation.synthesis.dataset import SynthesisConfig
from dsiam_plugin.training.data.curation import curate
from dsiam_plugin.training.data.curation_report import REPORT, table
from dsiam_plugin.training.data.selection import CurationConfig
from dsiam_plugin.training.data.sources.footage import Source
from dsiam_plugin.training.data.sources.got10k import GOT10k
from dsiam_plugin.training.data.sources.ilsvrc import ILSVRCVideo
from dsiam_plugin.training.data.sources.lasot import LaSOT
from dsiam_plugin.training.data.sources.listed import Listed
from dsiam_plugin.training.data.sources.otb import VIDEO_OF, OTBFolders
from dsiam_plugin.training.data.sources.stills import RenderedStills

SOURCES = {
    "ilsvrc": "ILSVRC-2015 VID: ROOT holds Annotations/VID and Data/VID",
    "got10k": "GOT-10k: ROOT holds train/GOT-10k_Train_000001 and so on",
    "lasot": "LaSOT: ROOT holds airplane/airplane-1 and so on",
    "otb": "folders NAME/img/0001.jpg with NAME/groundtruth_rect.txt",
    "stills": "photographs NAME.jpg with NAME_segments.png, rendered as moving objects",
}


def build_parser() -> argparse.ArgumentParser:
    """Command line of :func:`main`."""
    parser = argparse.ArgumentParser(
        prog="dsiam data curate",
        description="Cut the targets of a data set once, into a pack that training reads fast.",
    )
    sources = parser.add_subparsers(title="sources", dest="source", metavar="SOURCE", required=True)
    for name, text in SOURCES.items():
        source = sources.add_parser(name, help=text, description=text)
        source.add_argument("root", type=Path, metavar="ROOT", help="folder of the data set")
        source.add_argument("out", type=Path, metavar="OUT", help="folder to make")
        _add_own_options(source, name)
        _add_amounts(source)
        _add_limits(source, CurationConfig().sequences if name == "ilsvrc" else 0)
        _add_running(source)
    return parser


def _add_own_options(parser: argparse.ArgumentParser, source: str) -> None:
    """Options of one source."""
    group = parser.add_argument_group(f"options of {source}")
    add = group.add_argument
    if source in ("ilsvrc", "got10k"):
        add("--split", choices=("train", "val"), default="train", help="default %(default)s")
    if source == "otb":
        add(
            "--video-of",
            default=VIDEO_OF,
            metavar="REGEX",
            help="its first group is the video of a folder's name (default: all before _NNN)",
        )
    if source == "stills":
        add("--render", type=int, default=500, metavar="N", help="sequences (default %(default)s)")
        add("--frames", type=int, default=20, metavar="F", help="of each (default %(default)s)")
        add("--size", type=frame_size, default=(480, 360), metavar="WxH", help="default 480x360")
    else:
        add("--list", type=Path, metavar="FILE", help="use only the sequences it names, one a line")


def _add_amounts(parser: argparse.ArgumentParser) -> None:
    """Options on the amount."""
    group = parser.add_argument_group("what to pack")
    _add_numbers(
        group,
        ("--clips", int, "N", "random clips"),
        ("--clip-length", int, "T", "frames of a clip"),
        ("--max-frames", int, "F", "with --tracks: most frames of one, taken evenly"),
        ("--stride", int, "K", "take every K-th frame"),
        ("--seed", int, "S", "another seed, other clips"),
        ("--side", int, "P", "side of the crops in px, 127 of which show the exemplar window"),
    )
    group.add_argument("--tracks", action="store_true", help="pack whole tracks instead of clips")


def _add_numbers(
    group: argparse._ArgumentGroup, *options: tuple[str, type, str, str], **replaced: int
) -> None:
    """Options (flag, type, metavar, help) of numbers whose defaults are the configuration's."""
    defaults = vars(CurationConfig()) | replaced
    for flag, kind, metavar, text in options:
        default = defaults[flag[2:].replace("-", "_")]
        text = f"{text} (default %(default)s)"
        group.add_argument(flag, type=kind, default=default, metavar=metavar, help=text)


def _add_limits(parser: argparse.ArgumentParser, sequences: int) -> None:
    """Options on the choice; ``sequences`` is the default of how many."""
    group = parser.add_argument_group("what to choose from")
    _add_numbers(
        group,
        ("--sequences", int, "N", "those with the smallest targets; 0: all"),
        ("--min-share", float, "A", "least median share of the picture that a target's box covers"),
        ("--max-share", float, "A", "most of that share"),
        ("--min-inside", float, "A", "least share of a box inside the picture"),
        sequences=sequences,
    )
    add = group.add_argument
    add("--keep-occluded", action="store_true", help="use frames flagged as occluded too")
    add("--drop-generated", action="store_true", help="use only boxes drawn by hand")


def _add_running(parser: argparse.ArgumentParser) -> None:
    """Options on the run."""
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes (default %(default)s)"
    )
    parser.add_argument("--force", action="store_true", help="replace an earlier pack in OUT")


def build_config(arguments: argparse.Namespace) -> CurationConfig:
    """The selection that the command line asks for."""
    given = {item.name: getattr(arguments, item.name) for item in fields(CurationConfig)}
    return CurationConfig(**{**given, "clips": None if arguments.tracks else arguments.clips})


def build_source(arguments: argparse.Namespace, stack: ExitStack) -> Source:
    """The data set that the command line names; what it needs meanwhile is left to ``stack``."""
    root = arguments.root.absolute()  # so that the report has a name for "." too
    if arguments.source == "stills":
        config = SynthesisConfig(
            sequences=arguments.render,
            frames=arguments.frames,
            seed=arguments.seed,
            width=arguments.size[0],
            height=arguments.size[1],
            stills=root,
        )
        workshop = stack.enter_context(tempfile.TemporaryDirectory(prefix="dsiam-stills-"))
        return RenderedStills(config, Path(workshop))
    makers: dict[str, Callable[[], Source]] = {
        "ilsvrc": lambda: ILSVRCVideo(root, arguments.split),
        "got10k": lambda: GOT10k(root, arguments.split),
        "lasot": lambda: LaSOT(root),
        "otb": lambda: OTBFolders(root, arguments.video_of),
    }
    source = makers[arguments.source]()
    return Listed(source, arguments.list) if arguments.list else source


def show_progress(items: Iterable, label: str, total: int | None) -> Iterable:
    """A progress bar where stderr is a terminal."""
    return tqdm(items, desc=label, total=total, disable=None)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = build_parser().parse_args(argv)
    return run_command("data curate", lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    config = build_config(arguments)
    with ExitStack() as stack:
        outcome = curate(
            build_source(arguments, stack), arguments.out, config,
            force=arguments.force, workers=arguments.workers, progress=show_progress,
        )  # fmt: skip
    sys.stdout.write(table(config, outcome))
    sys.stdout.write(f"every rejection: {arguments.out / REPORT}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
