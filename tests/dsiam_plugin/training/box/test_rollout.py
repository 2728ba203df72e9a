"""A clip is followed as the tracker follows it, and what the head says there is judged."""

from dataclasses import replace

import pytest
import torch
from clip_data import moving_clip
from seeded_network import write_box_weights, write_weights

from dsiam_plugin.config.variants import find_variant
from dsiam_plugin.core.boxes import corners
from dsiam_plugin.errors import CheckpointError, ConfigError
from dsiam_plugin.models.network import build_network
from dsiam_plugin.models.weights import load_weights, save_weights
from dsiam_plugin.trackers.device.step import device_start, device_step, make_constants
from dsiam_plugin.training.box.losses import overlaps
from dsiam_plugin.training.box.network import BoxConfig
from dsiam_plugin.training.box.rollout import BoxClipModel, RolloutConfig

FRAMES = 4
ANYWHERE = RolloutConfig(max_off=100.0, max_growth=100.0)
TRACKER = find_variant("DSiamBox").config("steady")
# A random network's peaks may teach too, so that V and W are there from the third frame on.
TRACKER = replace(TRACKER, transform=replace(TRACKER.transform, min_confidence=0.0))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return load_weights(write_box_weights(tmp_path_factory.mktemp("weights") / "box.safetensors"))


@pytest.fixture(scope="module")
def clip():
    return moving_clip(FRAMES, clips=2)


def model(weights, rollout=ANYWHERE, **config):
    return BoxClipModel(BoxConfig(**config), rollout, weights, TRACKER)


def tracked(weights, clip):
    """Boxes (B, T - 1, 4) of the tracker on the clip, by the device's own step."""
    network = build_network(
        TRACKER.model, TRACKER.fusion, weights, TRACKER.crop, torch.device("cpu"), torch.float32
    )
    constants = make_constants(TRACKER, network)
    first = clip.boxes[:, 0].double()
    start = torch.cat([first[:, :2] + (first[:, 2:] - 1) / 2, first[:, 2:]], dim=1)
    fill = clip.crops[:, 0].float().mean(dim=(1, 2))
    found = []
    with torch.no_grad():
        state = device_start(clip.crops[:, 0], start, fill, constants)
        for time in range(1, FRAMES):
            state, facts = device_step(clip.crops[:, time], state, constants)
            found.append(facts[:, :4])
    return torch.stack(found, dim=1)


def test_the_clip_is_followed_as_by_the_tracker(weights, clip):
    result = model(weights)(clip)
    boxes, true = (
        torch.cat([item[..., :2], item[..., :2] + item[..., 2:]], dim=-1)
        for item in (tracked(weights, clip), clip.boxes[:, 1:].double())
    )
    expected = overlaps(boxes, true)[0].mean().item()
    assert result["tracked"].item() == pytest.approx(expected, abs=1e-6)
    assert result["responses"].shape == (2, FRAMES - 1, 17, 17)
    parts = sum(result[name].item() for name in ("scores", "boxes", "quality"))
    assert result["loss"].item() == pytest.approx(parts, rel=1e-6)


def test_boxes_are_judged_where_the_window_lay(weights, clip):
    """The overlap at the best cell of the second frame, whose window is the first box's."""
    two = clip._replace(crops=clip.crops[:, :2], boxes=clip.boxes[:, :2])
    followed = model(weights)
    said = []
    judge = followed.judge
    followed.judge = lambda maps, shown: said.append((maps, shown)) or judge(maps, shown)
    result = followed(two)
    ((maps, shown),) = said
    # The target is 63.5 px wide: its search window is 255 px, and one px of it is one of the row.
    moved = clip.boxes[:, 1, :2] - clip.boxes[:, 0, :2]
    assert (shown.offsets - moved).abs().max() <= 0.51  # windows lie on whole pixels
    torch.testing.assert_close(shown.sizes, torch.full((2, 2), 63.5))
    best = maps.scores.flatten(1).argmax(1)
    found = corners(maps, shown.first_sizes, 8.0).flatten(2)[torch.arange(2), :, best]
    half = shown.sizes / 2
    true = torch.cat([shown.offsets - half, shown.offsets + half], dim=1)
    expected = overlaps(found, true)[0].mean().item()
    assert result["overlap"].item() == pytest.approx(expected, abs=1e-6)


def test_features_necks_and_head_learn_and_frozen_convolutions_do_not(weights, clip):
    followed = model(weights, frozen=("conv1", "conv2", "conv3"))
    followed(clip)["loss"].backward()
    assert followed.backbone.conv3.weight.grad is None
    learnt = [followed.backbone.conv4, *followed.necks.parameters(), *followed.head.parameters()]
    for item in learnt:
        weight = item.weight if isinstance(item, torch.nn.Module) else item
        assert weight.grad.abs().sum() > 0


def test_a_tracker_that_strays_is_put_back(weights, clip):
    """With no room at all, every window lies where the target is and is as large as it."""
    followed = model(weights, RolloutConfig(max_off=0.0, max_growth=1.0))
    seen = []
    judge = followed.judge
    followed.judge = lambda maps, shown: seen.append(shown) or judge(maps, shown)
    followed(clip)
    moved = clip.boxes[:, 1:, :2] - clip.boxes[:, :-1, :2]
    for time, shown in enumerate(seen):
        assert (shown.offsets - moved[:, time]).abs().max() <= 0.51
        torch.testing.assert_close(shown.sizes, torch.full((2, 2), 63.5))


def test_half_precision_changes_little(weights, clip):
    followed = model(weights)
    expected = followed(clip)
    with torch.autocast("cpu", torch.bfloat16):
        found = followed(clip)
    assert found["loss"].dtype == torch.float32
    assert found["loss"].item() == pytest.approx(expected["loss"].item(), rel=0.05)
    assert not found["loss"].equal(expected["loss"]), "convolutions are in half precision"


def test_its_weights_are_those_of_a_tracker(weights, tmp_path):
    made = model(weights).to_weights({"command": "test"})
    save_weights(made, tmp_path / "again.safetensors")
    again = load_weights(tmp_path / "again.safetensors")
    assert again.tensors.keys() == weights.tensors.keys()
    for name, item in weights.tensors.items():
        torch.testing.assert_close(again.tensors[name], item)


def test_what_does_not_fit_is_refused(weights, tmp_path):
    plain = load_weights(write_weights(tmp_path / "plain.npz"))
    with pytest.raises(CheckpointError, match="has no box head"):
        model(plain)
    with pytest.raises(ConfigError, match="max_growth: 0.5"):
        model(weights, RolloutConfig(max_growth=0.5))
    with pytest.raises(ConfigError, match="has no box head, expected DSiamBox"):
        BoxClipModel(BoxConfig(), ANYWHERE, weights, find_variant("DSiamM").config("steady"))
