"""Files of ``torch.save``, of which only tensors and plain values are read."""

import re
import warnings
from pathlib import Path
from typing import Any

import torch
from packaging.version import Version

from dsiam_plugin.errors import DSiamError
from dsiam_plugin.io.messages import fail

# Earlier ones can be made to run code in spite of ``weights_only=True``.
SAFE_TORCH = Version("2.6")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_FOREIGN = re.compile(r"GLOBAL (\S+)")


def read_torch(path: Path, error: type[DSiamError], *, own: bool = False) -> Any:
    """Content of a file that ``torch.save`` wrote, its tensors on the CPU.

    Args:
        path: The file.
        error: What the caller raises for a bad file.
        own: This program wrote the file in a folder of the user's, so that it is read where
            PyTorch is too old to read the files of others safely.

    Raises:
        DSiamError: ``error``, if the file is missing or damaged, holds objects, or PyTorch is too
            old to read such files safely.
    """
    if not own and Version(torch.__version__).release < SAFE_TORCH.release:
        fail(
            error,
            path,
            f"not read: torch {torch.__version__} runs code that such a file may hold "
            f"(CVE-2025-32434)",
            f"torch >= {SAFE_TORCH}, or weights as .safetensors, .npz or .mat",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged files
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as problem:  # zip, pickle and tensor errors, by where the damage is
        text = _COLOURS.sub("", str(problem))
        foreign = _FOREIGN.search(text)
        if foreign:
            fail(
                error,
                path,
                f"not a readable {path.suffix} file (it holds an object, "
                f"{foreign.group(1)}, and only tensors are read)",
                "a file that torch.save(model.state_dict(), FILE) wrote",
            )
        fail(error, path, f"not a readable {path.suffix} file ({_cause(text)})")


def _cause(text: str) -> str:
    """The cause in PyTorch's message, without its advice on how to trust the file."""
    _, mark, cause = text.rpartition("WeightsUnpickler error:")
    return (cause if mark else text).strip().partition("\n\n")[0] or "damaged"
