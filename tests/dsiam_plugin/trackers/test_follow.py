import itertools

import numpy as np
import pytest
from fake_tracker import FakeTracker

from dsiam_plugin.errors import BoxError, ImageError
from dsiam_plugin.io.boxes import Box
from dsiam_plugin.io.sources import Frame
from dsiam_plugin.trackers import follow as loop
from dsiam_plugin.trackers.follow import Follower, follow

BOX = Box(10, 10, 20, 20)


def frames(count, size=(60, 80)):
    return [Frame(i, f"f{i}.png", np.full((*size, 3), i, np.uint8)) for i in range(count)]


def test_first_step_has_the_chosen_box_and_the_rest_the_trackers():
    seen = []
    pairs = list(follow(FakeTracker(lost_at=[2]), frames(3), lambda im: seen.append(im) or BOX))
    assert [step.box.x for _, step in pairs] == [10, 11, 12]
    assert pairs[0][1].answer is None
    assert [step.answer.lost for _, step in pairs[1:]] == [False, True]
    assert [frame.name for frame, _ in pairs] == ["f0.png", "f1.png", "f2.png"]
    assert len(seen) == 1
    assert (seen[0] == 0).all()


def test_no_frames_yield_nothing():
    assert list(follow(FakeTracker(), [], lambda image: BOX)) == []


@pytest.mark.parametrize("box", [(0, 0, 0, 9), (500, 0, 9, 9), (float("nan"), 0, 9, 9)])
def test_bad_box_names_the_frame(box):
    with pytest.raises(BoxError, match="^f0.png: box "):
        list(follow(FakeTracker(), frames(2), lambda image: box))


def test_answers_are_read_as_asked():
    class Pysot:
        def init(self, image, box):
            pass

        def track(self, image):
            return {"bbox": [1, 2, 3, 4]}

    class Answer:
        def __init__(self, found):
            self.box = found["bbox"]

    pairs = list(follow(Pysot(), frames(2), lambda image: BOX, Answer))
    assert pairs[1][1].box == (1, 2, 3, 4)
    assert isinstance(pairs[1][1].answer, Answer)


def test_seconds_are_those_inside_the_tracker(monkeypatch):
    clock = itertools.count()
    monkeypatch.setattr(loop.time, "perf_counter", lambda: next(clock))
    steps = [step for _, step in follow(FakeTracker(), frames(3), lambda image: BOX)]
    assert [step.seconds for step in steps] == [1, 1, 1]
    assert next(clock) == 6


def test_a_new_frame_size_scales_the_box_and_goes_on():
    larger = [Frame(i, f"f{i}.png", np.zeros((180, 160, 3), np.uint8)) for i in (2, 3)]
    tracker = FakeTracker()
    steps = [step for _, step in follow(tracker, [*frames(2), *larger], lambda image: BOX)]
    assert steps[2].box == (22, 30, 40, 60)  # 11, 10, 20, 20 with x doubled, y tripled
    assert steps[2].answer is None
    assert steps[3].box == (23, 30, 40, 60)
    assert tracker.images[0].shape == (180, 160, 3)


def test_a_tracker_that_takes_a_new_size_is_not_started_again():
    class Tolerant(FakeTracker):
        def track(self, image):
            self.images[0] = image
            return super().track(image)

    follower = Follower(Tolerant())
    follower.start(frames(1)[0].image, BOX)
    assert follower.follow(np.zeros((180, 160, 3), np.uint8)).box == (11, 10, 20, 20)


def test_an_image_refused_for_another_reason_names_the_frame():
    def refuse(frame):
        raise ImageError("too dark")

    with pytest.raises(ImageError, match="^f1.png: too dark"):
        list(follow(FakeTracker(on_track=refuse), frames(2), lambda image: BOX))
