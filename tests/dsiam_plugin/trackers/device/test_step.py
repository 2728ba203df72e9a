"""The device's step: crops and targets of its own, the method shared with the host."""

import numpy as np
import pytest
import torch
from seeded_network import moving_patch, weights_for, write_weights
from torch.utils._python_dispatch import TorchDispatchMode

from dsiam_plugin import build_tracker
from dsiam_plugin.core.response import Fixed
from dsiam_plugin.core.spectra import COMPLEX, PAIRS
from dsiam_plugin.core.state import each, tensors_of
from dsiam_plugin.io.images import read_image
from dsiam_plugin.trackers.device.embedding import Embedding
from dsiam_plugin.trackers.device.step import Constants, device_start, device_step, make_constants

RELEASE = {"transform": "release", "tracking": {"lost_below": None}}
ALWAYS_LOST = {"transform": "release", "tracking": {"lost_below": 1e9}}
CASES = [
    ("SiamFC", None),
    ("DSiam", None),
    ("DSiamM", None),
    ("DSiamBox", None),
    ("DSiamBox", {"tracking": {"hold": True, "lost_height": 0.7}}),
    ("DSiam", RELEASE),
    ("DSiam", ALWAYS_LOST),
    ("DSiamM", {"transform": "paper", "tracking": {"lost_below": None}}),
    ("DSiamM-VT", {"transform": {"background": "crop"}}),
    ("DSiamM-BS", {"transform": {"min_confidence": 0.9}}),
    ("DSiamM_withFrame_t-1", {"transform": {"max_ambiguity": 0.1}}),
]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("weights") / "net.npz")


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.inference_mode():
        yield


def build(weights, name, config=None):
    found = weights_for(name, weights)
    return build_tracker(name, weights=found, config=config, device="cpu", precision="float32")


def frames(*images):
    return torch.from_numpy(np.stack(images))


def started(image, boxes, constants):
    """States of new targets on one image."""
    rows = [[x + (w - 1) / 2, y + (h - 1) / 2, w, h] for x, y, w, h in boxes]
    fill = torch.tensor(image.mean(axis=(0, 1))).float().expand(len(boxes), -1)
    return device_start(frames(image), torch.tensor(rows).double(), fill, constants)


@pytest.mark.parametrize(("name", "config"), CASES)
def test_boxes_are_the_host_s(weights, name, config):
    """Both run freely; crops differ by a grey level here and there."""
    tracker = build(weights, name, config)
    constants = make_constants(tracker.config, tracker.network)
    images, boxes = moving_patch(5)
    host, device = tracker.start(images[0], boxes[0]), started(images[0], boxes[:1], constants)
    for image in images[1:]:
        device, rows = device_step(frames(image), device, constants)
        host, result = tracker.step(image, host)
        assert rows[0, :4].tolist() == pytest.approx(list(result.box), abs=1)
        assert rows[0, 4].item() == pytest.approx(result.score, rel=0.02)
        assert bool(rows[0, 5]) is result.lost
    assert bool(device.target.suppressing) is bool(host.target.suppressing)


def test_the_rules_of_a_loss_were_among_the_cases(weights):
    """Else the comparison above would not see them."""
    images, boxes = moving_patch(2)
    tracker = build(weights, "DSiam", ALWAYS_LOST)
    assert tracker.step(images[1], tracker.start(images[0], boxes[0]))[1].lost


@pytest.mark.parametrize("name", ["DSiamM", "DSiamBox"])
def test_targets_do_not_touch_each_other(weights, name):
    tracker = build(weights, name)
    constants = make_constants(tracker.config, tracker.network)
    images, boxes = moving_patch(3)
    other = np.ascontiguousarray(images[1][:, ::-1])
    one, two = (started(images[0], [box], constants) for box in (boxes[0], (80, 20, 20, 30)))
    two, _ = device_step(frames(images[1]), two, constants)
    together, rows = device_step(frames(images[2], other), one + two, constants)
    for index, (image, state) in enumerate(((images[2], one), (other, two))):
        alone, row = device_step(frames(image), state, constants)
        torch.testing.assert_close(rows[index : index + 1], row, rtol=1e-4, atol=1e-3)
        for layer, item in alone.target.suppression.items():
            distance = (together.target.suppression[layer][index] - item[0]).norm()
            assert distance < 1e-3 * item[0].norm()


class HostCopies(TorchDispatchMode):
    """Notices operations on arrays of the host; single numbers travel with a launch."""

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
    state = started(images[0], boxes[:1], constants)
    network = tracker.network.to("meta")
    fixed = Fixed(*(item.to("meta") for item in constants.fixed))
    embedding = Embedding(network)
    constants = Constants(tracker.config, embedding, network.numbers(tracker.config), fixed)
    empty = type(state)(state.image_size, each(lambda item: item.to("meta"), state.target))
    image = frames(images[1]).to("meta")
    device_step(image, empty, constants)  # constants that are made on first use
    with HostCopies() as copies:
        new, rows = device_step(image, empty, constants)
    assert copies.found == []
    assert rows.shape == (1, 6)
    shapes = [(item.shape, item.dtype) for item in tensors_of(new.target)]
    assert shapes == [(item.shape, item.dtype) for item in tensors_of(state.target)]


def as_complex(spectrum):
    side = spectrum.shape[2]  # (N, H // 2 + 1, W, 2, C) of square maps
    return COMPLEX.forward(PAIRS.inverse(spectrum, (side, side)))


@pytest.mark.data
@pytest.mark.integration
@pytest.mark.parametrize("name", ["DSiam", "DSiamM"])
def test_real_frames_give_the_same_boxes(shared, name):
    """The device is put where the host is before every frame: freely, both part at a scale."""
    weights = shared / "weights" / "siamfc_3s_color.npz"
    tracker = build(weights, name)
    constants = make_constants(tracker.config, tracker.network)
    folder = shared / "data" / "otb2013" / "sequences" / "Skiing"
    images = [read_image(path) for path in sorted((folder / "img").iterdir())[:31]]
    first = (folder / "groundtruth_rect.txt").read_text().replace(",", " ").split()[:4]
    x, y, w, h = map(float, first)
    box = (x - 1, y - 1, w, h)
    host, none = tracker.start(images[0], box), started(images[0], [box], constants)
    same = []
    for image in images[1:]:
        spectra = none.target.suppression
        if host.target.suppression:  # the host keeps the same filters in another form
            spectra = {k: as_complex(item) for k, item in host.target.suppression.items()}
        target = host.target._replace(suppression=spectra, fill=host.target.fill.round().float())
        before = type(host)(host.image_size, target)
        _, rows = device_step(frames(image), before, constants)
        host, result = tracker.step(image, host)
        same.append(np.abs(np.subtract(rows[0, :4].tolist(), result.box)).max() <= 1)
    assert np.mean(same) >= 0.95
