"""Weights of a backbone from every format in use, without ever unpickling.

Formats by suffix: our ``.safetensors`` (configuration in its header), SiamFC-3s ``.npz``,
MatConvNet ``.mat``, siamfc-pytorch and torchvision ``.pth``. Batch normalisation is folded into
the convolutions on loading.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dsiam_plugin.errors import CheckpointError
from dsiam_plugin.io.files import atomic_path
from dsiam_plugin.models import matconvnet

FUSION_PREFIX = "fusion."  # of the names of learnt maps beside the backbone's parameters
ENVIRONMENT_VARIABLE = "DSIAM_WEIGHTS"
EMBEDDED = Path(__file__).parent / "data" / "dsiam.safetensors"
# The official network's affine adjust; the .npz holds the convolutions alone.
SIAMFC_3S_HEAD = (0.001, -2.14836)
# siamfc-pytorch scales the correlation and has no bias.
SIAMFC_PYTORCH_HEAD = (0.001, 0.0)
SIAMFC_PYTORCH_EPS = 1e-6


@dataclass(frozen=True)
class Weights:
    """Parameters of a backbone, ready for ``load_state_dict``.

    Attributes:
        backbone: Name in ``backbones.BACKBONES``.
        tensors: Parameter name to float32 tensor, batch normalisation folded.
        head: ``(scale, bias)`` of the affine adjust after correlation.
        format: What the file was: safetensors, npz, matconvnet, siamfc-pytorch or torchvision.
        path: The file.
        sha256: Digest of the file, hexadecimal.
        config: What the file's header says of configuration and origin; empty for most formats.
    """

    backbone: str
    tensors: Mapping[str, Tensor]
    head: tuple[float, float]
    format: str
    path: Path
    sha256: str
    config: Mapping[str, Any] = field(default_factory=dict)


def find_weights(path: str | Path | None = None) -> Path:
    """The weights' file: the given one, else ``$DSIAM_WEIGHTS``, else the embedded one.

    Raises:
        CheckpointError: If there is none, saying how to name one.
    """
    named = path or os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        found = Path(named).expanduser()
        origin = "" if path else f" (from ${ENVIRONMENT_VARIABLE})"
        if not found.is_file():
            raise CheckpointError(f"{found}{origin}: no such weights file")
        return found
    if EMBEDDED.is_file():
        return EMBEDDED
    raise CheckpointError(
        f"{EMBEDDED}: the package's weights are missing; install it again, or name a file with "
        f"--weights FILE, weights=... or ${ENVIRONMENT_VARIABLE} (docs/weights.md)"
    )


def load_weights(path: str | Path | None = None) -> Weights:
    """Loads and checks weights of any supported format.

    Raises:
        CheckpointError: If the file is missing, corrupt, of an unknown format or of another
            network.
    """
    found = find_weights(path)
    reader = _READERS.get(found.suffix.lower())
    if reader is None:
        raise CheckpointError(f"{found}: unknown suffix, expected one of {', '.join(_READERS)}")
    try:
        parts = reader(found)
    except CheckpointError:
        raise
    except Exception as error:  # each format's library raises its own kinds for a corrupt file
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(
            f"{found}: not a readable {found.suffix} weights file ({reason})"
        ) from error
    tensors = {name: tensor.float().contiguous() for name, tensor in parts.pop("tensors").items()}
    broken = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if broken:
        raise CheckpointError(f"{found}: values that are not finite in {', '.join(broken)}")
    return Weights(tensors=tensors, path=found, sha256=_digest(found), **parts)


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
            temporary.write_bytes(save(tensors, metadata=header))  # save_file: for the owner only
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


def fold_batch_norm(
    weight: Tensor,
    bias: Tensor | None,
    gain: Tensor,
    shift: Tensor,
    mean: Tensor,
    deviation: Tensor,
) -> tuple[Tensor, Tensor]:
    """Convolution and following batch normalisation as one convolution.

    Args:
        weight: (out, in, h, w).
        bias: (out,) or None.
        gain: (out,).
        shift: (out,).
        mean: (out,).
        deviation: (out,), ``sqrt(variance + eps)``.
    """
    factor = gain / deviation
    start = torch.zeros_like(mean) if bias is None else bias
    return weight * factor.view(-1, 1, 1, 1), (start - mean) * factor + shift


def _read_safetensors(path: Path) -> dict[str, Any]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as stream:
        header = stream.metadata() or {}
        tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
    if header.get("format") != "dsiam":
        raise CheckpointError(f"{path}: a safetensors file, but its header is not this plugin's")
    scale, bias = json.loads(header["head"])
    return {
        "backbone": header["backbone"],
        "tensors": tensors,
        "head": (float(scale), float(bias)),
        "format": "safetensors",
        "config": json.loads(header["config"]),
    }


def _read_npz(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as archive:
        tensors = {name: torch.from_numpy(archive[name]) for name in archive.files}
    return _siamfc(tensors, SIAMFC_3S_HEAD, "npz")


def _read_mat(path: Path) -> dict[str, Any]:
    parameters = matconvnet.read_parameters(path)
    tensors = {}
    for index in range(1, 6):
        weight, bias = parameters.convolution(index)
        norm = parameters.batch_norm(index)
        if norm is not None:
            weight, bias = fold_batch_norm(weight, bias, *norm)
        tensors[f"conv{index}.weight"], tensors[f"conv{index}.bias"] = weight, bias
    return _siamfc(tensors, parameters.head() or SIAMFC_3S_HEAD, "matconvnet")


def _read_pth(path: Path) -> dict[str, Any]:
    state = torch.load(path, map_location="cpu", weights_only=True)
    if isinstance(state, Mapping) and isinstance(state.get("state_dict"), Mapping):
        state = state["state_dict"]
    if not isinstance(state, Mapping):
        raise CheckpointError(f"{path}: expected a state dict, got {type(state).__name__}")
    state = {str(name).removeprefix("module."): value for name, value in state.items()}
    if "backbone.conv1.0.weight" in state:
        return _siamfc_pytorch(state)
    if "features.0.weight" in state and "features.34.weight" in state:
        tensors = {name: value for name, value in state.items() if name.startswith("features.")}
        return {
            "backbone": "vgg19",
            "tensors": tensors,
            "head": (1.0, 0.0),
            "format": "torchvision",
        }
    raise CheckpointError(
        f"{path}: neither siamfc-pytorch (backbone.conv1.0.weight) nor torchvision's vgg19 "
        f"(features.N.weight); found {', '.join(list(state)[:3])}"
    )


def _siamfc_pytorch(state: Mapping[str, Tensor]) -> dict[str, Any]:
    tensors = {}
    for index in range(1, 6):
        # Sequential(convolution, norm, ReLU), but the last convolution has no norm.
        convolution, norm = f"backbone.conv{index}.0", f"backbone.conv{index}.1"
        weight, bias = state[f"{convolution}.weight"], state.get(f"{convolution}.bias")
        if f"{norm}.running_var" in state:
            deviation = (state[f"{norm}.running_var"] + SIAMFC_PYTORCH_EPS).sqrt()
            gain, shift, mean = (
                state[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean")
            )
            weight, bias = fold_batch_norm(weight, bias, gain, shift, mean, deviation)
        tensors[f"conv{index}.weight"] = weight
        tensors[f"conv{index}.bias"] = torch.zeros(weight.shape[0]) if bias is None else bias
    return _siamfc(tensors, SIAMFC_PYTORCH_HEAD, "siamfc-pytorch")


def _siamfc(
    tensors: Mapping[str, Tensor], head: tuple[float, float], file_format: str
) -> dict[str, Any]:
    return {
        "backbone": "siamfc_alexnet",
        "tensors": tensors,
        "head": head,
        "format": file_format,
    }


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


_READERS: dict[str, Callable[[Path], dict[str, Any]]] = {
    ".safetensors": _read_safetensors,
    ".npz": _read_npz,
    ".mat": _read_mat,
    ".pth": _read_pth,
    ".pt": _read_pth,
}
