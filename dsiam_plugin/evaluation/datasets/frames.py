"""Frames of videos: their paths and their pixels."""

import os
from collections.abc import Sequence

import numpy as np


def absolute_names(root: str, video_dir: str, img_names: Sequence[str]) -> list[str]:
    """Paths of the frames below `root`.

    Metadata names them relative to the root, some of pysot's files relative to the video's folder.
    """
    base = os.path.abspath(root)
    if img_names and os.path.isabs(img_names[0]):
        return list(img_names)
    if img_names and not img_names[0].startswith(f"{video_dir}/"):
        own = os.path.join(base, video_dir)
        is_bare = "/" not in img_names[0]
        if is_bare or _is_only_in(own, base, img_names[0]):
            base = own
    return [f"{base}/{name}" for name in img_names]


def _is_only_in(folder: str, other: str, name: str) -> bool:
    return os.path.isfile(f"{folder}/{name}") and not os.path.isfile(f"{other}/{name}")


def read_image(path: str) -> np.ndarray:
    """Decode one frame, (H, W, 3) uint8 BGR; ImageError where it cannot be."""
    from dsiam_plugin.io import images  # heavy, and not needed to evaluate from annotations

    return images.read_image(path, "BGR")
