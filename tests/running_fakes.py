"""Cheap trackers and small data sets for the tests of `dsiam_plugin.evaluation.running`.

A module of its own because worker processes import the trackers by name.
"""

import os
import time
from pathlib import Path

import cv2
import numpy as np

SIZE = (64, 48)  # width, height
TARGET = (12, 10)  # width, height


class Still:
    """Says that the target stays where it started."""

    box_mode = "plain"

    def init(self, image, box):
        self.box = tuple(box)

    def track(self, image):
        return {"bbox": self.box, "best_score": 0.5}


class RedFinder:
    """Centres the box on the pixels that are red, in the colour order it is given."""

    red = 2

    def init(self, image, box):
        self.size = box[2:]

    def track(self, image):
        rows, columns = np.nonzero(image[..., self.red] > 200)
        w, h = self.size
        x, y = columns.mean() + 0.5 - w / 2, rows.mean() + 0.5 - h / 2
        return {"bbox": [x, y, w, h], "best_score": float(len(rows))}


class RedFinderRGB(RedFinder):
    """The same, for a tracker that takes RGB and answers with an object."""

    image_mode = "RGB"
    red = 0

    def track(self, image):
        answer = super().track(image)

        class Result:
            box = answer["bbox"]
            score = answer["best_score"]

        return Result()


class Jittery(Still):
    """Draws random numbers, as some trackers do."""

    def track(self, image):
        return {"bbox": np.add(self.box, np.random.normal(size=4))}


class Slow(Still):
    """Takes its time."""

    def track(self, image):
        time.sleep(0.03)
        return super().track(image)


class Fragile(RedFinder):
    """Raises on the sequence whose target is too small, and dies where it is flat."""

    def init(self, image, box):
        super().init(image, box)
        if box[2] == 5:
            raise ArithmeticError("the target\nis too small")
        if box[2] == 6:
            os._exit(7)


class Silent(Still):
    """Answers with nothing."""

    def track(self, image):
        return None


def broken_factory():
    raise RuntimeError("no weights here")


def not_a_tracker():
    return object()


def make_sequence(folder: Path, frames: int, target=TARGET, seed=0) -> None:
    """A red rectangle that moves right and down over grey noise, in OTB's layout."""
    (folder / "img").mkdir(parents=True)
    generator = np.random.default_rng(seed)
    w, h = target
    rows = []
    for frame in range(frames):
        image = generator.integers(0, 100, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
        x, y = 4 + frame % 40, 3 + frame % 30
        image[y : y + h, x : x + w] = (0, 0, 255)
        cv2.imwrite(str(folder / "img" / f"{frame + 1:04d}.png"), image)
        rows.append(f"{x + 1},{y + 1},{w},{h}\n")
    (folder / "groundtruth_rect.txt").write_text("".join(rows))


def make_dataset(folder: Path, frames=(7, 5, 6)) -> Path:
    """A folder of sequences s0, s1, ... of so many frames."""
    for number, count in enumerate(frames):
        make_sequence(folder / f"s{number}", count, seed=number)
    return folder


def results_in(folder: Path) -> dict[str, bytes]:
    """Contents of all result files below a folder, without the times, by relative path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*.*"))
        if path.is_file() and not path.name.endswith("_time.txt")
    }
