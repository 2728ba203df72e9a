"""Make synthetic tracking sequences: ``dsiam data synthesize OUT``."""

import argparse
import functools
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dsiam_plugin.commands.command import run_command
from dsiam_plugin.evaluation.synthesis.attributes import ATTRIBUTES
from dsiam_plugin.evaluation.synthesis.dataset import SynthesisConfig, write_dataset
from dsiam_plugin.evaluation.synthesis.layouts import LAYOUTS


def frame_size(text: str) -> tuple[int, int]:
    """Width and height of ``WxH``."""
    width, separator, height = text.lower().partition("x")
    if not (separator and width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; expected WxH, as in 480x360")
    return int(width), int(height)


def build_parser() -> argparse.ArgumentParser:
    """Command line of :func:`main`."""
    parser = argparse.ArgumentParser(
        prog="dsiam data synthesize",
        description="Make tracking sequences with exact boxes and the 11 OTB attributes.",
    )
    add = parser.add_argument
    add("out", type=Path, metavar="OUT", help="folder to make")
    add(
        "--sequences",
        type=int,
        default=len(ATTRIBUTES),
        metavar="N",
        help="how many (default %(default)s: one an attribute; more of them mix attributes)",
    )
    add("--frames", type=int, default=100, metavar="F", help="frames of each (default %(default)s)")
    add("--seed", type=int, default=0, metavar="S", help="another seed, another set (default 0)")
    _add_looks(parser)
    add("--layout", choices=sorted(LAYOUTS), default="otb", help="default %(default)s")
    add("--force", action="store_true", help="replace an earlier synthetic data set in OUT")
    return parser


def _add_looks(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--size",
        type=frame_size,
        default=(480, 360),
        metavar="WxH",
        help="frame size in pixels (default 480x360)",
    )
    add(
        "--stills",
        type=Path,
        metavar="DIR",
        help="photographs NAME.jpg with NAME_segments.png (default: procedural textures)",
    )
    add(
        "--attributes",
        nargs="+",
        choices=ATTRIBUTES,
        default=list(ATTRIBUTES),
        metavar="ATTR",
        help=f"effects to choose from (default: all of {' '.join(ATTRIBUTES)})",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = build_parser().parse_args(argv)
    return run_command("data synthesize", lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    width, height = arguments.size
    given = {item.name: getattr(arguments, item.name, None) for item in fields(SynthesisConfig)}
    size: dict[str, Any] = {"width": width, "height": height}
    bar = functools.partial(tqdm, desc="sequences", unit="seq", disable=None)
    config = SynthesisConfig(**{**given, **size, "attributes": tuple(arguments.attributes)})
    for facts in write_dataset(arguments.out, config, force=arguments.force, progress=bar):
        sys.stdout.write(f"{facts.name:<12}{' '.join(facts.attributes)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
