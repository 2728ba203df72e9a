"""Installed distributions and the versions that work together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from importlib import metadata
from operator import eq, ge, gt, le, lt, ne

PYTHON = ">=3.10,<3.14"
REQUIRED = {
    "torch": ">=2.2,<3",
    "numpy": ">=1.24",
    "PyYAML": ">=6",
    "safetensors": ">=0.4",
    "tqdm": ">=4.60",
    "colorama": ">=0.4.4",
}
# Any one of them provides cv2; servers use a headless one.
OPENCV = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
OPENCV_RANGE = ">=4.8"
# Distribution -> extra that brings it, versions.
OPTIONAL = {
    "vot-toolkit": ("vot", ">=0.7.3,<0.8"),
    "attributee": ("vot", "<0.1.10"),
    "vot-trax": ("vot", ">=4.0"),
    "matplotlib": ("plots", ">=3.7"),
    "scipy": ("mat", ">=1.10"),
    "tensorboard": ("train", ">=2.11"),
    "got10k": ("got10k", ">=0.1.3"),
    "ray": ("cluster", ">=2.9"),
    "onnx": ("onnx", ">=1.14"),
    "onnxruntime": ("onnx", ">=1.16"),
    "openvino": ("onnx", ">=2023.2"),
}

_COMPARISONS: dict[str, Callable[[list[int], list[int]], bool]] = {
    ">=": ge,
    "<=": le,
    "==": eq,
    "!=": ne,
    ">": gt,
    "<": lt,
}


def installed_version(distribution: str) -> str | None:
    """Version of an installed distribution, without importing it; None where it is missing."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def installed(distributions: Iterable[str]) -> dict[str, str]:
    """Versions of those that are installed."""
    versions = {name: installed_version(name) for name in distributions}
    return {name: version for name, version in versions.items() if version is not None}


def fits(version: str, ranges: str) -> bool:
    """True where a version lies in comma-separated ranges such as ``>=0.7.3,<0.8``.

    Only the release numbers count: ``2.13.0+cpu`` is 2.13 and ``5.0rc1`` is 5.0.
    """
    found = _release(version)
    for condition in ranges.split(","):
        _, symbol, bound = re.split(r"([<>=!]=?)", condition, maxsplit=1)
        if not _COMPARISONS[symbol](found, _release(bound.strip())):
            return False
    return True


def _release(version: str) -> list[int]:
    """Release numbers without trailing zeros, so that 3 equals 3.0."""
    release = re.split(r"[^0-9.]", version, maxsplit=1)[0]
    numbers = [int(number) for number in release.split(".") if number]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return numbers
