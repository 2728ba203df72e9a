import numpy as np
import pytest
import torch
from seeded_network import moving_patch, weights_for, write_weights

from dsiam_plugin import build_tracker
from dsiam_plugin.errors import BoxError, ImageError, TrackerStateError
from dsiam_plugin.trackers.device.tracker import DeviceTracker
from dsiam_plugin.trackers.device.upload import Upload

OTHER = (80.0, 20.0, 20.0, 30.0)


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    weights = write_weights(tmp_path_factory.mktemp("weights") / "net.npz")

    def builder(name="DSiam", config=None):
        host = build_tracker(
            name,
            weights=weights_for(name, weights),
            config=config,
            device="cpu",
            precision="float32",
        )
        return host, DeviceTracker(host.network, host.config, name)

    return builder


def follow(tracker, images, box):
    tracker.init(images[0], box)
    return [tracker.track(image) for image in images[1:]]


def assert_close(results, expected):
    for result, other in zip(results, expected, strict=True):
        assert result.box == pytest.approx(tuple(other.box), abs=1)
        assert result.score == pytest.approx(other.score, rel=0.02)
        assert result.lost is other.lost


@pytest.mark.parametrize("name", ["SiamFC", "DSiam", "DSiamM", "DSiamBox"])
def test_it_tracks_as_the_host_does(build, name):
    images, boxes = moving_patch(6)
    host, device = build(name)
    assert_close(follow(device, images, boxes[0]), follow(host, images, boxes[0]))


@pytest.mark.parametrize("name", ["DSiamM", "DSiamBox"])
def test_several_targets_are_each_as_if_alone(build, name):
    _, device = build(name)
    images, boxes = moving_patch(5)
    alone = [follow(device, images, box) for box in (boxes[0], OTHER)]
    together = follow(device, images, [boxes[0], OTHER])
    assert_close([results[0] for results in together], alone[0])
    assert [results[1].box for results in together] == [
        pytest.approx(tuple(result.box), abs=0.5) for result in alone[1]
    ]


def test_targets_come_and_go(build):
    _, device = build()
    images, boxes = moving_patch(5)
    alone = follow(device, images, boxes[0])
    device.init(images[0], [])
    assert device.track(images[0]) == []
    device.add(images[0], boxes[0])
    assert len(device.track(images[1])) == 1
    device.add(images[1], OTHER)
    assert len(device.track(images[2])) == 2
    device.remove(1)
    assert_close(device.track(images[3]), alone[2:3])


def test_each_target_can_have_an_image_of_its_own(build):
    _, device = build()
    first, boxes = moving_patch(3)
    second, _ = moving_patch(3, step=(-1.0, 2.0))
    expected = [follow(device, images, boxes[0])[-1] for images in (first, second)]
    states = device.start_many([first[0], second[0]], [boxes[0]] * 2)
    for pair in zip(first[1:], second[1:], strict=True):
        states, results = device.step_many(pair, states)
    assert_close(results, expected)


def test_step_leaves_its_state_alone(build):
    _, device = build()
    images, boxes = moving_patch(3)
    state = device.start(images[0], boxes[0])
    _, first = device.step(images[1], state)
    device.step(images[2], state)
    assert device.step(images[1], state)[1] == first


def test_gray_and_alpha_frames_are_the_same_image(build):
    _, device = build("SiamFC")
    images, boxes = moving_patch(2)
    gray = [image[..., :1].repeat(3, axis=2) for image in images]
    expected = follow(device, gray, boxes[0])
    assert follow(device, [image[..., 0] for image in gray], boxes[0]) == expected


@pytest.mark.parametrize(
    "box", [(-20, -15, 40, 30), (-50, -50, 400, 400), (150, 110, 40, 40), (60, 50, 1, 1)]
)
def test_boxes_over_the_border_larger_than_the_image_or_tiny(build, box):
    images, _ = moving_patch(3)
    for name in ("DSiamM", "DSiamBox"):
        results = follow(build(name)[1], images, box)
        assert all(np.isfinite([*result.box, result.score]).all() for result in results)


def test_a_grey_frame_is_lost_and_the_target_is_not(build):
    images, boxes = moving_patch(2)
    for name in ("SiamFC", "DSiam", "DSiamBox"):
        _, device = build(name)
        first = device.start(images[0], boxes[0])
        assert device.step(np.full_like(images[0], 128), first)[1].lost
        assert not device.step(images[1], first)[1].lost


def test_wrong_use_is_named(build):
    _, device = build()
    images, boxes = moving_patch(2)
    with pytest.raises(TrackerStateError, match=r"DSiam: track\(\) before init"):
        device.track(images[0])
    with pytest.raises(BoxError, match="outside the 160x120 image"):
        device.init(images[0], (500, 0, 10, 10))
    with pytest.raises(ImageError, match="frame is 100x120, expected 160x120"):
        device.start_many([images[0], images[1][:, :100]], [boxes[0]] * 2)
    device.init(images[0], boxes[0])
    with pytest.raises(ImageError, match="frame is 100x120, expected 160x120"):
        device.track(images[1][:, :100])
    device.init(images[0], [boxes[0], OTHER])
    with pytest.raises(ImageError, match="1 images for 2 targets"):
        device.step_many(images[1:], device.state)
    with pytest.raises(ImageError, match="frame is 100x120, expected 160x120 as the other"):
        device.add(images[0][:, :100], boxes[0])


def test_uploaded_frames_are_one_tensor():
    images, _ = moving_patch(3)
    upload = Upload(torch.device("cpu"))
    first = upload(images[:2])
    upload(images[1:])
    np.testing.assert_array_equal(first, np.stack(images[:2]))


@pytest.mark.cuda
@pytest.mark.parametrize("name", ["SiamFC", "DSiam", "DSiamM", "DSiamBox"])
def test_a_gpu_with_its_graphs_gives_the_cpu_s_boxes(build, name, tmp_path):
    weights = weights_for(name, write_weights(tmp_path / "net.npz"))
    images, boxes = moving_patch(15)
    tracker = build_tracker(name, weights=weights, device="cuda", precision="float32")
    assert isinstance(tracker, DeviceTracker)
    alone = follow(tracker, images, boxes[0])
    assert_close(alone, follow(build(name)[1], images, boxes[0]))
    together = follow(tracker, images, [boxes[0]] * 3)
    for index in range(3):
        assert_close([results[index] for results in together], alone)
