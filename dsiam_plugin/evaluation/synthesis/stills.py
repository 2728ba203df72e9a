"""Backgrounds and objects from photographs with segments.

A folder of stills holds ``NAME.jpg`` and ``NAME_segments.png``, the latter with one label a region
in one channel; 0 is background and never an object.
"""

from pathlib import Path

import cv2
import numpy as np

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.evaluation.synthesis.sprites import Sprite, make_sprite
from dsiam_plugin.io.images import read_image, read_raw_image

SUFFIX = "_segments.png"
# What makes a region an object: its share of the photograph, how much of its outline lies on the
# photograph's border (cut off there), how much of its box it fills, its length and its texture.
AREA_SHARE = (0.008, 0.2)
BORDER_SHARE = 0.02
FILLED_SHARE = 0.42
LONGEST_ASPECT = 2.2
SMALLEST_SIDE_PX = 28
TEXTURE_STD = 28.0  # grey levels; skies and walls have less
EDGE_SIGMA_PX = 0.8


class StillLibrary:
    """Photographs with segments in a folder; reads them only when one is drawn."""

    def __init__(self, folder: Path) -> None:
        """List the photographs.

        Raises:
            DatasetError: The folder has no photographs, or one has no segments file.
        """
        if not folder.is_dir():
            raise DatasetError(f"{folder}: no such folder of stills")
        self.names = sorted(path.stem for path in folder.glob("*.jpg"))
        self.folder = folder
        if not self.names:
            raise DatasetError(f"{folder}: no stills; expected NAME.jpg with NAME{SUFFIX}")
        missing = [name for name in self.names if not (folder / f"{name}{SUFFIX}").is_file()]
        if missing:
            more = f" ({len(missing)} stills lack theirs)" if len(missing) > 1 else ""
            raise DatasetError(f"{folder / missing[0]}{SUFFIX}: missing segments of a still{more}")

    def background(self, rng: np.random.Generator, height: int, width: int) -> np.ndarray:
        """A photograph that fills (height, width, 3) uint8; cropped, never stretched."""
        image = self.photograph(self.names[rng.integers(len(self.names))])
        scale = max(height / image.shape[0], width / image.shape[1])
        size = [
            max(side, round(scale * old))
            for side, old in zip((width, height), image.shape[1::-1], strict=True)
        ]
        smooth = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
        image = cv2.resize(image, size, interpolation=smooth)
        top, left = (int(rng.integers(slack + 1)) for slack in (size[1] - height, size[0] - width))
        return image[top : top + height, left : left + width].copy()

    def sprite(self, rng: np.random.Generator) -> Sprite:
        """An object cut out of a photograph.

        Raises:
            DatasetError: No still has a region that looks like an object.
        """
        for index in rng.permutation(len(self.names)):
            image, labels = self.still(self.names[index])
            regions = object_regions(image, labels)
            if regions:
                return make_sprite(image, soft_edge(regions[rng.integers(len(regions))]))
        raise DatasetError(f"{self.folder}: no segment of any still can serve as an object")

    def photograph(self, name: str) -> np.ndarray:
        """The still, (H, W, 3) uint8 BGR."""
        return read_image(self.folder / f"{name}.jpg", "BGR")

    def still(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """A photograph, (H, W, 3) uint8 BGR, and its labels, (H, W)."""
        image = self.photograph(name)
        path = self.folder / f"{name}{SUFFIX}"
        labels = read_raw_image(path)
        if labels.shape != image.shape[:2]:
            raise DatasetError(
                f"{path}: shape {labels.shape}; expected one label a pixel of the photograph,"
                f" {image.shape[:2]}"
            )
        return image, labels


def object_regions(image: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """Masks, (H, W) uint8, of the connected regions that look like whole, textured objects."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    masks = []
    values, counts = np.unique(labels[labels != 0], return_counts=True)
    for label in values[counts >= AREA_SHARE[0] * labels.size]:
        region = (labels == label).astype(np.uint8)
        count, parts, stats, _ = cv2.connectedComponentsWithStats(region)
        for part in range(1, count):
            if not is_object(stats[part], labels.shape):
                continue
            mask = (parts == part).astype(np.uint8)
            if border_share(mask) <= BORDER_SHARE and grey[mask > 0].std() >= TEXTURE_STD:
                masks.append(mask)
    return masks


def is_object(stats: np.ndarray, shape: tuple[int, int]) -> bool:
    """True where a component's box and area (OpenCV's five numbers) suit an object."""
    width, height, area = (int(stats[i]) for i in (2, 3, 4))
    return (
        AREA_SHARE[0] <= area / (shape[0] * shape[1]) <= AREA_SHARE[1]
        and area >= FILLED_SHARE * width * height
        and min(width, height) >= SMALLEST_SIDE_PX
        and max(width, height) <= LONGEST_ASPECT * min(width, height)
    )


def border_share(mask: np.ndarray) -> float:
    """Pixels of a mask on the image's border as a share of its box's perimeter."""
    _, _, width, height = cv2.boundingRect(mask)
    on_border = int(mask[0].sum() + mask[-1].sum() + mask[:, 0].sum() + mask[:, -1].sum())
    return on_border / (2 * (width + height))


def soft_edge(mask: np.ndarray) -> np.ndarray:
    """Alpha, (H, W) float32 in [0, 1], of a mask: holes closed, edge one pixel in and soft."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    smooth = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel, iterations=2)
    inner = cv2.erode(smooth, kernel)  # segments often include a rim of what is behind
    return cv2.GaussianBlur(inner.astype(np.float32), (0, 0), EDGE_SIGMA_PX)
