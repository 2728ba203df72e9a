"""Weights of a backbone: finding, checking, loading and writing them."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dsiam_plugin.errors import CheckpointError, ConfigError
from dsiam_plugin.io.files import atomic_path
from dsiam_plugin.io.messages import excerpt, fail
from dsiam_plugin.models.backbones import BACKBONES, Backbone, SiamFCAlexNet
from dsiam_plugin.models.weight_files import read_parts

FUSION_PREFIX = "fusion."  # of the names of learnt maps beside the backbone's parameters
NECK_PREFIX, HEAD_PREFIX = "neck.", "head."  # of what a network that tells boxes has beside it
ENVIRONMENT_VARIABLE = "DSIAM_WEIGHTS"
EMBEDDED = Path(__file__).parent / "data" / "dsiam.safetensors"
EMBEDDED_BOX = EMBEDDED.with_name("dsiam_box.safetensors")
TRIAL_SIZE = 95  # px of the crop that loaded weights are tried on; AlexNet needs 87
MAX_VALUE = 1e6  # real ones stay below 10; one filter may be silent on the trial crop
MAX_FEATURE = 1e9  # real ones stay below 1e3; responses are sums of products of two


@dataclass(frozen=True)
class Weights:
    """Parameters of a backbone, ready for ``load_state_dict``."""

    backbone: str  # name in `backbones.BACKBONES`
    tensors: Mapping[str, Tensor]  # parameter name to float32 tensor, batch normalisation folded
    head: tuple[float, float]  # `(scale, bias)` of the affine adjust after correlation
    format: str  # what the file was: safetensors, npz, matconvnet, siamfc-pytorch or torchvision
    path: Path  # the file
    sha256: str  # digest of the file, hexadecimal
    # What the file's header says of configuration and origin; empty for most formats
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_box_head(self) -> bool:
        """True if the network tells boxes, which only trackers made for that can use."""
        return any(name.startswith(HEAD_PREFIX) for name in self.tensors)


def find_weights(path: str | Path | None = None, box_head: bool = False) -> Path:
    """The weights' file: the given one, else ``$DSIAM_WEIGHTS``, else the embedded one.

    Args:
        path: Of the file.
        box_head: Of the embedded ones those that have a box head.

    Raises:
        CheckpointError: If there is none, saying how to name one.
    """
    named = path or os.environ.get(ENVIRONMENT_VARIABLE)
    if not isinstance(named, (str, os.PathLike, type(None))):
        fail(CheckpointError, "weights", excerpt(named), "the path of a file")
    if named:
        found = Path(named).expanduser()
        origin = "" if path else f" (from ${ENVIRONMENT_VARIABLE})"
        if not found.is_file():
            raise CheckpointError(f"{found}{origin}: no such weights file")
        return found
    embedded = EMBEDDED_BOX if box_head else EMBEDDED
    if embedded.is_file():
        return embedded
    raise CheckpointError(
        f"{embedded}: the package's weights are missing; install it again, or name a file with "
        f"--weights FILE, weights=... or ${ENVIRONMENT_VARIABLE} (docs/weights.md)"
    )


def load_weights(path: str | Path | None = None, box_head: bool = False) -> Weights:
    """Weights of any supported format that fit their network and give finite features.

    Args:
        path: As in :func:`find_weights`.
        box_head: As there.

    Raises:
        CheckpointError: If the file is missing, corrupt, of an unknown format or of another
            network.
        MissingDependencyError: If the format needs a package that is not installed.
    """
    found = find_weights(path, box_head)
    try:
        parts = read_parts(found)
        digest = _digest(found)
    except OSError as error:
        fail(CheckpointError, found, f"cannot be read ({error.strerror or error})")
    tensors = {name: tensor.float().contiguous() for name, tensor in parts.pop("tensors").items()}
    weights = Weights(tensors=tensors, path=found, sha256=digest, **parts)
    _check_values(weights)
    return weights


def build_backbone(weights: Weights) -> Backbone:
    """The network that the weights are of, in float32 on the CPU, sharing their memory.

    Raises:
        CheckpointError: If there is no such network, or a tensor is missing or of another shape.
    """
    tensors = {
        name: tensor
        for name, tensor in weights.tensors.items()
        if not name.startswith((FUSION_PREFIX, NECK_PREFIX, HEAD_PREFIX))
    }
    if weights.backbone not in BACKBONES:
        fail(
            CheckpointError,
            weights.path,
            f"weights of {excerpt(weights.backbone)}",
            f"those of {', '.join(BACKBONES)}",
        )
    try:
        with torch.device("meta"):  # without numbers, which would be random
            if BACKBONES[weights.backbone] is SiamFCAlexNet:  # narrower ones say so by their shapes
                widths = [len(tensors[f"conv{index}.weight"]) for index in range(1, 6)]
                backbone: Backbone = SiamFCAlexNet(widths)
            else:
                backbone = BACKBONES[weights.backbone]()
        backbone.load_state_dict(tensors, assign=True)
    except (KeyError, TypeError, RuntimeError, ConfigError) as error:
        fail(CheckpointError, weights.path, f"not the weights of {weights.backbone} ({error})")
    return backbone


def save_weights(weights: Weights, path: str | Path, dtype: torch.dtype = torch.float32) -> None:
    """Writes ``.safetensors`` with backbone, head and configuration in the header.

    Raises:
        CheckpointError: If the name has another suffix or the file cannot be written.
    """
    from safetensors.torch import save

    if Path(path).suffix.lower() != ".safetensors":
        raise CheckpointError(f"{path}: weights are written as .safetensors only")
    header = {
        "format": "dsiam",
        "backbone": weights.backbone,
        "head": json.dumps(weights.head),
        "config": json.dumps(dict(weights.config), sort_keys=True),
    }
    tensors = {name: tensor.to(dtype).contiguous() for name, tensor in weights.tensors.items()}
    try:
        with atomic_path(path) as temporary:
            # save_file would make it readable for its owner only
            temporary.write_bytes(_sorted_header(save(tensors, metadata=header)))
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be written ({error.strerror or error})") from error


def features_only(weights: Weights) -> Weights:
    """The same features without the fusion map and the numbers of a joint training."""
    return replace(
        weights,
        tensors={
            name: tensor
            for name, tensor in weights.tensors.items()
            if not name.startswith(FUSION_PREFIX)
        },
        config={key: value for key, value in weights.config.items() if key != "tracker"},
    )


def _check_values(weights: Weights) -> None:
    """Raises CheckpointError unless all numbers are finite and a picture's features in bounds."""
    broken = [
        name for name, tensor in weights.tensors.items() if not (tensor.abs() <= MAX_VALUE).all()
    ]
    if broken:
        reason = f"values that are not finite or beyond {MAX_VALUE:g} in {', '.join(broken)}"
        fail(CheckpointError, weights.path, reason)
    backbone = build_backbone(weights)
    ramp = torch.linspace(0, 255, TRIAL_SIZE)
    with torch.inference_mode():
        levels = backbone((ramp + ramp.flip(0)[:, None]).div(2).expand(1, 3, -1, -1))
    for level, features in levels.items():
        reach = features.abs().max().item()
        if not reach < MAX_FEATURE:  # nor NaN
            reason = f"features of {level} reach {reach:g}"
            fail(CheckpointError, weights.path, reason, f"below {MAX_FEATURE:g}")


def _sorted_header(content: bytes) -> bytes:
    """The same safetensors file with its header in one order; theirs differs from run to run."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    metadata = {"__metadata__": dict(sorted(header.pop("__metadata__").items()))}
    text = json.dumps({**metadata, **dict(sorted(header.items()))}, separators=(",", ":"))
    text += " " * (-len(text) % 8)  # data are aligned to 8 bytes
    return len(text).to_bytes(8, "little") + text.encode() + content[8 + size :]


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
