"""The device's step beside the host's: one frame at a time, from the host's own state."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from device_states import tensor_state
from seeded_network import moving_patch, write_weights
from torch.utils._python_dispatch import TorchDispatchMode

from dsiam_plugin import build_tracker
from dsiam_plugin.io.images import read_image
from dsiam_plugin.trackers.device.motion import Motion
from dsiam_plugin.trackers.device.state import rebuilt, tensors
from dsiam_plugin.trackers.device.step import device_start, device_step, make_constants

RELEASE = {"transform": "release", "tracking": {"lost_below": None}}
ALWAYS_LOST = {"transform": "release", "tracking": {"lost_below": 1e9}}
CASES = [
    ("SiamFC", None),
    ("DSiam", None),
    ("DSiamM", None),
    ("DSiam", RELEASE),
    ("DSiam", ALWAYS_LOST),
    ("DSiamM", {"transform": "paper", "tracking": {"lost_below": None}}),
    ("DSiamM-VT", {"transform": {"background": "crop"}}),
    ("DSiamM-BS", {"transform": {"min_confidence": 0.9}}),
    ("DSiamM_withFrame_t-1", {"transform": {"max_ambiguity": 0.1}}),
]
FREE = [CASES[index] for index in (1, 3, 4, 5)]  # V and W, with and without the rules of a loss


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("weights") / "net.npz")


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.inference_mode():
        yield


def build(weights, name, config=None):
    return build_tracker(name, weights=weights, config=config, device="cpu", precision="float32")


def frames(*images):
    return torch.from_numpy(np.stack(images))


def spread(item, expected):
    """Distance of two arrays as a share of the larger one's norm."""
    largest = torch.maximum(item.norm(), expected.norm())
    return ((item - expected).norm() / largest.clamp_min(1e-9)).item()


def assert_same_state(device, host):
    """Features differ by what a grey level in the crops makes of them."""
    motion = Motion.unpacked(device.motion)
    assert motion.suppressing.item() is (host.suppression is not None)
    assert motion.lost.item() is host.lost
    assert motion.search_side.item() == pytest.approx(host.search_side)
    for layer, item in host.template.items():
        assert spread(device.template[layer][0], item) < 0.02
        if device.target_mean:
            assert spread(device.target_mean[layer][0], host.target_mean[layer]) < 0.02
    for layer, item in (host.suppression or {}).items():
        # Frequencies of little power make much of a grey level; unrelated spectra are 1.4 apart.
        assert spread(device.suppression[layer][0], item) < 0.5


@pytest.mark.parametrize(("name", "config"), CASES)
def test_a_step_finds_and_learns_what_the_host_s_does(weights, name, config):
    tracker = build(weights, name, config)
    constants = make_constants(tracker.config, tracker.network)
    suppresses = tracker.config.transform.suppression
    images, boxes = moving_patch(4)
    host = tracker.start(images[0], boxes[0])
    for image in images[1:]:
        before = tensor_state(host, suppresses)
        device, rows = device_step(frames(image), before, tracker.network, constants)
        host, result = tracker.step(image, host)
        x, y, w, h, score, lost = rows[0].tolist()
        assert (x, y, w, h) == pytest.approx(tuple(result.box), abs=1)
        assert score == pytest.approx(result.score, rel=0.01)
        assert bool(lost) is result.lost
        assert_same_state(device, host)


@pytest.mark.parametrize(("name", "config"), FREE)
def test_what_is_learnt_acts_on_later_frames_as_the_host_s(weights, name, config):
    """Run freely: the device's states are its own."""
    tracker = build(weights, name, config)
    constants = make_constants(tracker.config, tracker.network)
    images, boxes = moving_patch(5)
    host = tracker.start(images[0], boxes[0])
    device = tensor_state(host, tracker.config.transform.suppression)
    for image in images[1:]:
        device, rows = device_step(frames(image), device, tracker.network, constants)
        host, result = tracker.step(image, host)
        assert rows[0, :4].tolist() == pytest.approx(list(result.box), abs=1)
        assert rows[0, 4].item() == pytest.approx(result.score, rel=0.02)


def test_the_rules_of_a_loss_were_among_the_cases(weights):
    """Else the comparison above would not see them."""
    images, boxes = moving_patch(2)
    tracker = build(weights, "DSiam", ALWAYS_LOST)
    state, result = tracker.step(images[1], tracker.start(images[0], boxes[0]))
    assert result.lost
    assert state.suppression is None


def test_a_target_found_again_takes_its_own_search_side(weights):
    tracker = build(weights, "DSiam", RELEASE)
    constants = make_constants(tracker.config, tracker.network)
    images, boxes = moving_patch(2)
    first = tracker.start(images[0], boxes[0])
    grown = replace(first, lost=True, search_side=1.1 * first.search_side)
    device, _ = device_step(
        frames(images[1]), tensor_state(grown, True), tracker.network, constants
    )
    host, _ = tracker.step(images[1], grown)
    assert_same_state(device, host)


@pytest.mark.parametrize("name", ["SiamFC", "DSiamM"])
def test_a_new_target_is_measured_as_the_host_does(weights, name):
    tracker = build(weights, name)
    constants = make_constants(tracker.config, tracker.network)
    images, boxes = moving_patch(1)
    host = tracker.start(images[0], boxes[0])
    x, y, w, h = boxes[0]
    box = torch.tensor([[x + (w - 1) / 2, y + (h - 1) / 2, w, h]], dtype=torch.float64)
    fill = torch.tensor([host.fill])
    device = device_start(frames(images[0]), box, fill, tracker.network, constants)
    expected = tensor_state(host, tracker.config.transform.suppression)
    assert device.image_size == host.image_size
    torch.testing.assert_close(device.motion, expected.motion)
    torch.testing.assert_close(device.first_search_side, expected.first_search_side)
    torch.testing.assert_close(device.first_height, expected.first_height, rtol=0.01, atol=0)
    for layer, item in expected.exemplar.items():
        assert spread(device.exemplar[layer], item) < 0.02
    for layer, item in expected.calibrations.items():
        torch.testing.assert_close(device.calibrations[layer], item, rtol=0.01, atol=1e-3)
    assert all(not spectrum.any() for spectrum in device.suppression.values())


def test_targets_do_not_touch_each_other(weights):
    tracker = build(weights, "DSiamM")
    constants = make_constants(tracker.config, tracker.network)
    images, boxes = moving_patch(3)
    other = np.ascontiguousarray(images[1][:, ::-1])
    hosts = [tracker.start(images[0], box) for box in (boxes[0], (80, 20, 20, 30))]
    hosts[1] = tracker.step(images[1], hosts[1])[0]
    one, two = (tensor_state(host, True) for host in hosts)
    together, rows = device_step(frames(images[2], other), one + two, tracker.network, constants)
    for index, (image, state) in enumerate(((images[2], one), (other, two))):
        alone, row = device_step(frames(image), state, tracker.network, constants)
        torch.testing.assert_close(rows[index : index + 1], row, rtol=1e-4, atol=1e-3)
        for layer, item in alone.suppression.items():
            assert spread(together.suppression[layer][index], item[0]) < 1e-3


class HostCopies(TorchDispatchMode):
    """Notes operations on arrays of the host; single numbers travel with a launch."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if any(isinstance(item, torch.Tensor) and item.is_cpu and item.ndim for item in args):
            self.found.append(str(func))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(("name", "config"), CASES)
def test_no_step_looks_at_a_value_or_copies_from_the_host(weights, name, config):
    """Tensors of the meta device have no values, so a graph can record what runs on them."""
    tracker = build(weights, name, config)
    constants = make_constants(tracker.config, tracker.network)
    images, boxes = moving_patch(2)
    state = tensor_state(tracker.start(images[0], boxes[0]), tracker.config.transform.suppression)
    network = tracker.network.to("meta")
    empty = rebuilt(state, [item.to("meta") for item in tensors(state)])
    constants = type(constants)(constants[0], *(item.to("meta") for item in constants[1:]))
    image = frames(images[1]).to("meta")
    device_step(image, empty, network, constants)  # constants that are made on first use
    with HostCopies() as copies:
        new, rows = device_step(image, empty, network, constants)
    assert copies.found == []
    assert rows.shape == (1, 6)
    shapes = [(item.shape, item.dtype) for item in tensors(new)]
    assert shapes == [(item.shape, item.dtype) for item in tensors(state)]


@pytest.mark.data
@pytest.mark.integration
@pytest.mark.parametrize("name", ["DSiam", "DSiamM"])
def test_real_frames_give_the_same_boxes(shared, name):
    weights = shared / "weights" / "siamfc_3s_color.npz"
    tracker = build(weights, name)
    constants = make_constants(tracker.config, tracker.network)
    folder = shared / "data" / "otb2013" / "sequences" / "Skiing"
    images = [read_image(path) for path in sorted((folder / "img").iterdir())[:31]]
    first = (folder / "groundtruth_rect.txt").read_text().replace(",", " ").split()[:4]
    x, y, w, h = map(float, first)
    host = tracker.start(images[0], (x - 1, y - 1, w, h))
    same = []
    for image in images[1:]:
        before = tensor_state(host, True)
        _, rows = device_step(frames(image), before, tracker.network, constants)
        host, result = tracker.step(image, host)
        same.append(np.abs(np.subtract(rows[0, :4].tolist(), result.box)).max() <= 1)
    assert np.mean(same) >= 0.95
