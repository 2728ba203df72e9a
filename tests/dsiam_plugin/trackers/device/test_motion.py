import pytest
import torch
from device_states import doubles

from dsiam_plugin.config import TrackerConfig, TrackingConfig, TransformConfig
from dsiam_plugin.trackers import state
from dsiam_plugin.trackers.device.crops import windows_around
from dsiam_plugin.trackers.device.motion import (
    Motion,
    Peaks,
    displaced,
    is_lost,
    is_trusted,
    recentered,
    resized,
    results,
)

OFF = torch.zeros(2, dtype=torch.bool)


def motion(centers, sizes, sides=(100.0, 100.0), lost=OFF, outside=(0.0, 0.0)):
    return Motion(doubles(centers), doubles(sizes), doubles(sides), lost, doubles(outside), OFF)


def peaks(**fields):
    zeros = dict.fromkeys(Peaks._fields, torch.zeros(2))
    return Peaks(**{**zeros, "scale": torch.zeros(2, dtype=torch.int64), **fields})


def test_the_winning_window_s_scale_and_middle_count():
    windows = windows_around(doubles([(50, 40), (20, 20)]), doubles([[51, 85], [51, 85]]))
    found = peaks(
        scale=torch.tensor([0, 1]), dx=torch.tensor([1.0, 0.0]), dy=torch.tensor([0.0, -2.0])
    )
    crop = TrackerConfig().crop
    # A cell of stride 8 is 8 * 51 / 255 = 1.6 px of the small window, 8 * 85 / 255 of the large.
    moved = displaced(windows, found, 8, crop)
    torch.testing.assert_close(moved, doubles([(51.6, 40), (20, 20 - 16 / 3)]))


def test_lost_by_height_or_by_score():
    found = peaks(height=torch.tensor([2.9, 3.1]), score=torch.tensor([5.0, -1.0]))
    first = torch.tensor([10.0, 10.0])
    assert is_lost(found, first, TrackingConfig(lost_height=0.3)).tolist() == [True, False]
    rule = TrackingConfig(lost_height=0.0, lost_below=-1.0)
    assert is_lost(found, first, rule).tolist() == [False, True]


def test_trusted_frames_are_unambiguous_and_high():
    found = peaks(height=torch.tensor([5.0, 5.0]), ambiguity=torch.tensor([0.5, 0.7]))
    first = torch.tensor([10.0, 10.0])
    rule = TransformConfig(max_ambiguity=0.6)
    assert is_trusted(found, first, rule).tolist() == [True, False]
    rule = TransformConfig(max_ambiguity=1.0, min_confidence=0.5)
    assert is_trusted(found, torch.tensor([10.0, 10.1]), rule).tolist() == [True, False]


@pytest.mark.parametrize("outside", [0, 1])
@pytest.mark.parametrize(
    "center",
    [(60, 50), (-9, 50), (-10, 50), (169, 60), (170, 60), (80, -30), (80, 135), (-50, 500)],
)
def test_recentering_is_the_host_s(center, outside):
    height, width = 120, 160
    both = motion([center] * 2, [(20, 30)] * 2, outside=(outside, outside))
    moved = recentered(both, (height, width))
    one = state.TrackerState(
        **{
            **dict.fromkeys(state.TrackerState.__dataclass_fields__),
            "image_size": (height, width),
            "center": center,
            "target_size": (20, 30),
            "frames_outside": outside,
        }
    )
    expected = state.recentered(one)
    assert moved.center.tolist() == [list(expected.center)] * 2
    assert moved.frames_outside.tolist() == [expected.frames_outside] * 2


def test_sizes_follow_the_scale_and_stay_within_bounds():
    config = TrackerConfig(
        tracking=TrackingConfig(min_search=0.5, max_search=2.0),
        transform=TransformConfig(lost_growth=1.5),
    )
    before = motion([(0, 0)] * 2, [(10, 20)] * 2)
    for factor, first, side in ((1.1, 100, 110), (1.1, 50, 100), (0.9, 200, 100)):
        after = resized(before, doubles([factor] * 2), OFF, doubles([first] * 2), config)
        torch.testing.assert_close(after.target_size, doubles([(10 * factor, 20 * factor)] * 2))
        torch.testing.assert_close(after.search_side, doubles([side] * 2))
    frozen = torch.tensor([True, False])
    after = resized(before, doubles([1.1] * 2), frozen, doubles([100] * 2), config)
    torch.testing.assert_close(after.target_size, doubles([(10, 20), (11, 22)]))
    torch.testing.assert_close(after.search_side, doubles([150, 110]))


def test_results_are_box_score_and_lost():
    here = motion([(10, 20), (0, 0)], [(5, 7), (1, 1)], lost=torch.tensor([False, True]))
    rows = results(here, torch.tensor([0.5, 2.0])).tolist()
    assert rows == [[8, 17, 5, 7, 0.5, 0], [0, 0, 1, 1, 2, 1]]
