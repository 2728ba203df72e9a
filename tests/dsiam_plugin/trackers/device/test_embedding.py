import logging

import pytest
import torch
import torch.nn.functional as F
from seeded_network import write_weights
from torch import nn

from dsiam_plugin import build_tracker
from dsiam_plugin.trackers.device import embedding
from dsiam_plugin.trackers.device.crops import sample, windows_around
from dsiam_plugin.trackers.device.embedding import (
    Embedding,
    FusedEmbedding,
    make_embedding,
)

SIZE = 127
CENTERS = [(40.0, 30.0), (-4.0, 59.5), (79.0, 0.0)]
SIDES = [(31.0, 33.3, 127.0), (14.6, 60.0, 63.5), (15.0, 200.0, 254.0)]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("weights") / "net.npz")


def network_of(weights, device="cpu", precision="float32"):
    built = build_tracker("DSiamM", weights=weights, device=device, precision=precision)
    return built.network


def scene(images, device):
    """Frames, windows (3, 3) around three targets, and the colours beyond the border."""
    generator = torch.Generator().manual_seed(0)
    frames = torch.randint(0, 256, (images, 60, 80, 3), dtype=torch.uint8, generator=generator)
    places = (torch.tensor(item, dtype=torch.float64) for item in (CENTERS, SIDES))
    fill = torch.tensor([[10.0, 20.0, 30.0], [40.0, 50.0, 60.0], [70.0, 80.0, 90.0]])
    center, sides = (item.to(device) for item in places)
    return frames.to(device), windows_around(center, sides), fill.to(device)


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_a_convolution_in_groups_as_one(groups):
    layer = nn.Conv2d(6, 12, 3, groups=groups)
    features = torch.randn(2, 6, 8, 8)
    whole = F.conv2d(features, embedding._ungrouped(layer), layer.bias)
    torch.testing.assert_close(whole, layer(features))


@pytest.mark.parametrize("size", [31, 32])
def test_packed_weights_do_what_the_first_convolution_does(size):
    layer = nn.Conv2d(3, 8, 11, stride=2)
    crops = torch.randn(2, 3, size, size)
    packed = F.pixel_unshuffle(F.pad(crops, (0, size % 2, 0, size % 2)), 2)
    packed = F.pad(packed, (0, 0, 0, 0, 0, 4))
    result = F.conv2d(packed, embedding._packed(layer, 16), layer.bias)
    torch.testing.assert_close(result, layer(crops))


def test_without_triton_pytorch_s_operations_do_it_and_it_is_said(weights, monkeypatch, caplog):
    def refuses(network, backbone):
        raise ImportError("No module named 'triton'")

    network = network_of(weights)
    monkeypatch.setattr(embedding, "FusedEmbedding", refuses)
    monkeypatch.setattr(type(network), "device", torch.device("cuda"))
    with caplog.at_level(logging.WARNING, logger=embedding.__name__):
        assert type(make_embedding(network, kernels=True)) is Embedding
    (record,) = caplog.records
    assert record.getMessage() == "no GPU kernels, frames take longer: No module named 'triton'"


@pytest.mark.cuda
@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize("size", [126, 127])
def test_packed_crops_are_the_crops(images, size):
    from dsiam_plugin.trackers.device.kernels import packed_crops

    frames, windows, fill = scene(images, "cuda")
    expected = sample(frames, windows, fill, size).flatten(0, 1)
    expected = F.pixel_unshuffle(F.pad(expected, (0, size % 2, 0, size % 2)), 2)
    packed = packed_crops(frames, windows, fill, size, torch.float32)
    difference = (packed[:, :12] - expected).abs()
    assert difference.max() <= 1  # one rounds up where the other rounds down
    assert (difference > 0).float().mean() < 0.01
    assert not packed[:, 12:].any()


@pytest.mark.cuda
@pytest.mark.parametrize(("window", "stride"), [(1, 1), (3, 2)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_bias_relu_and_pooling_in_one_pass(dtype, window, stride):
    from dsiam_plugin.trackers.device.kernels import rectified

    features = torch.randn(2, 40, 30, 23, device="cuda").to(dtype)
    features, bias = features.to(memory_format=torch.channels_last), features[0, :, 0, 0].clone()
    expected = F.max_pool2d(torch.relu(features + bias[:, None, None]), window, stride)
    torch.testing.assert_close(rectified(features, bias, window, stride), expected)


@pytest.mark.cuda
@pytest.mark.parametrize(("precision", "near"), [("float32", 2e-3), ("bfloat16", 3e-2)])
def test_fused_features_are_the_network_s(weights, precision, near):
    network = network_of(weights, "cuda", precision)
    frames, windows, fill = scene(1, "cuda")
    with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        fused = FusedEmbedding(network, network.backbone).windows(frames, windows, fill, SIZE)
        plain = Embedding(network).windows(frames, windows, fill, SIZE)
    assert list(fused) == list(plain)
    for layer, features in fused.items():
        assert features.is_contiguous()
        assert features.dtype is torch.float32
        assert (features - plain[layer]).norm() < near * plain[layer].norm()
