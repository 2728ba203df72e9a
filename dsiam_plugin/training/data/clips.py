"""Clips of joint training: successive rows of one track of a pack, jittered as a whole.

A pack shows its target in the middle of every row, so how it moved in the video is not in it. Clips
give it a motion again: a bounded random walk of the rows' position and scale, which is the part of
a real motion and of a real scale estimate's error that a tracker has to make up for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dsiam_plugin.config.fields import number, refuse, validate
from dsiam_plugin.errors import DatasetError
from dsiam_plugin.training.data.augment import AugmentConfig, cut_window, relight, to_grey
from dsiam_plugin.training.data.pack import Pack, Track


class ClipBatch(NamedTuple):
    """Clips of one batch."""

    crops: Tensor  # (B, T, S, S, 3) uint8 RGB, rows of a pack in order of time
    # (B, T, 4) float32 `(x, y, w, h)` of the target in the crop. The first is what the tracker is
    # told
    boxes: Tensor


@dataclass(frozen=True)
class ClipConfig:
    """Settings of drawing clips. Random amounts are uniform where nothing else is said.

    Attributes:
        length: Frames T of a clip, >= 3: the first is told, V and W act from the third on.
        stride: Largest step in rows between its frames; it is drawn for each clip, from 1 up to
            what the track has room for.
        clips: Clips of one pass; 0 for one a track.
        motion_px: Standard deviation of the target's displacement from frame to frame, px.
        max_shift_px: Bound of its distance from the crop's middle; with the tracker's own excursion
            it must stay within the margin around a search window for the fill not to show.
        zoom: Standard deviation of the relative change of scale from frame to frame.
        max_zoom: Bound of the scale's distance from 1.
        start_px: Largest error of the first box's position.
        reverse: Probability of playing a clip backwards.
        flip: Probability of mirroring a clip.
        grey: Probability that a clip loses its colours.
        light: Largest relative change of brightness and contrast, the same in a clip's frames.
        tint: Largest relative change of a single channel, the same in a clip's frames.
    """

    length: int = number(10, "[3, 1e4]")
    stride: int = number(1, "[1, 1e4]")
    clips: int = number(0, "[0, 1e9]")
    motion_px: float = number(6.0, "[0, 1000]")
    max_shift_px: float = number(24.0, "[0, 1000]")
    zoom: float = number(0.01, "[0, 1)")
    max_zoom: float = number(0.06, "[0, 1)")
    start_px: float = number(2.0, "[0, 1000]")
    reverse: float = number(0.0, "[0, 1]")
    flip: float = number(0.5, "[0, 1]")
    grey: float = number(0.1, "[0, 1]")
    light: float = number(0.15, "[0, 1]")
    tint: float = number(0.05, "[0, 1]")


class ClipDataset:
    """Clips from packs, a pure function of seed, pass and step.

    Args:
        packs: Open packs of one geometry.
        config: How clips are drawn.
        seed: Seed of everything random.

    Attributes:
        skipped: Tracks shorter than a clip.

    Raises:
        DatasetError: If no track is long enough, or the packs' crops differ in side.
        ConfigError: If a value is out of range.
    """

    def __init__(self, packs: Sequence[Pack], config: ClipConfig, seed: int):
        refuse(validate(config), "clips")
        sides = {pack.geometry.side for pack in packs}
        if len(sides) > 1:
            raise DatasetError(f"clips: crops of {sorted(sides)} px, expected packs of one side")
        tracks = [(pack, track) for pack in packs for track in pack.tracks]
        self.config = config
        self.seed = seed
        self.tracks = [item for item in tracks if len(item[1]) >= config.length]
        self.skipped = len(tracks) - len(self.tracks)
        if not self.tracks:
            raise DatasetError(
                f"clips: none of {len(tracks)} tracks in {len(packs)} packs has "
                f"{config.length} frames"
            )

    def __len__(self) -> int:
        return self.config.clips or len(self.tracks)

    def batch(
        self, epoch: int, step: int, batch_size: int, rank: int = 0, world: int = 1
    ) -> ClipBatch:
        """The share of process ``rank`` in the global batch number ``step`` of a pass.

        A batch that reaches over the end of the pass goes on with its first clips.
        """
        order = self._order(epoch)
        share = range(rank * batch_size // world, (rank + 1) * batch_size // world)
        made = []
        for place in share:
            index = (step * batch_size + place) % len(self)
            rng = np.random.default_rng([self.seed, epoch, index, 1])
            pack, track = self.tracks[order[index]]
            made.append(self._make(pack, track, rng))
        crops, boxes = zip(*made, strict=True)
        return ClipBatch(torch.from_numpy(np.stack(crops)), torch.from_numpy(np.stack(boxes)))

    def _order(self, epoch: int) -> np.ndarray:
        """Number of the track of each clip of a pass: all tracks once before any comes again."""
        rng = np.random.default_rng([self.seed, epoch])
        rounds = -(-len(self) // len(self.tracks))
        return np.concatenate([rng.permutation(len(self.tracks)) for _ in range(rounds)])

    def _make(
        self, pack: Pack, track: Track, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Crops (T, S, S, 3) uint8 and boxes (T, 4) float32 of one clip."""
        config = self.config
        rows = self._rows(track, rng)
        shifts = _walk(np.zeros(2), config.motion_px, config.max_shift_px, config.length, rng)
        zooms = 1 + _walk(np.zeros(1), config.zoom, config.max_zoom, config.length, rng)[:, 0]
        flip = bool(rng.random() < config.flip)
        moves = [
            (pack.crops[row], pack.boxes[row], shift, zoom)
            for row, shift, zoom in zip(rows, shifts, zooms, strict=True)
        ]
        crops = np.stack([_moved(crop, shift, zoom, flip) for crop, _, shift, zoom in moves])
        boxes = np.stack(
            [_moved_box(box, crops.shape[1], shift, zoom, flip) for _, box, shift, zoom in moves]
        )
        boxes[0, :2] += rng.uniform(-config.start_px, config.start_px, 2)
        return self._relit(crops, rng), boxes

    def _rows(self, track: Track, rng: np.random.Generator) -> np.ndarray:
        length = self.config.length
        room = (len(track) - 1) // (length - 1)
        step = int(rng.integers(1, min(self.config.stride, room) + 1))
        span = step * (length - 1)
        rows = track.start + rng.integers(len(track) - span) + step * np.arange(length)
        return rows[::-1] if rng.random() < self.config.reverse else rows

    def _relit(self, crops: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One light for all frames: (T, S, S, 3) is one tall image to the functions."""
        config = self.config
        tall = crops.reshape(-1, *crops.shape[2:])
        if config.light or config.tint:
            tall = relight(tall, AugmentConfig(light=config.light, tint=config.tint), rng)
        if rng.random() < config.grey:
            tall = to_grey(tall)
        return tall.reshape(crops.shape)


def _walk(
    start: np.ndarray, deviation: float, bound: float, steps: int, rng: np.random.Generator
) -> np.ndarray:
    """A random walk within ``[-bound, bound]``, (steps, D)."""
    places = [start]
    for _ in range(steps - 1):
        places.append(
            np.clip(places[-1] + deviation * rng.standard_normal(len(start)), -bound, bound)
        )
    return np.stack(places)


def _moved(crop: np.ndarray, shift: np.ndarray, zoom: float, flip: bool) -> np.ndarray:
    """A row with its target displaced, enlarged and mirrored; an untouched row stays exact."""
    if zoom == 1 and not shift.any():
        return crop[:, ::-1] if flip else crop
    return cut_window(
        np.asarray(crop), crop.shape[0], (float(shift[0]), float(shift[1])), 1 / zoom, flip
    )


def _moved_box(
    box: np.ndarray, side: int, shift: np.ndarray, zoom: float, flip: bool
) -> np.ndarray:
    """The target's box after :func:`_moved`."""
    middle = (side - 1) / 2
    size = box[2:] * zoom
    offset = (box[:2] + (box[2:] - 1) / 2 - middle) * zoom
    if flip:
        offset[0] = -offset[0]
    return np.concatenate([middle + offset + shift - (size - 1) / 2, size]).astype(np.float32)
