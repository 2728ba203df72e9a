"""``dsiam export``: a tracker as files that other runtimes execute."""

import argparse
from pathlib import Path

from dsiam_plugin.commands.options import DEFAULT_TRACKER

MIB = 2**20


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declares ``dsiam export``."""
    parser = subparsers.add_parser(
        "export",
        help="write the network or the whole tracking step as ONNX",
        description="docs/export.md lists inputs and outputs.",
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("--format", choices=["onnx"], default="onnx", help="default: %(default)s")
    add(
        "--part",
        choices=["embed", "init", "step"],
        default="step",
        help="crops to features; the first frame; or every other frame (default: %(default)s)",
    )
    add("--variant", default=DEFAULT_TRACKER, metavar="NAME", help="tracker (default: %(default)s)")
    add(
        "--weights",
        metavar="FILE",
        help="network weights (default: $DSIAM_WEIGHTS, else those of the package)",
    )
    add("--config", metavar="YAML", help="settings that override the tracker's own")
    add(
        "--precision",
        choices=["float32", "int8"],
        default="float32",
        help="of the convolutions (default: %(default)s)",
    )
    add("--out", required=True, metavar="FILE", help="a name ending in .onnx")


def run(arguments: argparse.Namespace) -> int:
    """Writes the file and says what it is."""
    from dsiam_plugin.export import export_onnx

    export_onnx(
        arguments.out,
        arguments.variant,
        part=arguments.part,
        weights=arguments.weights,
        config=arguments.config,
        precision=arguments.precision,
    )
    size = Path(arguments.out).stat().st_size / MIB
    print(f"{arguments.out}: {arguments.variant} {arguments.part}, {size:.2f} MiB")
    return 0
