import threading

import numpy as np
import pytest
from seeded_network import moving_patch, write_weights

from dsiam_plugin import build_tracker
from dsiam_plugin.errors import BoxError, ImageError, TrackerStateError
from dsiam_plugin.trackers.targets import one_each

OTHER = (80.0, 20.0, 20.0, 30.0)
OUTER = (130.0, 90.0, 40.0, 40.0)


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    weights = write_weights(tmp_path_factory.mktemp("weights") / "net.npz")

    def builder(name="DSiamM", config=None):
        return build_tracker(
            name, weights=weights, config=config, device="cpu", precision="float32"
        )

    return builder


def alone(tracker, images, box):
    tracker.init(images[0], box)
    return [tracker.track(image) for image in images[1:]]


@pytest.mark.parametrize(
    ("name", "config"), [("SiamFC", None), ("DSiamM", None), ("DSiam", {"transform": "release"})]
)
def test_several_targets_are_each_as_if_alone(build, name, config):
    tracker = build(name, config)
    images, boxes = moving_patch(5)
    targets = [boxes[0], OTHER, OUTER]
    expected = [alone(tracker, images, box) for box in targets]
    tracker.init(images[0], targets)
    assert [list(results) for results in zip(*map(tracker.track, images[1:]), strict=True)] == (
        expected
    )


def test_several_targets_share_the_passes_through_the_network(build, monkeypatch):
    tracker = build("DSiam", {"transform": {"min_confidence": 0.0}})
    images, boxes = moving_patch(2)
    tracker.init(images[0], [boxes[0], OTHER])
    batches = []
    embed = tracker.network.embed
    monkeypatch.setattr(
        tracker.network, "embed", lambda crops: batches.append(crops.shape[:2]) or embed(crops)
    )
    tracker.track(images[1])
    assert batches[0] == (6, 255)
    assert len(batches) == 2


def test_each_state_can_have_an_image_of_its_own(build):
    """Sequences of different sizes at once."""
    tracker = build("DSiam")
    small, boxes = moving_patch(3)
    large, _ = moving_patch(3, size=(150, 200), step=(-1.0, 2.0))
    expected = [alone(tracker, images, boxes[0])[-1] for images in (small, large)]
    states = tracker.start_many([small[0], large[0]], [boxes[0]] * 2)
    for pair in zip(small[1:], large[1:], strict=True):
        states, results = tracker.step_many(pair, states)
    assert results == expected


def test_targets_come_and_go(build):
    tracker = build("DSiam")
    images, boxes = moving_patch(5)
    first = alone(tracker, images, boxes[0])
    late = alone(tracker, images[2:], OTHER)
    tracker.init(images[0], [])
    assert tracker.track(images[0]) == []
    tracker.init(images[0], [boxes[0]])
    tracker.track(images[1])
    tracker.track(images[2])
    tracker.add(images[2], OTHER)
    assert tracker.track(images[3]) == [first[2], late[0]]
    tracker.remove(0)
    assert tracker.track(images[4]) == [late[1]]


@pytest.mark.parametrize("boxes", [[OTHER], (OTHER,), np.array([OTHER]), [np.array(OTHER)]])
def test_any_sequence_of_boxes_gives_a_list(build, boxes):
    tracker = build("SiamFC")
    images, _ = moving_patch(2)
    tracker.init(images[0], boxes)
    assert len(tracker.track(images[1])) == 1
    tracker.init(images[0], np.array(OTHER))
    assert tracker.track(images[1]).box.w > 0


def test_wrong_use_is_named_and_leaves_the_targets(build):
    tracker = build("DSiam")
    images, boxes = moving_patch(2)
    with pytest.raises(TrackerStateError, match=r"DSiam: add\(\) needs init\(image, boxes\)"):
        tracker.add(images[0], OTHER)
    tracker.init(images[0], boxes[0])
    with pytest.raises(TrackerStateError, match=r"remove\(\) needs init\(image, boxes\)"):
        tracker.remove(0)
    tracker.init(images[0], [boxes[0], OTHER])
    with pytest.raises(TrackerStateError, match=r"remove\(2\): there are 2 targets"):
        tracker.remove(2)
    with pytest.raises(BoxError, match="outside the 160x120 image"):
        tracker.init(images[0], [OTHER, (500, 0, 10, 10)])
    with pytest.raises(BoxError, match="expected four numbers"):
        tracker.init(images[0], [[1, 2], [3]])
    with pytest.raises(ImageError, match="frame is 100x120, expected 160x120"):
        tracker.track(images[1][:, :100])
    assert len(tracker.track(images[1])) == 2
    with pytest.raises(ImageError, match="1 images for 2 targets; expected one or one each"):
        tracker.step_many([images[1]], tracker.state)


def test_a_shared_image_is_converted_once():
    gray = np.zeros((4, 6), np.uint8)
    first, second = one_each(gray, 2)
    assert first is second
    assert first.shape == (4, 6, 3)


@pytest.mark.parametrize("image", [None, 7, "a.png", np.array(3), np.zeros(4, np.uint8), [None]])
def test_what_is_no_image_is_said_so(build, image):
    tracker = build()
    images, boxes = moving_patch(1)
    with pytest.raises(ImageError):
        tracker.init(image, boxes[0])
    for start in (boxes[0], [boxes[0]]):
        tracker.init(images[0], start)
        with pytest.raises(ImageError):
            tracker.track(image)


@pytest.mark.parametrize(
    "box", [None, 7, "box", np.array(3), (1, 2, 3), (10**400, 2, 30, 30), {"x": 1}, [[None]]]
)
def test_what_is_no_box_is_said_so(build, box):
    tracker = build()
    images, boxes = moving_patch(1)
    with pytest.raises(BoxError) as caught:
        tracker.init(images[0], box)
    assert len(str(caught.value)) < 500
    tracker.init(images[0], [boxes[0]])
    with pytest.raises(BoxError):
        tracker.add(images[0], box)


@pytest.mark.parametrize("index", ["a", None, 1.0, -1, 1, 10**400])
def test_what_is_no_place_is_said_so(build, index):
    tracker = build()
    images, boxes = moving_patch(1)
    tracker.init(images[0], [boxes[0]])
    with pytest.raises(TrackerStateError, match="there are 1 targets"):
        tracker.remove(index)


def test_init_waits_for_another_threads_track(build, monkeypatch):
    tracker = build("SiamFC", {"tracking": {"scales": 1}})
    images, boxes = moving_patch(2)
    tracker.init(images[0], boxes[0])
    step, inside, started = tracker.step, threading.Event(), threading.Event()

    def slow_step(image, state):
        inside.set()
        started.wait(0.1)  # in vain, if init waits
        return step(image, state)

    monkeypatch.setattr(tracker, "step", slow_step)
    thread = threading.Thread(target=tracker.track, args=(images[1],))
    thread.start()
    inside.wait()
    tracker.init(images[0], [boxes[0], OTHER])
    started.set()
    thread.join()
    assert len(tracker.track(images[1])) == 2
