import os
import signal
from dataclasses import replace

import pytest
import torch
from clip_data import box_model, box_pairs, noise_pairs
from tiny_training import CONFIG, tiny_job

from dsiam_plugin.config import CropConfig
from dsiam_plugin.config.variants import find_variant
from dsiam_plugin.core.boxes import corners, distinguish, gather
from dsiam_plugin.core.spectra import PAIRS
from dsiam_plugin.errors import CheckpointError, ConfigError
from dsiam_plugin.models.network import build_network
from dsiam_plugin.models.weights import load_weights, save_weights
from dsiam_plugin.training.box.losses import overlaps
from dsiam_plugin.training.box.network import BoxConfig
from dsiam_plugin.training.box.stage import BoxModel
from dsiam_plugin.training.run.checkpoints import load_checkpoint
from dsiam_plugin.training.run.engine import Trainer
from dsiam_plugin.training.run.interrupts import Stopped


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return box_pairs(tmp_path_factory.mktemp("pack") / "pack")


@pytest.fixture
def model(pairs, tmp_path):
    return box_model(tmp_path, pairs.batch(0, 0, 4))


def test_losses_are_finite_parts_of_one(model, pairs):
    outputs = model(pairs.batch(0, 1, 4))
    parts = ["scores", "contrast", "others", "boxes", "quality"]
    assert outputs["loss"].item() == pytest.approx(sum(outputs[name].item() for name in parts))
    assert all(outputs[name].isfinite() and outputs[name] > 0 for name in parts)
    assert 0 <= outputs["overlap"] <= 1
    assert outputs["responses"].shape == (4, 9, 9)
    assert not outputs["responses"].requires_grad


def test_a_batch_is_learnt(model, pairs):
    """Boxes too, whose overlap is that of the best cell's."""
    batch = pairs.batch(0, 0, 4)
    optimizer = torch.optim.Adam([item for item in model.parameters() if item.requires_grad], 5e-3)
    losses = []
    for _ in range(12):
        outputs = model(batch)
        optimizer.zero_grad()
        outputs["loss"].backward()
        optimizer.step()
        losses.append((outputs["loss"].item(), outputs["boxes"].item()))
    assert losses[-1][0] < 0.9 * losses[0][0]
    assert losses[-1][1] < losses[0][1]


def test_what_is_frozen_has_no_gradient_and_the_rest_has(model, pairs):
    model(pairs.batch(0, 1, 4))["loss"].backward()
    for name, item in model.named_parameters():
        if name.startswith(("backbone.conv1", "backbone.conv2")):
            assert item.grad is None, name
        else:
            assert item.grad.abs().max() > 0, name
    learning = {id(item) for item in model.parameters() if item.requires_grad}
    grouped = [id(item) for group in model.parameter_groups() for item in group["params"]]
    assert sorted(grouped) == sorted(learning)


def test_necks_start_where_the_features_power_is(pairs, tmp_path):
    """The eight strongest directions, all at one scale."""
    batch = pairs.batch(0, 0, 4)
    model = box_model(tmp_path, batch).requires_grad_(False)
    levels = model.backbone(batch.searches.permute(0, 3, 1, 2).float())
    for layer, item in model.necks(levels).items():
        assert item.square().mean().item() == pytest.approx(1, rel=1e-3)
        weight = model.necks.get_submodule(layer).weight[:, :, 0, 0]
        gram = weight @ weight.T
        torch.testing.assert_close(gram, gram[0, 0] * torch.eye(8), atol=1e-3, rtol=1e-3)
        cells = levels[layer].permute(0, 2, 3, 1).flatten(0, 2)
        powers = torch.linalg.svdvals(cells).square()
        kept = item.square().sum() / gram[0, 0] / powers.sum()
        assert kept.item() == pytest.approx((powers[:8].sum() / powers.sum()).item(), rel=1e-3)


def test_the_tracker_s_network_is_that_of_training(model, pairs, tmp_path):
    """The same boxes after a round through a file."""
    batch = pairs.batch(0, 2, 4)
    expected = model(batch)
    weights = model.to_weights({"command": "test"})
    assert weights.has_box_head
    save_weights(weights, tmp_path / "box.safetensors")
    again = load_weights(tmp_path / "box.safetensors")
    assert again.tensors.keys() == weights.tensors.keys()
    assert again.config["origin"]["command"] == "test"
    config = find_variant("DSiamBox").config("steady")
    crop = CropConfig(search_size=191)
    network = build_network(
        config.model, config.fusion, again, crop, torch.device("cpu"), torch.float32
    )
    z_feat, x_feat = (network.embed(item.numpy()) for item in batch[:2])
    made = network.embed(batch.variants.flatten(0, 1).numpy())
    bank = {
        layer: distinguish(torch.cat([item[:, None], made[layer].unflatten(0, (4, -1))], dim=1))
        for layer, item in z_feat.items()
    }
    maps = network.box_head(gather(z_feat, x_feat, z_feat, bank, PAIRS))
    torch.testing.assert_close(maps.scores, expected["responses"], atol=1e-4, rtol=1e-4)
    best = maps.scores.flatten(1).argmax(1)
    half = batch.search_sizes / 2
    true = torch.cat([batch.offsets - half, batch.offsets + half], dim=1)
    found = corners(maps, batch.exemplar_sizes, 8.0).flatten(2)[torch.arange(4), :, best]
    assert overlaps(found, true)[0].mean().item() == pytest.approx(
        expected["overlap"].item(), abs=1e-4
    )


def test_a_box_network_trains_without_variants_too(pairs, tmp_path):
    assert box_model(tmp_path, pairs.batch(0, 0, 4))(noise_pairs())["loss"].isfinite()


def test_it_goes_on_with_necks_and_head_where_the_weights_have_them(model, pairs, tmp_path):
    """Whatever the configuration says of their channels."""
    weights, batch = model.to_weights({}), pairs.batch(0, 0, 4)
    again = BoxModel(replace(model.config, channels=20, hidden=9), weights, batch)
    expected, found = model(batch), again(batch)
    for name in ("responses", "loss", "boxes", "quality"):
        torch.testing.assert_close(found[name], expected[name])
    with pytest.raises(CheckpointError, match=r"not the box head of conv5\+conv4 .*fusion"):
        BoxModel(replace(model.config, cells=11), weights, batch)


def test_what_is_shown_of_a_training(model):
    assert model.scalars() == pytest.approx({"scale.conv5": 10, "scale.conv4": 10})
    maps = model.maps()
    torch.testing.assert_close(sum(maps.values()), torch.ones(9, 9))
    with pytest.raises(ConfigError, match="ignore_px: 8"):
        BoxModel(BoxConfig(ignore_px=8.0), None, None)


class Breaking:
    """Pairs; sends this process a signal while it makes a batch of the second pass."""

    def __init__(self, pairs, breaks):
        self.pairs, self.breaks = pairs, breaks

    def __len__(self):
        return 16

    def batch(self, epoch, step, *share):
        if self.breaks and (epoch, step) == (1, 2):
            os.kill(os.getpid(), signal.SIGTERM)
        return self.pairs.batch(epoch, step, *share)


def test_resumed_after_a_signal_equals_unbroken(pairs, tmp_path):
    config = replace(CONFIG, epochs=2, optimizer=replace(CONFIG.optimizer, lr=1e-3))

    def trainer(name, breaks=False):
        model = box_model(tmp_path, pairs.batch(0, 0, 4))
        return Trainer(
            tiny_job(tmp_path / name, config, model=model, dataset=Breaking(pairs, breaks))
        )

    whole = trainer("whole")
    whole.run()
    with pytest.raises(Stopped):
        trainer("broken", breaks=True).run()
    again = trainer("broken")
    again.resume()
    again.run()
    one, other = (
        load_checkpoint(tmp_path / name / "last.pt").learner["model"]
        for name in ("whole", "broken")
    )
    assert one.keys() == other.keys()
    assert all(one[name].equal(other[name]) for name in one)
    start = box_model(tmp_path, pairs.batch(0, 0, 4)).state_dict()
    assert not one["head.enter.weight"].equal(start["head.enter.weight"]), "something was learnt"
