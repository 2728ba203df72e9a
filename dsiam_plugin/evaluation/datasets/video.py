"""One annotated sequence and the results trackers left for it."""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path

import numpy as np

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.datasets.drawing import (
    GROUND_TRUTH_COLOR,
    TRACKER_COLORS,
    draw_region,
    label_frame,
)
from dsiam_plugin.evaluation.datasets.names import file_names
from dsiam_plugin.evaluation.results.files import read_boxes

logger = logging.getLogger(__name__)

NO_FILE = "no result file"  # how the reason of a gap begins where nothing is damaged

Trajectory = np.ndarray | list  # (frames, 4) boxes, or one region a frame


class Video:
    """A sequence of frames, its annotation and its results; pysot's `Video`.

    Attributes:
        name: Name of the sequence.
        video_dir: Its folder, relative to the data set's root.
        init_rect: Region a tracker starts with, x, y, w, h or a polygon.
        gt_traj: One region a frame: 0-based x, y, w, h, or eight polygon numbers.
        attr: Attribute codes, or None.
        img_names: Absolute paths of the frames; they need not exist for an evaluation.
        image_size: Width and height in px where the metadata or a frame has told; else None.
        skipped_frames: Annotated frames before the first evaluated one.
        pred_trajs: Results by tracker: (frames, 4) arrays.
        gaps: Why a tracker has no result here, by tracker: one line each.
        imgs: The decoded frames, (H, W, 3) uint8 BGR, after `load_img`; else None.
    """

    # Where a tracker's result lies below its folder, best first.
    result_patterns: tuple[str, ...] = ("{video}.txt",)

    def __init__(
        self,
        name: str,
        root: str,
        video_dir: str,
        init_rect: Sequence[float],
        img_names: Sequence[str],
        gt_rect: Sequence[Sequence[float]],
        attr: Sequence[str] | None,
        load_img: bool = False,
    ) -> None:
        self.name = name
        self.video_dir = video_dir
        self.init_rect = init_rect
        self.gt_traj = gt_rect
        self.attr = attr
        self.skipped_frames = 0
        self.pred_trajs: dict = {}
        self.gaps: dict[str, str] = {}
        self.tracker_names: list[str] = []
        self.img_names = _absolute_names(root, video_dir, img_names)
        self.imgs: list[np.ndarray] | None = None
        self.image_size: tuple[int, int] | None = None
        if load_img:
            self.load_img()

    def __len__(self) -> int:
        return len(self.img_names)

    def __getitem__(self, idx: int) -> tuple[np.ndarray, Sequence[float]]:
        return self._image(idx), self.gt_traj[idx]

    def __iter__(self) -> Iterator[tuple[np.ndarray, Sequence[float]]]:
        for idx in range(len(self.img_names)):
            yield self[idx]

    @property
    def width(self) -> int:
        """Image width in px; reads the first frame where the metadata does not say."""
        return self._measured_size()[0]

    @property
    def height(self) -> int:
        """Image height in px; reads the first frame where the metadata does not say."""
        return self._measured_size()[1]

    def load_img(self) -> None:
        """Decode all frames into `imgs`.

        Raises:
            ImageError: A frame is missing or damaged.
        """
        if self.imgs is None:
            self.imgs = [read_image(name) for name in self.img_names]

    def free_img(self) -> None:
        """Forget the decoded frames."""
        self.imgs = None

    def load_tracker(
        self,
        path: str | os.PathLike,
        tracker_names: str | Sequence[str] | None = None,
        store: bool = True,
    ) -> Trajectory | tuple | None:
        """Load the results of trackers for this sequence.

        A tracker without a file gets an entry in `gaps` and none in `pred_trajs`.

        Args:
            path: Folder with one folder a tracker.
            tracker_names: Which trackers; None for every folder in `path`.
            store: Put the results into `pred_trajs`; else return the first one.

        Returns:
            With `store=False` the trajectory, or None where there is no file.

        Raises:
            ResultsError: A file is damaged or has too few or too many rows.
        """
        for tracker in self._tracker_names(path, tracker_names):
            trajectory = self._load_one(Path(path), tracker)
            if not store:
                return trajectory
            if trajectory is not None:
                self.pred_trajs[tracker] = trajectory
        self.tracker_names = list(self.pred_trajs)
        return None

    def result_file(self, path: str | os.PathLike, tracker: str) -> Path | None:
        """The tracker's file for this sequence under any toolkit's spelling, if there is one."""
        for candidate in self._candidates(Path(path), tracker):
            if candidate.is_file():
                return candidate
        return None

    def draw_box(
        self,
        roi: Sequence[float],
        img: np.ndarray,
        linewidth: int,
        color: Sequence[int],
        name: str | None = None,
    ) -> np.ndarray:
        """Draw a box or polygon, and a label above it, into `img`; returns `img`.

        Args:
            roi: x, y, w, h or polygon numbers; NaN and codes draw nothing.
            img: (H, W, 3) uint8 BGR, drawn into.
            linewidth: Of the outline, px.
            color: B, G, R.
            name: Label, or None.
        """
        return draw_region(img, roi, linewidth, color, name)

    def show(
        self, pred_trajs: Mapping | None = None, linewidth: int = 2, show_name: bool = False
    ) -> list[np.ndarray]:
        """Draw the annotation and results into copies of the frames.

        Unlike pysot's this opens no window; show or encode the frames as you like.

        Args:
            pred_trajs: One region a frame by tracker; None for those that were loaded.
            linewidth: Of the outlines, px.
            show_name: Label the regions.

        Returns:
            Frames, (H, W, 3) uint8 BGR.
        """
        pred_trajs = self.pred_trajs if pred_trajs is None else pred_trajs
        frames = []
        for number, (image, truth) in enumerate(self):
            image = image.copy()
            self.draw_box(truth, image, linewidth, GROUND_TRUTH_COLOR, "gt" if show_name else None)
            for color, (name, regions) in zip(cycle(TRACKER_COLORS), pred_trajs.items()):
                label = name if show_name else None
                self.draw_box(regions[number], image, linewidth, color, label)
            label_frame(image, number)
            frames.append(image)
        return frames

    def _load_one(self, path: Path, tracker: str) -> Trajectory | tuple | None:
        """The tracker's trajectory, or None after an entry in `gaps`."""
        file = self.result_file(path, tracker)
        if file is None:
            expected = next(self._candidates(path, tracker))
            self._record_gap(tracker, f"{NO_FILE}; expected {expected}")
            return None
        self.gaps.pop(tracker, None)
        return self._read(file)

    def _record_gap(self, tracker: str, reason: str) -> None:
        """Note the gap for tables; no warning, for a benchmark may ask for it thrice."""
        self.gaps[tracker] = reason
        logger.info("%s of %s: %s", self.name, tracker, reason)

    def _read(self, file: Path) -> Trajectory:
        boxes = read_boxes(file)
        if self.skipped_frames and len(boxes) == len(self.gt_traj) + self.skipped_frames:
            boxes = boxes[self.skipped_frames :]  # run from the first annotated frame on
        self._check_rows(file, len(boxes))
        _warn_about_nan(file, boxes)
        return boxes

    def _check_rows(self, file: Path, rows: int) -> None:
        expected = len(self.gt_traj)
        if rows != expected:
            where = (
                f"row {rows + 1} is missing" if rows < expected else f"row {expected + 1} is extra"
            )
            raise ResultsError(
                f"{file}: {rows} rows, expected {expected}, one a frame of {self.name}; {where}"
            )

    @staticmethod
    def _tracker_names(path: str | os.PathLike, names: str | Sequence[str] | None) -> list[str]:
        """The names given, else every folder in `path`."""
        if isinstance(names, str):
            return [names]
        if names:
            return list(names)
        try:
            return sorted(entry.name for entry in os.scandir(os.fspath(path)) if entry.is_dir())
        except OSError as error:
            raise ResultsError(f"{path}: cannot list trackers ({error.strerror})") from None

    def _candidates(self, path: Path, tracker: str) -> Iterator[Path]:
        for pattern in self.result_patterns:
            for name in file_names(self.name):
                yield path / tracker / pattern.format(video=name)

    def _image(self, idx: int) -> np.ndarray:
        return read_image(self.img_names[idx]) if self.imgs is None else self.imgs[idx]

    def _measured_size(self) -> tuple[int, int]:
        if self.image_size is None:
            height, width = self._image(0).shape[:2]
            self.image_size = (width, height)
        return self.image_size


def _absolute_names(root: str, video_dir: str, img_names: Sequence[str]) -> list[str]:
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


def _warn_about_nan(file: Path, boxes: np.ndarray) -> None:
    """NaN boxes are misses, as in pysot; say so, because a tracker seldom means them."""
    rows = np.flatnonzero(~np.isfinite(boxes).all(axis=1))
    if len(rows):
        logger.warning(
            "%s:%d: not a finite box (%d such rows of %d); each counts as a miss",
            file, rows[0] + 1, len(rows), len(boxes),
        )  # fmt: skip


def read_image(path: str) -> np.ndarray:
    """Decode one frame, (H, W, 3) uint8 BGR; ImageError where it cannot be."""
    from dsiam_plugin.io import images  # heavy, and not needed to evaluate from annotations

    return images.read_image(path, "BGR")
