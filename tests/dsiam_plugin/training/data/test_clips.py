from dataclasses import replace

import numpy as np
import pytest
import torch
from clip_data import SIDE, STILL, boxes, rows, write_pack

from dsiam_plugin.errors import ConfigError, DatasetError
from dsiam_plugin.training.data.clips import ClipConfig, ClipDataset
from dsiam_plugin.training.data.pack import PackGeometry, PackWriter, open_pack

MIDDLE = (SIDE - 1) / 2


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return write_pack(tmp_path_factory.mktemp("packs") / "pack", (6, 2, 4, 5))


def dataset(pack, seed=0, **changes):
    return ClipDataset([pack], ClipConfig(**{"length": 4, **changes}), seed)


def test_untouched_clips_are_successive_rows(pack):
    still = ClipDataset([pack], replace(STILL, length=4), 0)
    batch = still.batch(0, 0, 3)
    assert batch.crops.shape == (3, 4, SIDE, SIDE, 3) and batch.crops.dtype == torch.uint8
    starts = [first_row(pack, clip[0]) for clip in batch.crops]
    for clip, where, start in zip(batch.crops, batch.boxes, starts, strict=True):
        np.testing.assert_array_equal(clip.numpy(), pack.crops[start : start + 4])
        np.testing.assert_array_equal(where.numpy(), pack.boxes[start : start + 4])
    tracks = [track for track in pack.tracks if len(track) >= 4]
    found = {
        track.name for track in tracks for start in starts if track.start <= start < track.stop
    }
    assert found == {"t0", "t2", "t3"}  # each track once before any comes again


def first_row(pack, crop):
    return next(i for i, row in enumerate(pack.crops) if np.array_equal(row, crop.numpy()))


def test_short_tracks_are_skipped_and_counted(pack):
    assert dataset(pack).skipped == 1
    assert len(dataset(pack)) == 3
    assert len(dataset(pack, clips=10)) == 10
    with pytest.raises(DatasetError, match="none of 4 tracks in 1 packs has 9 frames"):
        dataset(pack, length=9)
    with pytest.raises(ConfigError, match="clips: length: 2, expected a number in"):
        dataset(pack, length=2)


def test_packs_of_two_sides_do_not_mix(pack, tmp_path):
    with PackWriter(tmp_path, PackGeometry(side=301)) as writer:
        writer.add("t", "v", range(4), rows(4, side=301), boxes(4, 301))
    with pytest.raises(DatasetError, match=r"crops of \[301, 351\] px"):
        ClipDataset([pack, open_pack(tmp_path)], ClipConfig(length=4), 0)


def test_batches_are_a_function_of_their_arguments(pack):
    first, again = dataset(pack).batch(2, 1, 2), dataset(pack).batch(2, 1, 2)
    same(first, again)
    for other in (dataset(pack).batch(3, 1, 2), dataset(pack, seed=1).batch(2, 1, 2)):
        assert not torch.equal(first.crops, other.crops)


def test_processes_share_a_batch(pack):
    data = dataset(pack, clips=8)
    whole = data.batch(0, 1, 4)
    for rank in range(2):
        part = data.batch(0, 1, 4, rank, 2)
        same(part, type(whole)(*(item[2 * rank : 2 * rank + 2] for item in whole)))


def same(one, other):
    torch.testing.assert_close(list(one), list(other), rtol=0, atol=0)


def test_boxes_follow_the_target(pack):
    """A target that is brighter than all else stays in its box through shift, zoom and flip."""
    data = dataset(pack, motion_px=8.0, zoom=0.03, start_px=0.0, light=0.0, tint=0.0, grey=0.0)
    marked = np.zeros((4, SIDE, SIDE, 3), np.uint8)
    marked[:, 150:190, 130:180] = 255
    where = np.tile(np.array([130.0, 150, 50, 40], np.float32), (4, 1))
    track = pack.tracks[2]
    crops, places = np.array(pack.crops), np.array(pack.boxes)
    crops[track.start : track.stop], places[track.start : track.stop] = marked, where
    for number in range(6):
        made, moved = data._make(
            replace(pack, crops=crops, boxes=places), track, np.random.default_rng(number)
        )
        for crop, (x, y, w, h) in zip(made, moved, strict=True):
            bright = np.argwhere(crop[..., 0] > 127)
            (top, left), (bottom, right) = bright.min(axis=0), bright.max(axis=0)
            assert (left, top) == pytest.approx((x, y), abs=1.1)
            assert (right - left + 1, bottom - top + 1) == pytest.approx((w, h), abs=1.6)


def test_walk_is_bounded_and_starts_in_the_middle(pack):
    data = dataset(pack, motion_px=30.0, max_shift_px=10.0, start_px=0.0, zoom=0.0)
    centers = data.batch(0, 0, 3).boxes
    offsets = centers[..., :2] + (centers[..., 2:] - 1) / 2 - MIDDLE
    assert offsets[:, 0].abs().max() < 1e-3
    assert offsets.abs().max() == pytest.approx(10, abs=1e-3)


def test_first_box_is_told_with_an_error(pack):
    data = dataset(pack, motion_px=0.0, zoom=0.0, start_px=3.0)
    batch = data.batch(0, 0, 3)
    errors = (batch.boxes - batch.boxes[:, 1:2])[..., :2].abs()
    assert 0 < errors[:, 0].max() <= 3
    assert errors[:, 1:].max() == 0


def test_light_is_one_for_a_clip(pack):
    """Equal pixels of two frames stay equal, whatever the change of colours."""
    data = dataset(pack, motion_px=0.0, zoom=0.0, light=0.4, tint=0.2, grey=0.5)
    track = pack.tracks[2]
    crops = np.array(pack.crops)
    crops[track.start : track.stop] = crops[track.start]
    for number in range(4):
        rng = np.random.default_rng(number)
        made, _ = data._make(replace(pack, crops=crops), track, rng)
        assert all(np.array_equal(crop, made[0]) for crop in made)
        assert not np.array_equal(made[0], crops[track.start])


def test_stride_and_reverse(pack):
    track = pack.tracks[0]  # six rows: two steps of two are the most that fit
    data = ClipDataset([pack], replace(STILL, length=3, stride=9, reverse=0.5), 0)
    drawn = {
        tuple(data._rows(track, np.random.default_rng(seed)) - track.start) for seed in range(200)
    }
    assert drawn >= {(0, 1, 2), (0, 2, 4), (1, 3, 5), (5, 3, 1)}
    assert {abs(b - a) for a, b, _ in drawn} == {1, 2}
