import pytest
import torch
from clip_data import noise_pairs
from seeded_network import CHANNELS, write_weights

from dsiam_plugin.errors import CheckpointError
from dsiam_plugin.models.backbones import SiamFCAlexNet
from dsiam_plugin.models.weights import load_weights
from dsiam_plugin.training.run.warm_start import start_from
from dsiam_plugin.training.siamese.stage import SiameseConfig, SiameseModel


def batch(count=4):
    return noise_pairs(count, seed=1, sizes=(87, 127))


@pytest.fixture
def weights(tmp_path):
    return load_weights(write_weights(tmp_path / "weights.npz"))


def test_the_network_computes_what_the_folded_one_did(weights):
    """Folded again, and normalised by the statistics of the batch it was started on."""
    torch.manual_seed(0)
    model = SiameseModel(SiameseConfig(channels=CHANNELS))
    start_from(model, weights, batch())
    plain = SiamFCAlexNet(CHANNELS)
    plain.load_state_dict(dict(weights.tensors))
    pixels = batch().searches.permute(0, 3, 1, 2).float()
    with torch.no_grad():
        expected = plain(pixels)
        folded = SiamFCAlexNet(CHANNELS)
        folded.load_state_dict(model.to_weights({}).tensors)
        again = folded(pixels)
        trained = model.backbone((pixels - 128) / 64)  # moves the running statistics
    for layer in ("conv4", "conv5"):
        scale = expected[layer].abs().max()
        assert (again[layer] - expected[layer]).abs().max() < 1e-4 * scale
        assert (trained[layer] - expected[layer]).abs().max() < 1e-2 * scale


def test_the_adjust_is_taken_over(weights):
    model = SiameseModel(SiameseConfig(channels=CHANNELS))
    start_from(model, weights, batch())
    assert model.training
    with torch.no_grad():
        found = model.scalars()
    assert found == pytest.approx({"scale.conv5": 0.001, "bias.conv5": -2.14836})


def test_other_widths_are_refused(weights):
    with pytest.raises(CheckpointError, match=r"conv1.weight is \(16, .*expected \(8, "):
        start_from(SiameseModel(SiameseConfig(channels=(8, 16, 16, 16, 8))), weights, batch())
