"""``dsiam weights``: what a file holds, and converting it to ``.safetensors``."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dsiam_plugin.models.weights import Weights

MIB = 2**20


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declares ``dsiam weights info`` and ``dsiam weights convert``."""
    parser = subparsers.add_parser("weights", help="show or convert network weights")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    info = commands.add_parser("info", help="format, network, tensors, digest and configuration")
    info.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        help="default: $DSIAM_WEIGHTS, else the weights of the package",
    )
    info.set_defaults(run=run_info)
    convert = commands.add_parser("convert", help="write any readable format as .safetensors")
    add = convert.add_argument
    add("input", metavar="IN", help=".safetensors, .npz, .mat, .pth or .pt")
    add("output", metavar="OUT", help="a name ending in .safetensors")
    add(
        "--features-only",
        action="store_true",
        help="leave out what joint training learnt beside the features; trackers then use the "
        "constants set by hand",
    )
    add("--half", action="store_true", help="float16: half the size")
    convert.set_defaults(run=run_convert)


def run_info(arguments: argparse.Namespace) -> int:
    """Prints what the file holds."""
    from dsiam_plugin.models.weights import load_weights

    print("\n".join(describe(load_weights(arguments.file))))
    return 0


def run_convert(arguments: argparse.Namespace) -> int:
    """Reads one format and writes ours; the header then names the file it came from."""
    from dataclasses import replace

    import torch

    from dsiam_plugin.models.weights import features_only, load_weights, save_weights

    weights = load_weights(arguments.input)
    origin = {"source": weights.path.name, "source_sha256": weights.sha256}
    weights = replace(weights, config={**origin, **weights.config})
    if arguments.features_only:
        weights = features_only(weights)
    dtype = torch.float16 if arguments.half else torch.float32
    save_weights(weights, arguments.output, dtype)
    print(f"{arguments.output}: {weights.backbone}, {len(weights.tensors)} tensors")
    return 0


def describe(weights: Weights) -> list[str]:
    """Lines of the report: file, digest, network, head, configuration and tensors."""
    count = sum(tensor.numel() for tensor in weights.tensors.values())
    scale, bias = weights.head
    lines = [
        f"file      {weights.path} ({weights.path.stat().st_size / MIB:.2f} MiB)",
        f"sha256    {weights.sha256}",
        f"format    {weights.format}",
        f"backbone  {weights.backbone}",
        f"head      score = {scale:g} x correlation {bias:+g}",
        f"config    {json.dumps(dict(weights.config), sort_keys=True) if weights.config else '-'}",
        f"tensors   {len(weights.tensors)} ({count} parameters)",
    ]
    for name, tensor in weights.tensors.items():
        shape = "x".join(map(str, tensor.shape))
        lines.append(f"  {name:24} {shape:16} {str(tensor.dtype).removeprefix('torch.')}")
    return lines
