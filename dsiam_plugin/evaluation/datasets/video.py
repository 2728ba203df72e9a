"""One annotated sequence and the results trackers left for it."""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.datasets.drawing import (
    GROUND_TRUTH_COLOR,
    TRACKER_COLORS,
    draw_region,
    label_frame,
)
from dsiam_plugin.evaluation.datasets.frames import absolute_names, read_image
from dsiam_plugin.evaluation.datasets.names import file_names
from dsiam_plugin.evaluation.results.files import read_boxes, read_trajectory
from dsiam_plugin.evaluation.results.layout import ONE_PASS, Layout
from dsiam_plugin.evaluation.results.rows import carry_last, is_corners, warn_about_nan
from dsiam_plugin.io.folders import subfolders

logger = logging.getLogger(__name__)

NO_FILE = "no result file"  # how the reason of a gap begins where nothing is damaged

START_BOX_ONLY = "only its start box is known, so results are for a server and not scored here"
PYSOT_ARGUMENTS = ("video_dir", "init_rect", "img_names", "gt_rect", "attr")

Trajectory = np.ndarray | list  # (frames, 4) boxes, or one region a frame


class Video:
    """A sequence of frames, its annotation and its results; pysot's `Video`.

    Attributes:
        name: Name of the sequence.
        video_dir: The sequence's folder, relative to the data set's root.
        init_rect: Region a tracker starts with, x, y, w, h or a polygon.
        gt_traj: One region a frame: 0-based x, y, w, h, or eight polygon numbers.
        attr: Attribute codes, or None.
        img_names: Absolute paths of the frames; they need not exist for an evaluation.
        image_size: Width and height in px where the metadata or a frame has told; else None.
        absent: (frames,) int8, pysot's flag, 1 in frames in which the target can be seen; only
            where labels say so. Results in other frames are not looked at.
        skipped_frames: Annotated frames before the first evaluated one.
        carries_last_box: Invalid rows of results loaded from now on are the last valid box.
        pred_trajs: Results by tracker: (frames, 4) arrays.
        gaps: Why a tracker has no result here, by tracker: one line each.
        imgs: The decoded frames, (H, W, 3) uint8 BGR, after `load_img`; else None.
    """

    # Where a tracker's result may lie below its folder, best first.
    layouts: tuple[Layout, ...] = (ONE_PASS,)
    # Frames that labels call hidden count as frames without success, as pysot counts them.
    hidden_frames_fail = True
    # Names of pysot's positional arguments after the name and the root.
    pysot_arguments: tuple[str, ...] = PYSOT_ARGUMENTS

    def __init__(self, name: str, root: str, *values: Any, **named: Any) -> None:
        """A video as pysot's classes take it: `from_metadata` with an argument a key.

        Args:
            name: Name of the sequence.
            root: Folder of the data set.
            *values: In the order of `pysot_arguments`, then `load_img`.
            **named: The same by name.
        """
        entry = dict(zip((*self.pysot_arguments, "load_img"), values, strict=False)) | named
        self._fill(name, root, entry)
        if entry.get("load_img"):
            self.load_img()

    @classmethod
    def from_metadata(
        cls, name: str, root: str, entry: Mapping[str, Any], load_img: bool = False
    ) -> "Video":
        """The video of an entry in pysot's schema, see `metadata`."""
        video = cls.__new__(cls)
        video._fill(name, root, entry)
        if load_img:
            video.load_img()
        return video

    def _fill(self, name: str, root: str, entry: Mapping[str, Any]) -> None:
        """Set all attributes; families with more of them add theirs."""
        self.name = name
        self.video_dir = entry["video_dir"]
        self.init_rect = entry["init_rect"]
        self.gt_traj = entry["gt_rect"]
        self.attr = entry.get("attr")
        if "absent" in entry:
            self.absent = np.array(entry["absent"], np.int8)
        self.skipped_frames = entry.get("skip", 0)
        self.carries_last_box = False
        self.pred_trajs: dict = {}
        self.gaps: dict[str, str] = {}
        self.tracker_names: list[str] = []
        self.img_names = absolute_names(root, self.video_dir, entry["img_names"])
        self.imgs: list[np.ndarray] | None = None
        width, height = entry.get("width"), entry.get("height")
        self.image_size: tuple[int, int] | None = (width, height) if width and height else None

    def __len__(self) -> int:
        return len(self.img_names)

    def __getitem__(self, idx: int) -> tuple[np.ndarray, Sequence[float]]:
        return self._image(idx), self.gt_traj[idx]

    def __iter__(self) -> Iterator[tuple[np.ndarray, Sequence[float]]]:
        for idx in range(len(self.img_names)):
            yield self[idx]

    @property
    def has_start_box_only(self) -> bool:
        """True for sequences of test sets whose other annotations are kept by a server."""
        return len(self.gt_traj) < len(self.img_names)

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
            linewidth: Width of the outline, px.
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
            linewidth: Width of the outlines, px.
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
        if self.has_start_box_only:
            self.gaps[tracker] = START_BOX_ONLY
            return None
        file = self.result_file(path, tracker)
        if file is None:
            self._note_missing(path, tracker)
            return None
        self.gaps.pop(tracker, None)
        return self._read(file)

    def _note_missing(self, path: Path, tracker: str) -> None:
        """Note the gap for tables; no warning, for a benchmark may ask for it thrice."""
        expected = self.layouts[0].result_path(path / tracker, self.name)
        self.gaps[tracker] = f"{NO_FILE}; expected {expected}"
        logger.info("%s of %s: %s", self.name, tracker, self.gaps[tracker])

    def _read_regions(self, file: Path) -> list:
        regions = read_trajectory(file)
        self._check_rows(file, len(regions))
        return regions

    def _read(self, file: Path) -> Trajectory:
        boxes = read_boxes(file)
        if self.skipped_frames and len(boxes) == len(self.gt_traj) + self.skipped_frames:
            boxes = boxes[self.skipped_frames :]  # run from the first annotated frame on
        self._check_rows(file, len(boxes))
        if self.carries_last_box:
            return carry_last(boxes, self.gt_traj)
        warn_about_nan(file, boxes)
        return boxes

    def begins_with_corners(self, tracker: str) -> bool:
        """True where a loaded result begins with x1,y1,x2,y2 of the start box, not with the box."""
        boxes = self.pred_trajs[tracker]
        return isinstance(boxes, np.ndarray) and is_corners(boxes[0], self.init_rect)

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
            found = subfolders(Path(path))
        except OSError as error:
            raise ResultsError(f"{path}: cannot list trackers ({error.strerror})") from None
        if not found:
            raise ResultsError(f"{path}: no trackers in it, expected a folder each")
        return found

    def _candidates(self, path: Path, tracker: str) -> Iterator[Path]:
        for layout in self.layouts:
            for name in file_names(self.name):
                yield layout.result_path(path / tracker, name)

    def _image(self, idx: int) -> np.ndarray:
        return read_image(self.img_names[idx]) if self.imgs is None else self.imgs[idx]

    def _measured_size(self) -> tuple[int, int]:
        if self.image_size is None:
            height, width = self._image(0).shape[:2]
            self.image_size = (width, height)
        return self.image_size
