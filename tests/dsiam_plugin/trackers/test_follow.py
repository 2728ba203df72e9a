import numpy as np
import pytest
from fake_tracker import FakeTracker

from dsiam_plugin.errors import BoxError, ImageError
from dsiam_plugin.io.boxes import Box
from dsiam_plugin.io.sources import Frame
from dsiam_plugin.trackers.follow import follow

BOX = Box(10, 10, 20, 20)


def frames(count, size=(60, 80)):
    return [Frame(i, f"f{i}.png", np.full((*size, 3), i, np.uint8)) for i in range(count)]


def test_first_entry_is_the_chosen_box_and_the_rest_the_trackers():
    seen = []
    tracked = list(follow(FakeTracker(lost_at=[2]), frames(3), lambda im: seen.append(im) or BOX))
    assert [entry.box.x for entry in tracked] == [10, 11, 12]
    assert [entry.score for entry in tracked] == [None, pytest.approx(0.9), pytest.approx(0.8)]
    assert [entry.lost for entry in tracked] == [False, False, True]
    assert [entry.frame.name for entry in tracked] == ["f0.png", "f1.png", "f2.png"]
    assert len(seen) == 1
    assert (seen[0] == 0).all()


def test_no_frames_yield_nothing():
    assert list(follow(FakeTracker(), [], lambda image: BOX)) == []


@pytest.mark.parametrize("box", [(0, 0, 0, 9), (500, 0, 9, 9), (float("nan"), 0, 9, 9)])
def test_bad_box_names_the_frame(box):
    with pytest.raises(BoxError, match="^f0.png: box "):
        list(follow(FakeTracker(), frames(2), lambda image: box))


def test_frame_of_another_size_names_the_frame():
    mixed = [*frames(2), Frame(2, "f2.png", np.zeros((60, 81, 3), np.uint8))]
    with pytest.raises(ImageError, match="^f2.png: .*expected"):
        list(follow(FakeTracker(), mixed, lambda image: BOX))
