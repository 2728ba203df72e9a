"""Make packs of training data: ``dsiam data curate SOURCE ROOT OUT``."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from tqdm import tqdm

from dsiam_plugin.commands.synthesize import frame_size
from dsiam_plugin.errors import DSiamError
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

PROGRAM = "dsiam data curate"
EXIT_BAD_INPUT = 2
SOURCES = {
    "ilsvrc": "ILSVRC-2015 VID: ROOT holds Annotations/VID and Data/VID",
    "got10k": "GOT-10k: ROOT holds train/GOT-10k_Train_000001 and so on",
    "lasot": "LaSOT: ROOT holds airplane/airplane-1 and so on",
    "otb": "folders NAME/img/0001.jpg with NAME/groundtruth_rect.txt",
    "stills": "photographs NAME.jpg with NAME_segments.png, rendered as moving objects",
}


def build_parser() -> argparse.ArgumentParser:
    """Command line of :func:`main`."""
    defaults = CurationConfig()
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Cut the targets of a data set once, into a pack that training reads fast.",
    )
    sources = parser.add_subparsers(title="sources", dest="source", metavar="SOURCE", required=True)
    for name, text in SOURCES.items():
        source = sources.add_parser(name, help=text, description=text)
        source.add_argument("root", type=Path, metavar="ROOT", help="folder of the data set")
        source.add_argument("out", type=Path, metavar="OUT", help="folder to make")
        _add_own_options(source, name)
        _add_amounts(source)
        _add_limits(source, defaults.sequences if name == "ilsvrc" else 0)
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
    """How much to pack."""
    defaults = CurationConfig()
    add = parser.add_argument_group("what to pack").add_argument
    add(
        "--clips",
        type=int,
        default=defaults.clips,
        metavar="N",
        help="random clips (default %(default)s)",
    )
    add(
        "--clip-length",
        type=int,
        default=defaults.clip_length,
        metavar="T",
        help="frames of a clip (default %(default)s)",
    )
    add("--tracks", action="store_true", help="pack whole tracks instead of clips")
    add(
        "--max-frames",
        type=int,
        default=defaults.max_frames,
        metavar="F",
        help="with --tracks: most frames of one, taken evenly (default %(default)s)",
    )
    add(
        "--stride",
        type=int,
        default=defaults.stride,
        metavar="K",
        help="take every K-th frame (default %(default)s)",
    )
    add(
        "--seed",
        type=int,
        default=defaults.seed,
        metavar="S",
        help="another seed, other clips (default %(default)s)",
    )


def _add_limits(parser: argparse.ArgumentParser, sequences: int) -> None:
    """What may be used; ``sequences`` is the default of how many."""
    defaults = CurationConfig()
    add = parser.add_argument_group("what to choose from").add_argument
    add(
        "--sequences",
        type=int,
        default=sequences,
        metavar="N",
        help="those with the smallest targets; 0: all (default %(default)s)",
    )
    shares = {
        "--min-share": "least median share of the picture that a target's box covers",
        "--max-share": "most of that share",
        "--min-inside": "least share of a box inside the picture",
    }
    for name, text in shares.items():
        default = getattr(defaults, name[2:].replace("-", "_"))
        text = f"{text} (default %(default)s)"
        add(name, type=float, default=default, metavar="A", help=text)
    add("--keep-occluded", action="store_true", help="use frames flagged as occluded too")
    add("--drop-generated", action="store_true", help="use only boxes drawn by hand")


def _add_running(parser: argparse.ArgumentParser) -> None:
    """How to run."""
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes (default %(default)s)"
    )
    parser.add_argument("--force", action="store_true", help="replace an earlier pack in OUT")


def build_config(arguments: argparse.Namespace) -> CurationConfig:
    """The selection that the command line asks for."""
    return CurationConfig(
        clips=None if arguments.tracks else arguments.clips,
        clip_length=arguments.clip_length,
        stride=arguments.stride,
        max_frames=arguments.max_frames,
        sequences=arguments.sequences,
        min_share=arguments.min_share,
        max_share=arguments.max_share,
        min_inside=arguments.min_inside,
        keep_occluded=arguments.keep_occluded,
        drop_generated=arguments.drop_generated,
        seed=arguments.seed,
    )


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
    try:
        with ExitStack() as stack:
            config = build_config(arguments)
            outcome = curate(
                build_source(arguments, stack),
                arguments.out,
                config,
                force=arguments.force,
                workers=arguments.workers,
                progress=show_progress,
            )
    except DSiamError as error:
        sys.stderr.write(f"{PROGRAM}: error: {error}\n")
        return EXIT_BAD_INPUT
    sys.stdout.write(table(config, outcome))
    sys.stdout.write(f"every rejection: {arguments.out / REPORT}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
