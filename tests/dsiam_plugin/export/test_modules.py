"""The modules that are exported, run by PyTorch: whole trackers around them find the same boxes."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from onnx_tracker import OnnxTracker
from seeded_network import moving_patch, weights_for, write_weights

from dsiam_plugin.core.spectra import COMPLEX, PORTABLE
from dsiam_plugin.export.modules import FirstFrame, Frame
from dsiam_plugin.trackers.builders import build_tracker

LOSING = {"transform": {"gate": True}, "tracking": {"lost_height": 0.5}}
TRACKERS = [
    ("SiamFC", {}),
    ("DSiam", {}),
    ("DSiam", {"transform": "release"}),
    ("DSiamM", {}),
    ("DSiamM", {"transform": "release"}),
    ("DSiamBox", {}),
    ("DSiamBox", LOSING),
    ("DSiamBox", {"transform": "release"}),
    ("DSiamM-VT", {"transform": "paper"}),
    ("DSiamM_withFrame_t-1", LOSING),
    ("DSiamM", LOSING),
    ("DSiam", {"tracking": {"lost_height": 0.5, "hold": True}}),
]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("weights") / "net.npz")


class ModuleSession:
    """A module behind the face of an ONNX Runtime session."""

    crops = ("search", "target", "background")

    def __init__(self, module, tracker):
        self.module, self.network = module, tracker.network
        self.saliency = tracker._fixed.saliency[..., None].numpy()
        self.names = [(name, layer) for name, group in module.inputs.items() for layer in group]

    def get_inputs(self):
        items = {}
        for name, layer in self.names:
            item = self.module.inputs[name][layer]
            key, kind = (name, "uint8") if name in self.crops else (joined(name, layer), "float")
            items[key] = SimpleNamespace(name=key, type=f"tensor({kind})", shape=tuple(item.shape))
        return list(items.values())

    def get_outputs(self):
        self.found = self.module(self.module.inputs)
        return [
            SimpleNamespace(name=joined(name, layer))
            for name, group in self.found.items()
            for layer in group
        ]

    def run(self, names, feeds):
        values = {}
        for name, layer in self.names:
            if name not in self.crops:
                values.setdefault(name, {})[layer] = torch.from_numpy(feeds[joined(name, layer)])
            elif name not in values:
                crops = feeds[name]
                if name == "background":
                    crops = np.concatenate([crops, np.rint(crops * self.saliency).astype(np.uint8)])
                values[name] = self.network.embed(crops)
        found = self.module(values)
        items = {joined(*key): found[key[0]][key[1]] for key in pairs(found)}
        assert list(items) == names
        return [item.numpy() for item in items.values()]


def pairs(values):
    return [(name, layer) for name, group in values.items() for layer in group]


def joined(name, layer):
    return f"{name}.{layer}" if layer else name


@pytest.mark.parametrize(("name", "config"), TRACKERS)
def test_modules_find_the_boxes_of_the_tracker(weights, name, config):
    found = weights_for(name, weights)
    tracker = build_tracker(name, weights=found, config=config, device="cpu", precision="float32")
    modules = [kind(tracker.network, tracker.config) for kind in (FirstFrame, Frame)]
    ours = OnnxTracker(*(ModuleSession(module, tracker) for module in modules), tracker.config)
    images, boxes = moving_patch(7)
    images[3:5] = np.random.default_rng(0).integers(0, 256, (2, *images[0].shape), np.uint8)
    ours.init(images[0], boxes[0])
    tracker.init(images[0], boxes[0])
    losses = []
    for image in images[1:]:
        expected = tracker.track(image)
        box, score, lost = ours.track(image)
        assert box == pytest.approx(expected.box, abs=1e-3)
        assert score == pytest.approx(expected.score, rel=1e-4)
        assert lost == expected.lost
        losses.append(lost)
    if "tracking" in config:
        assert set(losses) == {True, False}, "the target is lost and found again"


def test_convolution_correlates_as_shifted_products_do():
    generator = torch.Generator().manual_seed(0)
    z_feat = torch.randn((2, 2, 5, 3, 3), generator=generator)
    x_feat = torch.randn((2, 3, 5, 8, 8), generator=generator)
    found = PORTABLE.correlate(z_feat, x_feat)
    assert found.shape == (2, 3, 2, 6, 6)
    torch.testing.assert_close(found, COMPLEX.correlate(z_feat, x_feat))
    expected = (z_feat[1, 0] * x_feat[1, 2, :, 4:7, 1:4]).sum()
    torch.testing.assert_close(found[1, 2, 0, 4, 1], expected)
