import pytest
import torch
from seeded_network import moving_patch
from torch import nn

from dsiam_plugin.errors import ConfigError
from dsiam_plugin.models.backbones import BACKBONES, SiamFCAlexNet
from dsiam_plugin.trackers.builders import build_tracker


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.mark.parametrize(("side", "conv4", "conv5"), [(127, 8, 6), (255, 24, 22)])
def test_alexnet_sizes(side, conv4, conv5):
    levels = SiamFCAlexNet((8, 8, 8, 12, 6))(torch.rand(2, 3, side, side))
    assert levels["conv4"].shape == (2, 12, conv4, conv4)
    assert levels["conv5"].shape == (2, 6, conv5, conv5)


def test_alexnet_taps_conv4_after_its_relu_and_conv5_before():
    network = SiamFCAlexNet((8, 8, 8, 12, 6))
    network.conv4.bias.data[:6] = -10.0
    network.conv5.bias.data[:] = -10.0
    levels = network(torch.rand(1, 3, 127, 127))
    assert levels["conv4"][:, :6].eq(0).all()
    assert levels["conv4"].min() == 0
    assert levels["conv5"].max() < 0


def test_alexnet_shift_of_a_stride_shifts_the_features():
    network = SiamFCAlexNet((8, 8, 8, 12, 6))
    image = torch.rand(1, 3, 135, 135)
    first = network(image[..., :127, :127])["conv5"]
    second = network(image[..., 8:, 8:])["conv5"]
    torch.testing.assert_close(first[..., 1:, 1:], second[..., :-1, :-1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("channels", [(8, 8, 8, 8), (8, 8, 8, 7, 8), (0, 8, 8, 8, 8)])
def test_alexnet_names_widths_it_cannot_have(channels):
    with pytest.raises(ConfigError, match="five even numbers"):
        SiamFCAlexNet(channels)


# torchvision's configurations D and E, and the indices of the levels' ReLUs in its `features`.
VGGS = {
    "vgg16": ((2, 2, 3, 3, 3), {"conv4_3": 22, "conv5_3": 29}),
    "vgg19": ((2, 2, 4, 4, 4), {"conv4_4": 26, "conv5_4": 35}),
}


def torchvision_features(repeats):
    layers, width = [], 3
    for count, out in zip(repeats, (64, 128, 256, 512, 512), strict=True):
        for _ in range(count):
            layers += [nn.Conv2d(width, out, 3, padding=1), nn.ReLU()]
            width = out
        layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*layers)


@pytest.mark.parametrize("name", VGGS)
def test_vgg_gives_torchvisions_levels(name):
    repeats, taps = VGGS[name]
    with torch.device("meta"):
        theirs = torchvision_features(repeats)
        ours = BACKBONES[name]()
    # 0.05 x noise, drawn once and repeated: drawing 20 million numbers takes a second.
    noise = torch.randn(999_983) * 0.05
    state = {
        key: noise.repeat(1 + value.numel() // len(noise))[: value.numel()].view(value.shape)
        for key, value in theirs.state_dict().items()
    }
    theirs.load_state_dict(state, assign=True)
    ours.load_state_dict({f"features.{key}": value for key, value in state.items()}, assign=True)
    crops = torch.rand(1, 3, 32, 32)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    with torch.inference_mode():
        found = ours(crops * 255)
        assert found.keys() == taps.keys() == ours.levels.keys()
        for level, index in taps.items():
            expected = theirs[: index + 1]((crops - mean) / deviation)
            torch.testing.assert_close(found[level], expected, rtol=1e-3, atol=1e-4)
    assert [found[level].shape[-1] for level in taps] == [4, 2]
    assert list(ours.levels.values()) == [8, 16]


@pytest.mark.integration
@pytest.mark.parametrize("name", VGGS)
def test_vgg_of_seeded_weights_follows_a_moving_patch(name, tmp_path):
    """Up to twenty million parameters: seconds a frame on a CPU."""
    network = BACKBONES[name]()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            module.weight.data -= module.weight.data.mean(dim=(1, 2, 3), keepdim=True)
    torch.save(network.state_dict(), tmp_path / "net.pth")
    second, first = network.levels
    tracker = build_tracker(
        "DSiamM_Vgg19",
        weights=tmp_path / "net.pth",
        config={"model": {"backbone": name, "layers": [first, second]}},
        device="cpu",
    )
    images, boxes = moving_patch(5)
    tracker.init(images[0], boxes[0])
    box = [tracker.track(image).box for image in images[1:]][-1]
    assert abs(box.x - boxes[-1][0]) < 8 and abs(box.y - boxes[-1][1]) < 8
