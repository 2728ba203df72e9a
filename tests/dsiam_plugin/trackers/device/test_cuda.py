"""The tracker on a real GPU, through its public face, against the CPU's in float32."""

import logging

import pytest
import torch
from seeded_network import moving_patch, weights_for, write_weights

from dsiam_plugin import build_tracker
from dsiam_plugin.trackers.device.tracker import DeviceTracker

pytestmark = pytest.mark.cuda

TRACKERS = ["SiamFC", "DSiam", "DSiamM", "DSiamBox"]
FRAMES = 12  # the first ones run eagerly, the rest as a recorded graph


@pytest.fixture(autouse=True)
def no_tf32():
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("weights") / "net.npz")


def follow(tracker, images, box):
    tracker.init(images[0], box)
    return [tracker.track(image) for image in images[1:]]


def distances(results, expected):
    """Largest difference of any number of a box, px, frame by frame."""
    return [
        max(abs(one - other) for one, other in zip(a.box, b.box, strict=True))
        for a, b in zip(results, expected, strict=True)
    ]


@pytest.mark.parametrize("preset", ["steady", "release", "paper"])
@pytest.mark.parametrize("name", TRACKERS)
def test_float32_without_tf32_is_the_host_s(weights, name, preset):
    images, boxes = moving_patch(FRAMES)
    options = {"precision": "float32", "config": {"transform": preset}}
    options["weights"] = weights_for(name, weights)
    host = build_tracker(name, device="cpu", **options)
    results = follow(build_tracker(name, device="cuda", **options), images, boxes[0])
    expected = follow(host, images, boxes[0])
    assert max(distances(results, expected)) < 0.5
    for result, other in zip(results, expected, strict=True):
        assert result.score == pytest.approx(other.score, rel=1e-2)
        assert result.lost is other.lost


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("name", TRACKERS)
def test_recorded_frames_are_those_run_eagerly(weights, name, precision, caplog):
    images, boxes = moving_patch(FRAMES)
    found = weights_for(name, weights)
    tracker = build_tracker(name, weights=found, device="cuda", precision=precision)
    eager = DeviceTracker(tracker.network, tracker.config, name, graphs=False)
    with caplog.at_level(logging.WARNING):
        for targets in (boxes[0], [boxes[0], boxes[3], boxes[5]]):
            recorded = follow(tracker, images, targets)
            expected = follow(eager, images, targets)
            if targets is not boxes[0]:
                recorded, expected = (
                    [one for many in results for one in many] for results in (recorded, expected)
                )
            assert max(distances(recorded, expected)) < 1e-3
    assert not [record.getMessage() for record in caplog.records]  # a graph was recorded


@pytest.mark.parametrize("name", ["DSiamM", "DSiamBox"])
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_follows_too(weights, name, precision):
    images, boxes = moving_patch(FRAMES)
    found = weights_for(name, weights)
    tracker = build_tracker(name, weights=found, device="cuda", precision=precision)
    host = build_tracker(name, weights=found, device="cpu", precision="float32")
    near = distances(follow(tracker, images, boxes[0]), follow(host, images, boxes[0]))
    assert sorted(near)[len(near) // 2] < 2


def test_streams_with_frames_of_their_own(weights):
    first, boxes = moving_patch(FRAMES)
    second, _ = moving_patch(FRAMES, step=(-1.0, 2.0))
    tracker = build_tracker("DSiam", weights=weights, device="cuda", precision="float32")
    expected = [follow(tracker, images, boxes[0]) for images in (first, second)]
    states = tracker.start_many([first[0], second[0]], [boxes[0]] * 2)
    for index, pair in enumerate(zip(first[1:], second[1:], strict=True)):
        states, results = tracker.step_many(pair, states)
        assert max(distances(results, [one[index] for one in expected])) < 0.5


def test_old_states_stay_valid_beside_recordings(weights):
    images, boxes = moving_patch(FRAMES)
    tracker = build_tracker("DSiamM", weights=weights, device="cuda", precision="float32")
    follow(tracker, images, boxes[0])  # recorded by now
    first = tracker.start(images[0], boxes[0])
    second, expected = tracker.step(images[1], first)
    tracker.step(images[2], second)
    assert max(distances([tracker.step(images[1], first)[1]], [expected])) < 1e-3
