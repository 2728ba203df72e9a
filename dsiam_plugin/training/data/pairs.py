"""Exemplar and search pairs of stage one: two frames of one track, cut from packs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from dsiam_plugin.config.fields import number
from dsiam_plugin.core.boxes import VARIANTS
from dsiam_plugin.errors import ConfigError, DatasetError
from dsiam_plugin.trackers.crops import context_side
from dsiam_plugin.training.data.augment import (
    AugmentConfig,
    blurred,
    coarse,
    covered,
    cut_window,
    random_part,
    relight,
    to_grey,
)
from dsiam_plugin.training.data.pack import Pack, Track

DRAWS_FOR_A_NEW_VIDEO = 20


class PairBatch(NamedTuple):
    """Pairs of one batch."""

    exemplars: Tensor  # (B, 127, 127, 3) uint8 RGB
    searches: Tensor  # (B, 255, 255, 3) uint8 RGB
    offsets: Tensor  # (B, 2) float32, target's displacement (dx, dy) from the search's middle, px
    variants: Tensor  # (B, K, 127, 127, 3) uint8 RGB, the exemplar zoomed and stretched
    exemplar_sizes: Tensor  # (B, 2) float32, (w, h) of the target in the exemplar, px
    search_sizes: Tensor  # (B, 2) float32, in the search


@dataclass(frozen=True)
class PairConfig:
    """Settings of drawing pairs.

    Attributes:
        pairs: Pairs of one pass.
        max_gap: Largest distance of the two frames in the video.
        search_size: Side of the search in px; smaller ones train faster.
        variants: Cut the exemplar's variants as well (:data:`dsiam_plugin.core.boxes.VARIANTS`).
        shares: How often each pack is drawn from, in the packs' order and any unit; empty for as
            often as it has tracks.
        augment: Random changes of the crops.
    """

    pairs: int = number(53200, "[1, 1e9]")
    max_gap: int = number(100, "[0, 1e9]")
    search_size: int = number(255, "[88, 1023]")
    variants: bool = False
    shares: tuple[float, ...] = number((), "[0, 1e9]")
    augment: AugmentConfig = field(default_factory=AugmentConfig)


class PairDataset:
    """Pairs from packs, a pure function of seed, pass and step.

    The pairs of a batch come from different videos as far as there are enough: they serve as each
    other's negatives.

    Args:
        packs: Open packs of one geometry.
        config: How pairs are drawn.
        seed: Seed of everything random.
    """

    def __init__(self, packs: Sequence[Pack], config: PairConfig, seed: int):
        if not packs or not all(pack.tracks for pack in packs):
            raise DatasetError("pairs: expected at least one pack, each with tracks")
        if config.shares and len(config.shares) != len(packs):
            raise ConfigError(
                f"pairs.shares: {len(config.shares)} numbers for {len(packs)} packs, expected one "
                "for each"
            )
        self.packs = tuple(packs)
        self.config = config
        self.seed = seed
        shares = np.array(config.shares or [len(pack.tracks) for pack in packs], float)
        self._shares = shares / shares.sum()

    def __len__(self) -> int:
        return self.config.pairs

    def batch(
        self, epoch: int, step: int, batch_size: int, rank: int = 0, world: int = 1
    ) -> PairBatch:
        """The share of process ``rank`` in the global batch number ``step`` of a pass."""
        rng = np.random.default_rng([self.seed, epoch, step])
        plans = self._draw(batch_size, rng)
        seeds = rng.integers(0, 2**63, batch_size)
        share = range(rank * batch_size // world, (rank + 1) * batch_size // world)
        made = [self._make(*plans[index], np.random.default_rng(seeds[index])) for index in share]
        exemplars, searches, offsets, variants, *sizes = zip(*made, strict=True)
        return PairBatch(
            torch.from_numpy(np.stack(exemplars)),
            torch.from_numpy(np.stack(searches)),
            torch.tensor(np.array(offsets), dtype=torch.float32),
            torch.from_numpy(np.stack(variants)),
            *(torch.from_numpy(np.array(item, np.float32)) for item in sizes),
        )

    def _draw(self, count: int, rng: np.random.Generator) -> list[tuple[Pack, Track]]:
        plans: list[tuple[Pack, Track]] = []
        videos: set[tuple[int, str]] = set()
        for _ in range(count):
            for _ in range(DRAWS_FOR_A_NEW_VIDEO):
                number = int(rng.choice(len(self.packs), p=self._shares))
                pack = self.packs[number]
                track = pack.tracks[rng.integers(len(pack.tracks))]
                if (number, track.video) not in videos:
                    break
            videos.add((number, track.video))
            plans.append((pack, track))
        return plans

    def _make(self, pack: Pack, track: Track, rng: np.random.Generator) -> tuple[Any, ...]:
        """One pair, in the order of :class:`PairBatch`."""
        config = self.config.augment
        frames = np.array(track.frames)
        first = int(rng.integers(len(track)))
        near = np.flatnonzero(np.abs(frames - frames[first]) <= self.config.max_gap)
        rows = track.start + first, track.start + int(rng.choice(near))
        flip = bool(rng.random() < config.flip)
        offset = tuple(rng.uniform(-config.shift_px, config.shift_px, 2))
        exemplar_offset = tuple(rng.uniform(-config.exemplar_shift_px, config.exemplar_shift_px, 2))
        zooms = [1 + rng.uniform(-limit, limit) for limit in (config.exemplar_scale, config.scale)]
        if config.zoom:
            zooms[1] *= np.exp(rng.uniform(-config.zoom, config.zoom))
        stretch = rng.uniform(-config.stretch, config.stretch) if config.stretch else 0.0
        size, shift = pack.geometry.exemplar_size, exemplar_offset
        crops, boxes = [pack.crops[row] for row in rows], pack.boxes[list(rows), 2:]
        about, closer = np.zeros_like(boxes), [1.0, 1.0]
        if config.part and rng.random() < config.part:
            middle, sides = random_part(rng)
            about, boxes = boxes * middle, boxes * sides
            context = pack.geometry.context
            closer = [context_side(w, h, context) / size for w, h in boxes]
            zooms = [zoom * window for zoom, window in zip(zooms, closer, strict=True)]
        if config.coarse:
            crops = [
                coarse(crop, rng, nearer) if rng.random() < config.coarse else crop
                for crop, nearer in zip(crops, closer, strict=True)
            ]
        exemplar, *variants = (
            cut_window(crops[0], size, shift, zooms[0] * zoom, flip, lengthening, about[0])
            for zoom, lengthening in [(1.0, 0.0), *(VARIANTS if self.config.variants else ())]
        )
        source = crops[1]
        if config.cover and rng.random() < config.cover:
            source = covered(source, pack.crops[rng.integers(len(pack.crops))], rng)
        search = cut_window(
            source, self.config.search_size, offset, zooms[1], flip, stretch, about[1]
        )
        if rng.random() < config.blur:
            search = blurred(search, rng)
        # One tall picture, so that variants get the light of their exemplar.
        exemplars = relight(np.concatenate([exemplar, *variants]), config, rng)
        search = relight(search, config, rng)
        if rng.random() < config.grey:
            exemplars, search = to_grey(exemplars), to_grey(search)
        exemplars = exemplars.reshape(-1, size, size, 3)
        sizes = [box / zoom for box, zoom in zip(boxes, zooms, strict=True)]
        shape = np.exp([stretch / 2, -stretch / 2])
        return exemplars[0], search, offset, exemplars[1:], sizes[0], sizes[1] * shape
