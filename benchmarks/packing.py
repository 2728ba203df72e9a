"""Clips and pairs per second, read from a pack and cut out of image files.

``python benchmarks/packing.py [--root OTB_FOLDERS] [--size 1280x720] [--rounds 5]``

Both ways give the same crops, a clip being 10 successive (351, 351, 3) crops and a pair two crops
of one track. Without ``--root``, sequences of the asked size are made first. The ways take turns
in one process, on one thread, and the table has the best round of each in processor time. Files
are read once before, so the disk's own speed is in neither figure.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from dsiam_plugin.commands.synthesize import frame_size
from dsiam_plugin.evaluation.synthesis.dataset import SynthesisConfig, write_dataset
from dsiam_plugin.io.boxes import Box
from dsiam_plugin.io.images import read_image
from dsiam_plugin.training.data.curation import curate
from dsiam_plugin.training.data.cutting import cut_crop
from dsiam_plugin.training.data.pack import Pack, open_pack
from dsiam_plugin.training.data.selection import CurationConfig, usable_frames
from dsiam_plugin.training.data.sources.footage import Footage
from dsiam_plugin.training.data.sources.otb import OTBFolders

CLIP_FRAMES = 10
DRAWS = {"clips": 12, "pairs": 60}  # of one round


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, help="folders NAME/img with groundtruth_rect.txt")
    parser.add_argument("--size", type=frame_size, default=(1280, 720), metavar="WxH")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = options.root or folder / "sequences"
        if not options.root:
            width, height = options.size
            write_dataset(root, SynthesisConfig(frames=20, width=width, height=height))
        source = OTBFolders(root)
        config = CurationConfig(clips=None, max_share=1, min_share=0, sequences=0)
        curate(source, folder / "pack", config)
        pack = open_pack(folder / "pack")
        footage = {
            target.name: target
            for unit in source.units()
            for target in usable_frames(source.read(unit), config).targets
        }
        report(measure(pack, footage, options.rounds))


def measure(pack: Pack, footage: dict[str, Footage], rounds: int) -> dict[str, list[float]]:
    """Name -> samples a second from files and from the pack, in processor time."""
    readers = [
        lambda rows: from_files(pack, footage, rows),
        lambda rows: np.array(pack.crops[rows]),
    ]
    rates = {}
    for name, draws in DRAWS.items():
        samples = draw(pack, name, draws)
        for rows in samples:
            a, b = (reader(rows) for reader in readers)
            if not np.array_equal(a, b):
                raise SystemExit("the pack's crops are not those of the files")
        times = [[seconds(reader, samples) for reader in readers] for _ in range(rounds)]
        rates[name] = [draws / best for best in np.min(times, axis=0)]
    return rates


def draw(pack: Pack, name: str, count: int) -> list[np.ndarray]:
    """Rows of random clips or pairs of the pack."""
    rng = np.random.default_rng(0)
    long = [track for track in pack.tracks if len(track) >= CLIP_FRAMES]
    samples = []
    for _ in range(count):
        track = long[rng.integers(len(long))]
        if name == "clips":
            rows = rng.integers(len(track) - CLIP_FRAMES + 1) + np.arange(CLIP_FRAMES)
        else:
            rows = rng.integers(len(track), size=2)
        samples.append(track.start + rows)
    return samples


def from_files(pack: Pack, footage: dict[str, Footage], rows: np.ndarray) -> np.ndarray:
    """The crops of these rows, decoded and cut; (n, S, S, 3) uint8."""
    crops = []
    for row in rows:
        track = next(track for track in pack.tracks if track.start <= row < track.stop)
        target = footage[track.name]
        place = list(target.frames).index(track.frames[row - track.start])
        image = read_image(target.folder / target.images[place])
        crops.append(cut_crop(image, Box(*target.boxes[place]), pack.geometry)[0])
    return np.stack(crops)


def seconds(reader: Callable[[np.ndarray], np.ndarray], samples: list[np.ndarray]) -> float:
    """Processor time of reading all samples."""
    start = time.process_time()
    for rows in samples:
        reader(rows)
    return time.process_time() - start


def report(rates: dict[str, list[float]]) -> None:
    """Print the table."""
    print(f"{'a second':<10}{'files':>10}{'pack':>10}{'ratio':>8}")
    for name, (files, pack) in rates.items():
        print(f"{name:<10}{files:>10.1f}{pack:>10.1f}{pack / files:>8.1f}")


if __name__ == "__main__":
    main()
