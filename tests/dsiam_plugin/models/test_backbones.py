import pytest
import torch

from dsiam_plugin.errors import ConfigError
from dsiam_plugin.models.backbones import VGG19, SiamFCAlexNet


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


def test_vgg19_has_torchvisions_names_and_sizes():
    network = VGG19()
    names = set(network.state_dict())
    # torchvision's last convolution is features.34, conv4_4 is features.25.
    assert {"features.0.weight", "features.25.bias", "features.34.weight"} <= names
    assert len(names) == 32
    assert network.features[25].weight.shape == (512, 512, 3, 3)
    levels = network(torch.rand(1, 3, 127, 127) * 255)
    assert levels["conv4_4"].shape == (1, 512, 15, 15)
    assert levels["conv5_4"].shape == (1, 512, 7, 7)
    assert levels["conv4_4"].min() == 0
    assert levels["conv5_4"].min() == 0
