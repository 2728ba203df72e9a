import pytest
import torch
from device_states import doubles

from dsiam_plugin.errors import ImageError
from dsiam_plugin.trackers.device.motion import Motion
from dsiam_plugin.trackers.device.state import TensorState, rebuilt, tensors


def state(numbers, size=(120, 160)):
    """Targets whose every tensor tells which they are."""
    column = torch.tensor(numbers)
    features = {"conv5": column.view(-1, 1, 1, 1, 1).expand(-1, 1, 2, 3, 3)}
    return TensorState(
        image_size=size,
        fill=column[:, None].expand(-1, 3),
        first_search_side=column,
        first_height=column,
        exemplar=features,
        calibrations={},
        motion=column[:, None].expand(-1, 8),
        template=features,
        target_mean=features,
        suppression={},
    )


def numbers(of):
    found = {tuple(item.flatten(1).amax(dim=1).tolist()) for item in tensors(of) if item.ndim > 1}
    assert len(found) == 1
    return list(found.pop())


def test_states_are_measured_sliced_and_joined_like_lists():
    three = state([1.0, 2.0, 3.0])
    assert len(three) == 3
    assert numbers(three[:1] + three[2:]) == [1, 3]
    assert numbers(three[1:] + state([7.0])) == [2, 3, 7]
    assert len(three[:0]) == 0
    assert numbers(three[:0] + three[1:2]) == [2]


def test_targets_of_other_frames_do_not_join():
    with pytest.raises(ImageError, match="frame is 100x80, expected 160x120 as the other targets'"):
        state([1.0]) + state([2.0], size=(80, 100))


def test_tensors_come_in_the_order_they_are_taken():
    two = state([1.0, 2.0])
    again = rebuilt(two, tensors(two))
    assert all(a is b for a, b in zip(tensors(two), tensors(again), strict=True))
    assert again.image_size == two.image_size


def test_motion_survives_packing():
    motion = Motion(
        center=doubles([[1, 2], [3, 4]]),
        target_size=doubles([[5, 6], [7, 8]]),
        search_side=doubles([9, 10]),
        lost=torch.tensor([True, False]),
        frames_outside=doubles([0, 1]),
        suppressing=torch.tensor([False, True]),
    )
    packed = motion.packed()
    assert packed.shape == (2, 8)
    for before, after in zip(motion, Motion.unpacked(packed), strict=True):
        assert torch.equal(before, after)
