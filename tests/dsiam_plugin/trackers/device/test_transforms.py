import pytest
import torch

from dsiam_plugin.config import TransformConfig
from dsiam_plugin.models.layers import cross_correlate
from dsiam_plugin.trackers import adaptation
from dsiam_plugin.trackers.device import transforms

CONFIGS = [
    TransformConfig(),
    TransformConfig(keep_norm=False, window=True, per_element=False),
]
TARGETS, SCALES, CHANNELS = 3, 2, 4


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def features(scales=SCALES, size=10):
    return torch.randn(TARGETS, scales, CHANNELS, size, size)


@pytest.mark.parametrize("config", CONFIGS)
def test_each_target_has_a_transform_of_its_own(config):
    source, goal, search = features(1), features(1), features()
    spectra = adaptation.learn_transform(source, goal, 0.3, config)
    mixed = transforms.mix(spectra, search, 0.4, config)
    for index in range(TARGETS):
        alone = adaptation.learn_transform(source[index], goal[index], 0.3, config)
        torch.testing.assert_close(spectra[index], alone)
        expected = adaptation.mix_transform(alone, search[index], 0.4, config)
        torch.testing.assert_close(mixed[index], expected)


@pytest.mark.parametrize(("region", "template"), [((22, 22), (6, 6)), ((9, 7), (3, 2))])
def test_correlation_meets_each_target_s_own_exemplar(region, template):
    z_feat = torch.randn(TARGETS, 1, CHANNELS, *template)
    x_feat = torch.randn(TARGETS, SCALES, CHANNELS, *region)
    responses = transforms.correlate(z_feat, x_feat)
    for index in range(TARGETS):
        expected = cross_correlate(z_feat[index], x_feat[index])[:, 0]
        torch.testing.assert_close(responses[index], expected, atol=1e-5, rtol=1e-5)


def test_highlight_lies_around_each_target():
    region = features(1, size=11)
    dx, dy = torch.tensor([0.0, 2.5, -3.0]), torch.tensor([1.0, 0.0, 4.25])
    bright = transforms.highlight(region, dx, dy, 2.5)
    for index in range(TARGETS):
        offset = (8 * dx[index].item(), 8 * dy[index].item())
        expected = adaptation.highlight({"layer": region[index]}, {"layer": 8}, offset, 20.0)
        torch.testing.assert_close(bright[index], expected["layer"])
