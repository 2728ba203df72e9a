import pytest
import torch
import torch.nn.functional as F
from clip_data import noise_pairs as batch

from dsiam_plugin.errors import ConfigError
from dsiam_plugin.models.backbones import SiamFCAlexNet
from dsiam_plugin.training.data.pairs import PairBatch
from dsiam_plugin.training.siamese.labels import response_labels
from dsiam_plugin.training.siamese.losses import contrast_loss, logistic_loss
from dsiam_plugin.training.siamese.stage import SiameseConfig, SiameseModel

CHANNELS = (4, 8, 8, 8, 6)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return SiameseModel(SiameseConfig(channels=CHANNELS, contrast=0.5, group=2))


def pooled_like_the_tracker(backbone, crops):
    """Features of the plain network with folded weights."""
    plain = SiamFCAlexNet(CHANNELS)
    plain.load_state_dict(backbone.folded())
    return plain(crops.permute(0, 3, 1, 2).float())


def test_folding_keeps_the_features(model):
    with torch.no_grad():
        for norm in model.backbone.norms:  # statistics and gains that folding must respect
            norm.running_mean.normal_(0, 0.3)
            norm.running_var.uniform_(0.5, 2)
            norm.weight.uniform_(0.5, 2)
            norm.bias.normal_(0, 0.3)
        model.eval()
        crops = batch().searches
        expected = model.backbone((crops.permute(0, 3, 1, 2).float() - 128) / 64)
        folded = pooled_like_the_tracker(model.backbone, crops)
    for layer in ("conv4", "conv5"):
        scale = expected[layer].abs().max()
        assert (folded[layer] - expected[layer]).abs().max() < 1e-4 * scale


def test_gains_before_a_maximum_stay_positive(model):
    with torch.no_grad():
        model.backbone.norms[0].weight.fill_(-1)
        model.backbone.norms[2].weight.fill_(-1)
    model(batch())
    assert (model.backbone.norms[0].weight > 0).all()
    assert (model.backbone.norms[2].weight == -1).all()  # no pooling there


def test_loss_is_that_of_the_groups(model):
    """Each group of two by hand: responses of all four combinations."""
    model.eval()
    pairs = batch()
    out = model(pairs)
    with torch.no_grad():
        z, x = (
            model.backbone((crops.permute(0, 3, 1, 2).float() - 128) / 64)["conv5"]
            for crops in (pairs.exemplars, pairs.searches)
        )
        scale, bias = model.log_scale["conv5"].exp(), model.bias["conv5"]
        size = 9
        labels = response_labels(pairs.offsets, size, 8, 16)
        expected, own = 0.0, []
        for start in (0, 2):
            rows = []
            for i in (start, start + 1):
                row = [F.conv2d(x[j : j + 1], z[i : i + 1])[0, 0] for j in (start, start + 1)]
                rows.append(torch.stack(row) * scale + bias)
                own.append(rows[-1][i - start])
            expected += 0.5 * contrast_loss(torch.stack(rows), labels[start : start + 2]) / 2
        expected += logistic_loss(torch.stack(own), labels)
    assert out["responses"].shape == (4, size, size)
    torch.testing.assert_close(out["responses"], torch.stack(own), atol=1e-4, rtol=1e-4)
    assert out["loss"].item() == pytest.approx(float(expected), rel=1e-4)


def test_loss_is_the_mean_of_its_groups_so_processes_may_share_them(model):
    model.eval()
    pairs = batch()
    halves = [PairBatch(*(item[part] for item in pairs)) for part in (slice(0, 2), slice(2, 4))]
    together = model(pairs)["loss"].item()
    assert together == pytest.approx(sum(model(half)["loss"].item() for half in halves) / 2)


def test_a_few_steps_learn_a_batch():
    torch.manual_seed(0)
    model = SiameseModel(SiameseConfig(channels=CHANNELS, contrast=1.0, group=4))
    pairs = batch()
    # the search shows its exemplar in the middle
    pairs.searches[:, 32:159, 32:159] = pairs.exemplars
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    losses = []
    for _ in range(12):
        out = model(pairs)
        optimizer.zero_grad()
        out["loss"].backward()
        optimizer.step()
        losses.append(out["loss"].item())
    assert losses[-1] < 0.6 * losses[0]
    assert out["miss"] == 0


def test_weights_leave_with_the_first_layers_head(model):
    weights = model.to_weights({"recipe": "test"})
    assert weights.head == (pytest.approx(10 / (6 * 36)), -3.0)
    assert weights.config == {"origin": {"recipe": "test"}}
    assert set(weights.tensors) == {
        f"conv{index}.{part}" for index in range(1, 6) for part in ("weight", "bias")
    }


def test_only_convolutions_decay(model):
    groups = {group["name"]: group for group in model.parameter_groups()}
    assert [name for name, group in groups.items() if group["weight_decay"]] == ["features"]
    listed = sum(len(group["params"]) for group in groups.values())
    assert listed == len(list(model.parameters()))


def test_unknown_layer():
    with pytest.raises(ConfigError, match="conv7, expected some of conv4, conv5"):
        SiameseModel(SiameseConfig(channels=CHANNELS, layers={"conv7": 1.0}))
