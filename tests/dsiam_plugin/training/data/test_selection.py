"""Frames, sequences and clips: hand-worked cases of every rule."""

from pathlib import Path

import numpy as np
import pytest

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.training.data.selection import (
    CurationConfig,
    area_share,
    clip_windows,
    long_enough,
    random_clips,
    ranges,
    select_by_share,
    usable_frames,
    whole_tracks,
)
from dsiam_plugin.training.data.sources.footage import Flag, Footage, Scan


def target(boxes, frames=None, flags=0, name="v.0", sequence="v", size=(100, 50)) -> Footage:
    boxes = np.array(boxes, float).reshape(-1, 4)
    count = len(boxes)
    frames = np.arange(count) if frames is None else np.array(frames)
    flags = np.broadcast_to(np.array(flags, np.uint8), count)
    images = tuple(f"{frame}.jpg" for frame in frames)
    return Footage(name, sequence, "film", Path("x"), images, frames, boxes, flags, size)


def still(count: int, side: float = 10, **options) -> Footage:
    return target([(20, 20, side, side)] * count, **options)


def kept(footage: Footage, **options) -> tuple[list[int], dict[str, str]]:
    result = usable_frames(Scan([footage]), CurationConfig(**options))
    frames = [int(frame) for item in result.targets for frame in item.frames]
    return frames, {skip.reason: skip.detail for skip in result.skips}


def test_every_reason_a_frame_can_have():
    good = (20, 20, 10, 10)
    boxes = [good, (20, 20, 0, 10), (20, 20, 10, -3), (np.nan, 0, 1, 1), (200, 20, 10, 10), good]
    frames, reasons = kept(target([*boxes, (-6, 20, 10, 10), (-5, 20, 10, 10)]))
    assert frames == [0, 5, 7]  # half of the last box is inside, 4 of 10 px of the one before
    assert reasons == {
        "box empty": "frames 1-2",
        "box not finite": "frames 3",
        "box outside the image": "frames 4, 6",
    }


def test_flags():
    flags = [0, Flag.OCCLUDED, Flag.ABSENT, Flag.NO_IMAGE, Flag.GENERATED, 0]
    flags[2] |= Flag.OCCLUDED  # absent goes first
    frames, reasons = kept(still(6, flags=flags))
    assert frames == [0, 4, 5]
    assert reasons == {
        "target occluded": "frames 1",
        "target absent": "frames 2",
        "image missing": "frames 3",
    }
    assert kept(still(6, flags=flags), keep_occluded=True)[0] == [0, 1, 4, 5]
    frames, reasons = kept(still(6, flags=flags), drop_generated=True)
    assert frames == [0, 5] and reasons["box generated"] == "frames 4"


def test_a_target_needs_two_frames():
    frames, reasons = kept(still(3, flags=[0, Flag.ABSENT, Flag.ABSENT]))
    assert frames == [] and reasons["no usable frames"] == "1 of 3 frames"


def test_area_share_is_the_median():
    boxes = [(0, 0, 10, 10), (0, 0, 20, 10), (0, 0, 50, 50)]
    assert area_share(target(boxes)) == pytest.approx(200 / 5000)


def test_sequences_with_the_smallest_targets_are_kept_whole():
    targets = [
        still(2, 10, name="a.0", sequence="a"),  # 0.02
        still(2, 20, name="b.0", sequence="b"),  # 0.08
        still(2, 5, name="b.1", sequence="b"),  # 0.005
        still(2, 8, name="c.0", sequence="c"),  # 0.0128
        still(2, 50, name="c.1", sequence="c"),  # 0.5, the limit
        still(2, 51, name="b.2", sequence="b"),  # 0.5202
        still(2, 2, name="d.0", sequence="d"),  # 0.0008
    ]
    chosen, skips = select_by_share(targets, CurationConfig(sequences=2))
    assert [item.name for item in chosen] == ["b.0", "b.1", "c.0", "c.1"]
    assert {skip.where: skip.reason for skip in skips} == {
        "b.2": "target too large",
        "d.0": "target too small",
        "a.0": "enough sequences",
    }
    everything, _ = select_by_share(targets, CurationConfig(sequences=0, max_share=1, min_share=0))
    assert len(everything) == 7


def test_whole_tracks_take_a_stride_and_at_most_so_many():
    [track] = whole_tracks([still(100)], CurationConfig(clips=None, stride=3))
    assert track.frames.tolist() == list(range(0, 100, 3))
    [track] = whole_tracks([still(101)], CurationConfig(clips=None, max_frames=5))
    assert track.frames.tolist() == [0, 25, 50, 75, 100]
    assert len(track.images) == len(track.boxes) == 5 and track.images[1] == "25.jpg"


def test_clips_are_successive_disjoint_and_all_of_them_are_found():
    frames = [*range(10, 35), *range(40, 49), *range(60, 90)]  # 25, 9 and 30: 2 + 0 + 3 clips
    clips = list(random_clips([still(64, frames=frames)], CurationConfig()))
    assert len(clips) == 5
    assert len({clip.name for clip in clips}) == 5
    used = np.concatenate([clip.frames for clip in clips])
    assert len(set(used.tolist())) == 50
    for clip in clips:
        assert clip.frames.tolist() == list(range(clip.frames[0], clip.frames[0] + 10))
        assert clip.name == f"v.0@{clip.frames[0]}"


def test_clips_with_a_stride():
    config = CurationConfig(clip_length=3, stride=4)
    [clip] = random_clips([still(9)], config)
    assert clip.frames.tolist() == [0, 4, 8]
    assert list(random_clips([still(8)], config)) == []


def test_each_target_gives_a_clip_before_any_gives_two():
    targets = [still(60, name=name) for name in "abc"]
    names = [clip.name[0] for clip in random_clips(targets, CurationConfig())]
    assert len(names) == 18
    assert all(sorted(names[place : place + 3]) == ["a", "b", "c"] for place in range(0, 18, 3))
    assert len({tuple(names[place : place + 3]) for place in range(0, 18, 3)}) > 1


def test_the_seed_decides_the_clips():
    def draw(seed):
        clips = random_clips([still(64), still(64, name="w")], CurationConfig(seed=seed))
        return [clip.name for clip in clips]

    assert draw(1) == draw(1) != draw(2)


def test_windows_start_anywhere_that_costs_no_clip():
    config = CurationConfig()
    starts = {
        int(clip_windows(np.arange(25), config, np.random.default_rng(seed))[0][0])
        for seed in range(60)
    }
    assert starts == {0, 1, 2, 3, 4, 5}


def test_short_targets_are_listed():
    broken = still(12, frames=[*range(7), *range(8, 13)], name="broken")
    long, skips = long_enough([still(10), broken], CurationConfig())
    assert [item.name for item in long] == ["v.0"]
    [skip] = skips
    assert (skip.reason, skip.where, skip.detail) == (
        "too short for a clip",
        "broken",
        "7 of 10 successive frames",
    )


def test_ranges():
    assert ranges(np.array([3, 4, 5, 9])) == "3-5, 9"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"clips": 0, "seed": -1}, ["clips: 0, expected a number in [1, 1e9]", "seed: -1"]),
        ({"clip_length": 1}, ["clip_length: 1, expected a number in [2, 1e6]"]),
        ({"stride": 0, "max_frames": 1}, ["stride: 0", "max_frames: 1"]),
        ({"min_share": 0.6}, ["min_share: 0.6, expected at most max_share (0.5)"]),
        ({"min_share": float("nan")}, ["min_share: nan"]),
        ({"min_inside": 0}, ["min_inside: 0"]),
    ],
)
def test_values_out_of_range_are_all_named(options, words):
    with pytest.raises(DatasetError) as caught:
        CurationConfig(**options)
    assert all(word in str(caught.value) for word in words)
