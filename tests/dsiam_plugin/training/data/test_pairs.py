from dataclasses import replace

import numpy as np
import pytest
import torch

from dsiam_plugin.core.boxes import VARIANTS
from dsiam_plugin.errors import ConfigError, DatasetError
from dsiam_plugin.trackers.crops import context_side
from dsiam_plugin.training.data.augment import AugmentConfig
from dsiam_plugin.training.data.pack import Pack, PackGeometry, Track
from dsiam_plugin.training.data.pairs import PairConfig, PairDataset

PLAIN = AugmentConfig(
    shift_px=32, scale=0, exemplar_shift_px=0, exemplar_scale=0, flip=0, grey=0, light=0, tint=0,
    blur=0,
)  # fmt: skip
SIDE = 351


def make_pack(path, videos, frames=4):
    """Each video has a level of its own; a white dot marks the target's centre."""
    crops = np.empty((videos * frames, SIDE, SIDE, 3), np.uint8)
    for video in range(videos):
        crops[video * frames : (video + 1) * frames] = 10 + 10 * video
    crops[:, 174:177, 174:177] = 255
    tracks = tuple(
        Track(f"t{video}", f"v{video}", video * frames, (video + 1) * frames, tuple(range(frames)))
        for video in range(videos)
    )
    return Pack(path, crops, np.zeros((len(crops), 4), np.float32), tracks, PackGeometry())


@pytest.fixture
def pack(tmp_path):
    return make_pack(tmp_path, 6)


def test_shapes_and_the_target_at_its_offset(pack):
    batch = PairDataset([pack], PairConfig(augment=PLAIN), seed=0).batch(0, 0, 4)
    assert batch.exemplars.shape == (4, 127, 127, 3)
    assert batch.searches.shape == (4, 255, 255, 3)
    for search, (dx, dy) in zip(batch.searches, batch.offsets.tolist(), strict=True):
        rows, columns = np.nonzero(search[..., 0].numpy() > 150)
        assert columns.mean() == pytest.approx(127 + dx, abs=0.6)
        assert rows.mean() == pytest.approx(127 + dy, abs=0.6)
    assert batch.offsets.abs().max() > 10


def test_both_crops_are_of_one_video_and_a_batch_of_different_ones(pack):
    dataset = PairDataset([pack], PairConfig(augment=PLAIN), seed=0)
    batch = dataset.batch(0, 1, 6)
    levels = batch.exemplars[:, 5, 5, 0].tolist()
    assert batch.searches[:, 100, 5, 0].tolist() == levels
    assert len(set(levels)) == 6


def test_batches_repeat_and_differ(pack):
    first, again = (PairDataset([pack], PairConfig(), seed=3).batch(2, 5, 4) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    dataset = PairDataset([pack], PairConfig(), seed=3)
    for other in (dataset.batch(2, 6, 4), dataset.batch(3, 5, 4)):
        assert not torch.equal(first.offsets, other.offsets)


def extents(picture):
    """Width and height, px, of what is white on black."""
    white = picture[..., 0] > 127
    return [white.any(dim=axis).sum().item() for axis in (0, 1)]


def test_sizes_are_those_of_the_painted_target(tmp_path):
    """In exemplars, searches and variants that are zoomed and stretched."""
    pack = make_pack(tmp_path, 4)
    pack.crops[:] = 0
    pack.crops[:, 175 - 20 : 175 + 21, 175 - 30 : 175 + 31] = 255
    pack.boxes[:] = (145, 155, 61, 41)
    augment = replace(PLAIN, scale=0.2, zoom=0.3, exemplar_scale=0.1, stretch=0.3, flip=0.5)
    config = PairConfig(variants=True, augment=augment)
    batch = PairDataset([pack], config, seed=0).batch(0, 0, 4)
    assert batch.variants.shape == (4, len(VARIANTS), 127, 127, 3)
    for index in range(4):
        exemplar, search = batch.exemplar_sizes[index].tolist(), batch.search_sizes[index].tolist()
        assert extents(batch.exemplars[index]) == pytest.approx(exemplar, abs=1)
        assert extents(batch.searches[index]) == pytest.approx(search, abs=1)
        for (zoom, stretch), picture in zip(VARIANTS, batch.variants[index], strict=True):
            size = [
                exemplar[0] * np.exp(stretch / 2) / zoom,
                exemplar[1] / np.exp(stretch / 2) / zoom,
            ]
            assert extents(picture) == pytest.approx(size, abs=1.2)
    ratios = batch.search_sizes.prod(1).sqrt() / batch.exemplar_sizes.prod(1).sqrt()
    shapes = batch.search_sizes[:, 0] / batch.search_sizes[:, 1]
    assert ratios.std() > 0.03
    assert shapes.std() > 0.1


def place(picture):
    """Middle ``(x, y)`` from the picture's, and width and height, px, of what is white on black."""
    rows, columns = np.nonzero(picture[..., 0].numpy() > 127)
    half = (len(picture) - 1) / 2
    middle = [(item.min() + item.max()) / 2 - half for item in (columns, rows)]
    return np.array(middle), np.array(extents(picture), float)


def test_parts_are_the_same_part_in_both_frames(tmp_path):
    """What is painted lies in both at the same place of it, as large to it."""
    pack = make_pack(tmp_path, 6, frames=2)
    pack.crops[:] = 0
    for row in range(len(pack.crops)):
        across, down = (7, 4) if row % 2 else (4, 6)
        pack.crops[row, 175 - down : 176 + down, 175 - across : 176 + across] = 255
        size = 5 * (2 * across + 1), 5 * (2 * down + 1)
        pack.boxes[row] = (175 - (size[0] - 1) / 2, 175 - (size[1] - 1) / 2, *size)
    augment = replace(PLAIN, scale=0.2, stretch=0.2, flip=0.5, part=1.0)
    batch = PairDataset([pack], PairConfig(augment=augment), seed=0).batch(0, 0, 6)
    places, sizes = [], []
    for index in range(6):
        first, size = batch.exemplar_sizes[index].numpy(), batch.search_sizes[index].numpy()
        assert context_side(*first, 0.5) == pytest.approx(127, abs=1e-3), "that of its own window"
        middle, painted = place(batch.exemplars[index])
        shown, found = place(batch.searches[index])
        shown -= batch.offsets[index].numpy()
        assert middle / first == pytest.approx(shown / size, abs=0.03)
        assert painted / first == pytest.approx(found / size, abs=0.05)
        places.append(middle / first)
        sizes.append(painted / first)
    assert np.ptp(places) > 0.5, "beside the box's middle"
    assert np.ptp(sizes) > 0.15


@pytest.mark.parametrize("part", [0.0, 1.0])
def test_coarse_frames_have_less_detail(tmp_path, part):
    """Noise of single pixels is averaged; the smaller the part, the less."""
    pack = make_pack(tmp_path, 4)
    pack.boxes[:] = (145, 145, 61, 61)
    pack.crops[:] = np.random.default_rng(0).normal(128, 40, pack.crops.shape).clip(0, 255)
    plain, seen = (
        PairDataset([pack], PairConfig(augment=augment), 0).batch(0, 0, 4)
        for augment in (replace(PLAIN, part=part), replace(PLAIN, part=part, coarse=1.0))
    )
    for name in ("exemplars", "searches"):
        sharp, soft = (getattr(item, name).float().std(dim=(1, 2, 3)) for item in (plain, seen))
        kept = soft / sharp
        assert kept.min() < 0.7
        assert kept.max() < (1.02 if part else 0.8)


def test_variants_have_their_exemplar_s_place_and_light(pack):
    augment = AugmentConfig(exemplar_shift_px=8.0, light=0.3, tint=0.2, grey=0.5)
    batch = PairDataset([pack], PairConfig(variants=True, augment=augment), 0).batch(0, 0, 6)
    for exemplar, variants in zip(batch.exemplars, batch.variants, strict=True):
        assert (variants[:, 5, 5] == exemplar[5, 5]).all()
        places = [
            [
                item.double().mean()
                for item in torch.where(picture[..., 0] > 0.7 * picture[..., 0].max())
            ]
            for picture in (exemplar, *variants)
        ]
        assert (torch.tensor(places) - torch.tensor(places[0])).abs().max() < 1
    assert PairDataset([pack], PairConfig(), 0).batch(0, 0, 2).variants.shape[1] == 0


def test_covered_searches_keep_their_target_s_middle(pack):
    augment = replace(PLAIN, shift_px=0.0, cover=1.0)
    dataset = PairDataset([pack], PairConfig(augment=augment), seed=0)
    plain = PairDataset([pack], PairConfig(augment=replace(augment, cover=0.0)), seed=0)
    changed = (dataset.batch(0, 0, 6).searches != plain.batch(0, 0, 6).searches).any(dim=-1)
    assert changed.flatten(1).any(dim=1).sum() >= 4, "unless the patch has the video's own level"
    assert not changed[:, 124:131, 124:131].any()
    assert (pack.crops[:, 174:177, 174:177] == 255).all(), "the pack itself stays"


def test_processes_share_one_batch(pack):
    dataset = PairDataset([pack], PairConfig(), seed=0)
    whole = dataset.batch(1, 2, 6)
    parts = [dataset.batch(1, 2, 6, rank, 3) for rank in range(3)]
    for index, name in enumerate(whole._fields):
        joined = torch.cat([part[index] for part in parts])
        assert torch.equal(joined, whole[index]), name


def test_frames_stay_within_the_gap(tmp_path):
    pack = make_pack(tmp_path, 1, frames=20)
    for row in range(20):
        pack.crops[row, :, :140] = 10 * row  # reaches into both windows
    config = PairConfig(max_gap=2, augment=replace(PLAIN, shift_px=0.0))
    dataset = PairDataset([pack], config, seed=0)
    gaps = set()
    for step in range(60):
        batch = dataset.batch(0, step, 1)
        first, second = (int(item[0, 5, 5, 0]) // 10 for item in batch[:2])
        gaps.add(second - first)
    assert gaps == {-2, -1, 0, 1, 2}


def test_shares_decide_how_often_a_pack_is_drawn_from(tmp_path):
    packs = [make_pack(tmp_path, 6), make_pack(tmp_path, 6)]
    packs[1].crops[:, :170] += 100
    dataset = PairDataset(packs, PairConfig(shares=(0.0, 1.0), augment=PLAIN), seed=0)
    batch = dataset.batch(0, 0, 6)
    assert batch.searches[:, 10, 5, 0].min() >= 110


def test_bad_input(pack):
    with pytest.raises(DatasetError, match="at least one pack"):
        PairDataset([], PairConfig(), 0)
    with pytest.raises(ConfigError, match="2 numbers for 1 packs"):
        PairDataset([pack], PairConfig(shares=(1.0, 2.0)), 0)
