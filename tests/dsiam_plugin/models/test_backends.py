import sys

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from seeded_network import moving_patch, weights_for, write_weights
from signal_stack import drop_signal_stack

from dsiam_plugin.errors import ConfigError, DeviceError, MissingDependencyError
from dsiam_plugin.models.backbones import VGG19, SiamFCAlexNet
from dsiam_plugin.models.devices import has_int8
from dsiam_plugin.models.layer_plan import MaxPool, layer_plan
from dsiam_plugin.models.quantization import calibration_pictures, quantize_plan
from dsiam_plugin.trackers.builders import build_tracker

LEVELS = ("conv5", "conv4")
RUNTIMES = ("onnxruntime", "openvino")
needs_vnni = pytest.mark.skipif(not has_int8(), reason="needs 8-bit dot products")


@pytest.fixture(autouse=True)
def ordinary_signal_stack():
    yield
    drop_signal_stack()


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("weights") / "net.npz")


@pytest.fixture(scope="module")
def crops():
    return calibration_pictures(2, 127)


def runtime(name):
    pytest.importorskip("onnx")
    return pytest.importorskip(name) and name


def embedded(crops, weights, **options):
    return build_tracker("DSiamM", weights=weights, device="cpu", **options).network.embed(crops)


def relative_error(found, expected):
    assert found.keys() == expected.keys()
    return max(float((found[k] - expected[k]).norm() / expected[k].norm()) for k in expected)


def exact_integers(backbone, crops):
    """The levels by whole numbers in float64, whose sums are exact."""
    steps = quantize_plan(layer_plan(backbone, LEVELS))
    following = [step.step for step in steps if not isinstance(step, MaxPool)][1:]
    x, levels = torch.from_numpy(crops).permute(0, 3, 1, 2).double(), {}
    for step in steps:
        if isinstance(step, MaxPool):
            x = F.max_pool2d(x, step.size, step.stride)
            continue
        layer, weight = step.layer, step.weight.double()
        sums = F.conv2d(x, weight, None, layer.stride, layer.padding, 1, layer.groups)
        y = sums * (step.step * step.scale.double()).view(1, -1, 1, 1)
        y = y + layer.bias.double().view(1, -1, 1, 1)
        if following:
            unit = following.pop(0)
            x = (y.relu() / unit).round().clamp(max=255)
            y = x * unit
        if layer.tap is not None:
            levels[layer.tap] = y.float()
    return levels


@needs_vnni
def test_int8_is_integer_arithmetic(weights, crops):
    network = build_tracker("DSiamM", weights=weights, device="cpu", precision="float32").network
    expected = exact_integers(network.backbone, crops)
    found = embedded(crops, weights, precision="int8")
    # Sums that lie at the middle between two units may be rounded either way.
    assert relative_error(found, expected) < 0.005


@needs_vnni
def test_int8_takes_exemplars_and_searches_in_turns(weights):
    network = build_tracker("DSiamM", weights=weights, device="cpu", precision="int8").network
    small, large = calibration_pictures(1, 127), calibration_pictures(3, 255)
    first = network.embed(large)
    assert network.embed(small)["conv5"].shape[-2:] == (6, 6)
    again = network.embed(large)
    assert all(torch.equal(first[level], again[level]) for level in first)
    assert all(item.dtype == torch.float32 for item in first.values())


@needs_vnni
def test_int8_computes_only_levels_in_use(weights, crops):
    tracker = build_tracker("DSiam", weights=weights, device="cpu", precision="int8")
    assert set(tracker.network.embed(crops)) == {"conv5"}


@needs_vnni
@pytest.mark.parametrize("name", ["DSiamM", "DSiamBox"])
def test_int8_follows_a_target(weights, name):
    images, boxes = moving_patch()
    tracker = build_tracker(name, weights=weights_for(name, weights), precision="int8")
    tracker.init(images[0], boxes[0])
    for image, box in zip(images[1:], boxes[1:], strict=True):
        found = tracker.track(image).box
        assert abs(found.x - box[0]) < 6 and abs(found.y - box[1]) < 6


@pytest.mark.parametrize("name", RUNTIMES)
def test_runtimes_give_the_features_of_pytorch(name, weights, crops):
    expected = embedded(crops, weights, precision="float32")
    found = embedded(crops, weights, precision="float32", backend=runtime(name))
    assert relative_error(found, expected) < 1e-3


@needs_vnni
@pytest.mark.parametrize("name", RUNTIMES)
def test_runtimes_give_the_integer_features_of_pytorch(name, weights, crops):
    expected = embedded(crops, weights, precision="int8")
    found = embedded(crops, weights, precision="int8", backend=runtime(name))
    assert relative_error(found, expected) < 0.05  # conv4 is not rounded there


@pytest.mark.parametrize("name", RUNTIMES)
def test_earlier_features_stay_when_more_are_embedded(name, weights, crops):
    network = build_tracker("DSiamM", weights=weights, backend=runtime(name)).network
    first = network.embed(crops)
    kept = {level: item.clone() for level, item in first.items()}
    network.embed(255 - crops)
    assert all(torch.equal(first[level], kept[level]) for level in kept)


@pytest.mark.parametrize("name", RUNTIMES)
def test_boxes_of_a_runtime_are_those_of_pytorch(name, weights):
    images, boxes = moving_patch(5)
    options = {"weights": weights, "device": "cpu", "precision": "float32"}
    ours = build_tracker("DSiamM", **options, backend=runtime(name))
    expected = build_tracker("DSiamM", **options)
    ours.init(images[0], boxes[0])
    expected.init(images[0], boxes[0])
    for image in images[1:]:
        assert ours.track(image).box == pytest.approx(expected.track(image).box, abs=1e-3)


@pytest.mark.parametrize("name", RUNTIMES)
def test_missing_package_names_the_extra(name, weights, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingDependencyError, match=r"dsiam-plugin\[onnx\]"):
        build_tracker("SiamFC", weights=weights, backend=name)


def test_int8_of_a_pytorch_without_its_kernels(monkeypatch):
    from dsiam_plugin.models.backends import int8

    def convolve(*arguments):
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(int8._Convolution, "__call__", convolve)
    with pytest.raises(DeviceError, match="does not convolve 8-bit integers"):
        int8.Int8Backbone(SiamFCAlexNet((4, 4, 4, 4, 4)), LEVELS)


def test_int8_of_another_network():
    from dsiam_plugin.models.backends.int8 import Int8Backbone

    with pytest.raises(ConfigError, match="siamfc_alexnet"):
        Int8Backbone(VGG19(), ("conv4_4",))


@needs_vnni
@pytest.mark.data
def test_int8_error_on_a_photograph(shared):
    path = shared / "weights" / "siamfc_3s_color.npz"
    frames = (shared / "data" / "otb2013" / "sequences" / "David" / "img").glob("*.jpg")
    image = cv2.cvtColor(cv2.imread(str(min(frames))), cv2.COLOR_BGR2RGB)
    crop = np.ascontiguousarray(cv2.resize(image, (255, 255)))[None]
    expected = embedded(crop, path, precision="float32")
    assert relative_error(embedded(crop, path, precision="int8"), expected) < 0.04  # a dark one
