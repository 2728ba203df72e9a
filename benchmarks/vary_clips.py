"""Clips of other cameras and other targets: `python benchmarks/vary_clips.py CLIPS OUT --grey`.

Writes the sequences of a folder (as `dsiam evaluate` reads them) as OTB sequences that one thing
makes different: what a tracker loses there, against one of another kind, says what it rests on.
`--grey` takes the colours; `--coarse 24` shrinks every sequence until its target's first box is
as large as a square of that many px; `--part .1,0,.9,.45` follows that part of every box
(left, top, right, bottom; here a walking person's head and shoulders).
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dsiam_plugin.errors import DSiamError
from dsiam_plugin.evaluation.datasets.factory import create_dataset
from dsiam_plugin.evaluation.synthesis.layouts import LAYOUTS, write_lines
from dsiam_plugin.io.files import atomic_folder
from dsiam_plugin.io.images import as_bgr, read_image
from dsiam_plugin.training.data.augment import to_grey

LEAST_SIDE = 48  # px of a frame, however large its target is


def main() -> int:
    """Write the sequences into a new folder, which appears when it is complete."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", type=Path, help="folder of sequences")
    parser.add_argument("out", type=Path, help="new folder")
    parser.add_argument("--only", type=Path, metavar="FILE", help="names of those to take")
    parser.add_argument("--grey", action="store_true", help="without colours")
    parser.add_argument("--coarse", type=float, metavar="PX", help="target's size, px")
    parser.add_argument("--part", type=part, default=part("0,0,1,1"), metavar="L,T,R,B")
    arguments = parser.parse_args()
    only = set(arguments.only.read_text().split()) if arguments.only else None
    try:
        with atomic_folder(arguments.out) as folder:
            for video in create_dataset(name=str(arguments.clips)):
                if only is None or video.name in only:
                    write_varied(video, folder / video.name, arguments)
    except (DSiamError, OSError) as error:
        sys.stderr.write(f"vary_clips.py: {error}\n")
        return 2
    return 0


def part(text: str) -> np.ndarray:
    """Left, top, right and bottom of a part of a box, in units of its sides, (4,)."""
    edges = np.array([float(item) for item in text.split(",")])
    if edges.shape != (4,) or not (edges[:2] < edges[2:]).all():
        raise ValueError
    return edges


def write_varied(video: Any, folder: Path, how: argparse.Namespace) -> None:
    """One sequence of the data set's class, as an OTB sequence."""
    boxes = np.asarray(video.gt_traj, dtype=float)
    corners = np.tile(boxes[:, :2], 2) + np.tile(boxes[:, 2:], 2) * how.part
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1)
    scale = 1.0
    if how.coarse is not None:
        frame = min(read_image(video.img_names[0]).shape[:2])
        scale = min(1.0, max(how.coarse / np.sqrt(boxes[0, 2:].prod()), LEAST_SIDE / frame))
    for number, path in enumerate(video.img_names, start=1):
        image = read_image(path)
        if scale < 1:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        if how.grey:
            image = to_grey(image)
        LAYOUTS["otb"].write_frame(folder, number, as_bgr(image))
    boxes = boxes * scale + [1, 1, 0, 0]  # OTB counts pixels from one
    write_lines(
        folder / "groundtruth_rect.txt", [",".join(f"{side:.3f}" for side in box) for box in boxes]
    )


if __name__ == "__main__":
    sys.exit(main())
