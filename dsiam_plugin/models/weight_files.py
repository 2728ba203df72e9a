"""Readers of every format of weights, without ever unpickling.

Each takes a path and gives the fields of :class:`dsiam_plugin.models.weights.Weights` that the file
itself decides. Batch normalisation is folded into the convolutions.
"""

import math
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dsiam_plugin.errors import CheckpointError
from dsiam_plugin.io.messages import excerpt, fail
from dsiam_plugin.io.parsing import parse_json
from dsiam_plugin.models import matconvnet
from dsiam_plugin.models.torch_files import read_torch

# The official network's affine adjust; the .npz holds the convolutions alone.
SIAMFC_3S_HEAD = (0.001, -2.14836)
# siamfc-pytorch scales the correlation and has no bias.
SIAMFC_PYTORCH_HEAD = (0.001, 0.0)
SIAMFC_PYTORCH_EPS = 1e-6
# A parameter that a state dict has, the format it is of, and the name of the backbone.
SIAMFC_PYTORCH_KEY = "backbone.conv1.0.weight"
TORCHVISION_KEY = "features.0.weight"
TORCHVISION_LAST = {"features.28.weight": "vgg16", "features.34.weight": "vgg19"}
WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "network")
MAX_BYTES = 600 * 2**20  # of an unpacked archive; VGG19 with its classifier has 548 MiB


def read_parts(path: Path) -> dict[str, Any]:
    """Backbone, tensors, head, format and configuration of a weights file.

    Raises:
        CheckpointError: If the file is corrupt, of an unknown format or of another network.
        MissingDependencyError: If the format needs a package that is not installed.
        OSError: If the file cannot be read.
    """
    suffix = ".pth" if path.name.lower().endswith(".pth.tar") else path.suffix.lower()
    reader = _READERS.get(suffix)
    if reader is None:
        raise CheckpointError(f"{path}: unknown suffix, expected one of {', '.join(_READERS)}")
    with path.open("rb") as stream:
        start = stream.read(200)
    try:
        _check_content(path, start)
        return reader(path)
    except (CheckpointError, ImportError):
        raise
    except Exception as error:  # each format's library raises its own kinds for a corrupt file
        fail(CheckpointError, path, f"not a readable {suffix} weights file ({error})")


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


def _check_content(path: Path, start: bytes) -> None:
    """Raises CheckpointError for what downloads leave in place of a file, and for zip bombs."""
    start = start.lstrip().lower()
    if not start:
        raise CheckpointError(f"{path}: an empty file, expected weights")
    if start.startswith(b"version https://git-lfs"):
        raise CheckpointError(
            f"{path}: a pointer of git-LFS, not the file itself; fetch it with `git lfs pull`"
        )
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise CheckpointError(f"{path}: a web page, not weights; download the file itself")
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            size = sum(item.file_size for item in archive.infolist())
        if size > MAX_BYTES:
            raise CheckpointError(
                f"{path}: {size / 2**20:.0f} MiB once unpacked, expected at most "
                f"{MAX_BYTES / 2**20:.0f} MiB"
            )


def _read_safetensors(path: Path) -> dict[str, Any]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as stream:
        header = stream.metadata() or {}
        tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
    if header.get("format") != "dsiam":
        raise CheckpointError(f"{path}: a safetensors file, but its header is not this plugin's")
    fields = {
        name: parse_json(header.get(name, ""), path, CheckpointError, f"{name!r} in the header as "
                         f"{expected}", shape)
        for name, shape, expected in (
            ("head", [float], "a scale and a bias"),
            ("config", dict, "an object"),
        )
    }  # fmt: skip
    head = fields["head"]
    if len(head) != 2 or not all(map(math.isfinite, head)):
        fail(CheckpointError, path, f"'head' in the header: {head}", "a finite scale and bias")
    return {
        "backbone": header.get("backbone", ""),
        "tensors": tensors,
        "head": (float(head[0]), float(head[1])),
        "format": "safetensors",
        "config": fields["config"],
    }


def _read_npz(path: Path) -> dict[str, Any]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
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
        tensors[f"conv{index}.weight"] = weight
        tensors[f"conv{index}.bias"] = torch.zeros(len(weight)) if bias is None else bias
    return _siamfc(tensors, parameters.head() or SIAMFC_3S_HEAD, "matconvnet")


def _read_pth(path: Path) -> dict[str, Any]:
    state = _state_dict(read_torch(path, CheckpointError), path)
    if SIAMFC_PYTORCH_KEY in state:
        return _siamfc_pytorch(state)
    known = [name for last, name in TORCHVISION_LAST.items() if last in state]
    if known and TORCHVISION_KEY in state:
        return {
            "backbone": known[-1],  # VGG19 has VGG16's last convolution as well
            "tensors": {
                name: value for name, value in state.items() if name.startswith("features.")
            },
            "head": (1.0, 0.0),
            "format": "torchvision",
        }
    fail(
        CheckpointError,
        path,
        f"neither siamfc-pytorch ({SIAMFC_PYTORCH_KEY}) nor torchvision's vgg16 or vgg19 "
        f"(features.N.weight); found {', '.join(excerpt(name) for name in list(state)[:3])}",
    )


def _state_dict(content: Any, path: Path) -> dict[str, Tensor]:
    """The parameters of a checkpoint, without what frameworks put around them and their names."""
    while isinstance(content, Mapping):
        inner = next((content[key] for key in WRAPPERS if _is_mapping(content.get(key))), None)
        if inner is None:
            break
        content = inner
    if not isinstance(content, Mapping):
        fail(CheckpointError, path, f"a {type(content).__name__}", "a state dict")
    state = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    for key in (SIAMFC_PYTORCH_KEY, TORCHVISION_KEY):
        # `module.` of DataParallel, `_orig_mod.` of torch.compile, an attribute of Lightning's.
        found = sorted((name for name in state if f".{name}".endswith(f".{key}")), key=len)
        if found:
            prefix = found[0].removesuffix(key)
            return {
                name.removeprefix(prefix): value
                for name, value in state.items()
                if name.startswith(prefix)
            }
    return state


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


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


_READERS: dict[str, Callable[[Path], dict[str, Any]]] = {
    ".safetensors": _read_safetensors,
    ".npz": _read_npz,
    ".mat": _read_mat,
    ".pth": _read_pth,
    ".pt": _read_pth,
    ".ckpt": _read_pth,
}
