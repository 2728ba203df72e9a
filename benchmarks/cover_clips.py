"""Things passing in front of real clips: `python benchmarks/cover_clips.py PACK STILLS OUT`.

Every track of at least 40 rows of PACK comes again with objects cut out of photographs (STILLS, as
`dsiam data synthesize --stills` reads them) that cross its target's crops on straight paths, one
in every 70 rows: clips of joint training whose occlusions are known.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from dsiam_plugin.evaluation.synthesis.stills import StillLibrary, object_regions, soft_edge
from dsiam_plugin.training.data.pack import PackWriter, open_pack

SHORTEST = 40  # rows
ROWS_A_PASSER = 70
MARGIN_PX = 3  # around an object, for its soft edge


def main() -> None:
    """Write the pack into a new folder, which appears when it is complete."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("pack", "stills", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    pack, library = open_pack(arguments.pack), StillLibrary(arguments.stills)
    folder = arguments.out.with_name(f".{arguments.out.name}")
    folder.mkdir()
    with PackWriter(folder, pack.geometry) as writer:
        for number, track in enumerate(pack.tracks):
            if len(track) < SHORTEST:
                continue
            rng = np.random.default_rng([arguments.seed, number])
            crops = np.array(pack.crops[track.start : track.stop])
            boxes = pack.boxes[track.start : track.stop]
            for start in range(0, len(track), ROWS_A_PASSER):
                rows = slice(start, min(start + ROWS_A_PASSER, len(track)))
                pass_by(crops[rows], boxes[rows], library, rng)
            writer.add(f"{track.name}_covered", track.video, track.frames, crops, boxes)
    folder.rename(arguments.out)


def pass_by(
    crops: np.ndarray, boxes: np.ndarray, library: StillLibrary, rng: np.random.Generator
) -> None:
    """Moves an object over crops (T, S, S, 3), in place, past the targets' boxes (T, 4)."""
    count, side = len(crops), crops.shape[1]
    size = float(np.sqrt(boxes[:, 2:].prod(1)).mean()) * rng.uniform(0.8, 1.4)
    picture, alpha = cut_out(library, rng, size)
    clock = np.linspace(0, 1, count)
    meeting, direction = rng.uniform(0.25, 0.75), rng.uniform(0, 2 * np.pi)
    along = np.array([np.cos(direction), np.sin(direction)])
    frames = min(rng.uniform(8, 20), 0.4 * count)  # from touching to parting
    travelled = 2.2 * size * (clock - meeting) * count / frames
    beside = np.array([-along[1], along[0]]) * rng.uniform(-0.4, 0.4) * size
    middles = boxes[:, :2] + (boxes[:, 2:] - 1) / 2 + travelled[:, None] * along + beside
    height, width = alpha.shape
    for crop, (x, y) in zip(crops, middles, strict=True):
        if max(abs(x - side / 2), abs(y - side / 2)) > side:
            continue
        matrix = np.array([[1, 0, x - width / 2], [0, 1, y - height / 2]])
        cover = cv2.warpAffine(alpha, matrix, (side, side))[..., None]
        shown = cv2.warpAffine(picture, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
        crop[:] = np.rint(cover * shown + (1 - cover) * crop).astype(np.uint8)


def cut_out(
    library: StillLibrary, rng: np.random.Generator, size: float
) -> tuple[np.ndarray, np.ndarray]:
    """An object of a photograph, RGB uint8 and alpha in [0, 1], ``size`` px large.

    Raises:
        SystemExit: If no photograph has an object.
    """
    for index in rng.permutation(len(library.names)):
        image, labels = library.still(library.names[index])
        regions = object_regions(image, labels)
        if not regions:
            continue
        mask = regions[rng.integers(len(regions))]
        x, y, width, height = cv2.boundingRect(mask)
        part = (
            slice(max(y - MARGIN_PX, 0), y + height + MARGIN_PX),
            slice(max(x - MARGIN_PX, 0), x + width + MARGIN_PX),
        )
        scale = size / np.sqrt(width * height)
        alpha = soft_edge(mask)[part]
        shape = [max(8, round(length * scale)) for length in alpha.shape[::-1]]
        smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        picture, alpha = (
            cv2.resize(np.ascontiguousarray(item), shape, interpolation=smooth)
            for item in (image[part][..., ::-1], alpha)
        )
        return picture, alpha
    raise SystemExit("no still can serve as an object")


if __name__ == "__main__":
    main()
