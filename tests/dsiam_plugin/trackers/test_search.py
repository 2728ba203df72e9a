from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from dsiam_plugin.config import TransformConfig
from dsiam_plugin.trackers import adaptation
from dsiam_plugin.trackers.search import SearchRegion

STEADY = TransformConfig(lambda_w=0.2, rate_w=0.3)


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def suppression(config, size=(8, 9)):
    """W of two random feature maps."""
    pair = random(2, 3, *size, seed=5)
    return adaptation.learn_suppression({"conv5": pair}, config)


@pytest.mark.parametrize("window", [False, True])
@pytest.mark.parametrize("keep_norm", [False, True])
@pytest.mark.parametrize("size", [(8, 8), (9, 9)])
def test_responses_are_those_of_the_suppressed_features(window, keep_norm, size):
    """W applied to the features, then correlated: what the spectra leave out."""
    config = replace(STEADY, window=window, keep_norm=keep_norm)
    features, exemplars = random(3, 3, *size), random(2, 3, 4, 4, seed=1)
    spectra = suppression(config, size)
    responses = SearchRegion({"conv5": features}, config).suppressed_responses(
        {"conv5": exemplars}, spectra
    )["conv5"]
    moved = adaptation.mix_transform(spectra["conv5"], features, config.rate_w, config)
    expected = torch.cat([F.conv2d(moved, exemplars[:1]), F.conv2d(features, exemplars[1:])], 1)
    torch.testing.assert_close(responses, expected, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("window", [False, True])
def test_suppression_is_learnt_from_the_scale_that_won(window):
    config = replace(STEADY, window=window)
    features = random(3, 2, 8, 8)
    highlighted = features[1:2] * random(8, 8, seed=3)
    ours = SearchRegion({"conv5": features}, config).learn_suppression(1, {"conv5": highlighted})
    pair = torch.cat([features[1:2], highlighted])
    expected = adaptation.learn_suppression({"conv5": pair}, config)
    torch.testing.assert_close(ours["conv5"], expected["conv5"], atol=1e-10, rtol=1e-10)


def test_features_are_transformed_once(monkeypatch):
    region = SearchRegion({"conv5": random(3, 3, 8, 9)}, STEADY)
    calls = []
    transform = torch.fft.rfft2

    def counted(features, *args, **kwargs):
        calls.append(tuple(features.shape))
        return transform(features, *args, **kwargs)

    monkeypatch.setattr(torch.fft, "rfft2", counted)
    spectra = suppression(STEADY)
    calls.clear()
    region.suppressed_responses({"conv5": random(2, 3, 4, 4)}, spectra)
    region.learn_suppression(0, {"conv5": random(1, 3, 8, 9)})
    assert calls.count((3, 3, 8, 9)) == 1
