from dataclasses import replace

import pytest
import torch
from clip_data import clip_model, gradient_norm, moving_clip, tracker_config

from dsiam_plugin.config.files import load_config
from dsiam_plugin.config.variants import find_variant
from dsiam_plugin.errors import CheckpointError, ConfigError
from dsiam_plugin.models.weights import Weights, load_weights, save_weights
from dsiam_plugin.training.data.clips import ClipBatch
from dsiam_plugin.training.joint.stage import ClipModel, JointConfig
from dsiam_plugin.training.siamese.labels import response_labels

FRAMES = 4


@pytest.fixture(scope="module")
def clip() -> ClipBatch:
    return moving_clip(FRAMES, clips=2)


def outputs(tmp_path, clip, preset="steady", **joint):
    model = clip_model(tmp_path, tracker_config("DSiamM", preset), **joint)
    return model, model(clip)


def test_loss_is_the_mean_over_clips_of_the_sum_over_frames(tmp_path, clip):
    """Eq. 10 on responses and label maps, cell by cell."""
    model, result = outputs(tmp_path, clip, balance=False)
    assert result["responses"].shape == (2, FRAMES - 1, 17, 17)
    still = ClipBatch(
        clip.crops[:, :1].expand(-1, 3, -1, -1, -1), clip.boxes[:, :1].expand(-1, 3, -1)
    )
    held = model(still)
    # the target and the tracker stay in the middle, so every label map is the centred one
    (labels,) = response_labels(torch.zeros(1, 2), 17, 8, 16.0)
    expected = 0.0
    for response in held["responses"].flatten(0, 1):
        for value, label in zip(
            response.flatten().tolist(), labels.flatten().tolist(), strict=True
        ):
            expected += float(torch.log1p(torch.exp(torch.tensor(-label * value).double())))
    assert held["loss"].item() == pytest.approx(expected / 289 / 2, rel=1e-4)
    mean = replace(model.config, frames="mean")
    model.config = mean
    assert model(still)["loss"].item() == pytest.approx(expected / 289 / 4, rel=1e-4)


def test_last_frame_reaches_the_first_frames_features_and_lambda(tmp_path, clip):
    result, first, lambdas = last_frame(tmp_path, clip, None)
    assert gradient_norm(result, first) > 0
    assert all(gradient_norm(result, item) > 0 for item in lambdas)


def test_truncation_cuts_the_gradient_to_earlier_frames(tmp_path, clip):
    result, first, lambdas = last_frame(tmp_path, clip, 1)
    assert gradient_norm(result, first) == 0
    assert all(gradient_norm(result, item) == 0 for item in lambdas)
    result, first, lambdas = last_frame(tmp_path, clip, 2)  # windows of frames 2-3 and 4
    assert gradient_norm(result, first) == 0


def last_frame(tmp_path, clip, truncate):
    """The last frame's mean response, the first frame's features, all ridge weights."""
    model = clip_model(tmp_path, tracker_config(), truncate=truncate)
    embedded, judged = [], []
    embed, judge = model.embed, model._judge

    def spy_embed(pixels, dtype):
        features = embed(pixels, dtype)
        embedded.append(features)
        return features

    model.embed = spy_embed
    model._judge = lambda seen, annotated: judged.append(seen) or judge(seen, annotated)
    model(clip)
    lambdas = list(model.learnables.log_lambda.parameters())
    return judged[0][-1].responses.square().mean(), embedded[0]["conv5"], lambdas


@pytest.mark.parametrize("preset", ["steady", "paper"])
def test_checkpointing_changes_nothing(tmp_path, clip, preset):
    clip = ClipBatch(clip.crops[:1], clip.boxes[:1])
    gradients = []
    for checkpoint in (False, True):
        model, result = outputs(tmp_path, clip, preset, checkpoint=checkpoint)
        result["loss"].backward()
        gradients.append([item.grad for item in model.parameters()])
    torch.testing.assert_close(gradients[0], gradients[1])


def test_gradient_is_that_of_small_steps(tmp_path, clip):
    """Along the gradient of the learnables the loss changes as it says."""
    clip = ClipBatch(clip.crops[:1], clip.boxes[:1])
    model, result = outputs(tmp_path, clip, train_features=False)
    parameters = [item for item in model.parameters() if item.requires_grad]
    gradients = torch.autograd.grad(result["loss"], parameters)
    for item, gradient in zip(parameters, gradients, strict=True):
        slope = float(gradient.norm())
        step = gradient / max(slope, 1e-12)
        losses = []
        for sign in (1, -1):
            with torch.no_grad():
                item += sign * 1e-2 * step
                losses.append(model(clip)["loss"].item())
                item -= sign * 1e-2 * step
        assert (losses[0] - losses[1]) / 2e-2 == pytest.approx(slope, rel=0.05, abs=2e-3)


def test_frozen_features_are_not_differentiated(tmp_path, clip):
    model, result = outputs(tmp_path, clip, train_features=False)
    result["loss"].backward()
    assert all(item.grad is None for item in model.backbone.parameters())
    names = [group["name"] for group in model.parameter_groups()]
    assert names == ["lambdas", "rates", "fusion", "head"]


def test_clips_of_a_batch_are_tracked_by_themselves(tmp_path, clip):
    model, result = outputs(tmp_path, clip)
    alone = model(ClipBatch(clip.crops[1:], clip.boxes[1:]))
    torch.testing.assert_close(result["responses"][1:], alone["responses"], rtol=1e-3, atol=1e-3)


def test_autocast_reaches_the_convolutions_only(tmp_path, clip):
    model, result = outputs(tmp_path, clip)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = model(clip)
    assert half["responses"].dtype == torch.float32
    assert not torch.equal(half["responses"], result["responses"])
    torch.testing.assert_close(half["responses"][:, 0], result["responses"][:, 0], rtol=0, atol=0.3)


def test_groups_hold_every_parameter_once(tmp_path):
    model = clip_model(tmp_path, tracker_config(), multipliers={"lambdas": 1e4})
    groups = {group["name"]: group for group in model.parameter_groups()}
    held = [id(item) for group in groups.values() for item in group["params"]]
    assert sorted(held) == sorted(id(item) for item in model.parameters())
    assert groups["lambdas"]["lr_multiplier"] == 1e4
    assert [name for name, group in groups.items() if group["weight_decay"]] == ["features"]


def test_relative_rates_move_every_tensor_by_the_same_share(tmp_path):
    """Convolutions of very different sizes, as folding leaves them."""
    options = {"relative_features": True, "multipliers": {"features": 2.0}}
    model = clip_model(tmp_path, tracker_config(), **options)
    with torch.no_grad():
        model.backbone.conv1.weight.mul_(1e-3)
    groups = {group["name"]: group for group in model.parameter_groups()}
    held = [id(item) for group in groups.values() for item in group["params"]]
    assert sorted(held) == sorted(id(item) for item in model.parameters())
    for index in range(1, 6):
        weight = getattr(model.backbone, f"conv{index}").weight.detach().double()
        expected = 2 * float((weight**2).mean()) ** 0.5
        assert groups[f"features.conv{index}.weight"]["lr_multiplier"] == pytest.approx(expected)
        assert groups[f"features.conv{index}.weight"]["weight_decay"]
        assert not groups[f"biases.conv{index}.bias"]["weight_decay"]


def test_paper_starts_with_conv5_alone_and_learns_no_rate(tmp_path):
    model = clip_model(tmp_path, tracker_config("DSiamM", "paper"))
    maps = model.maps()
    assert maps["fusion.conv5"].eq(1).all() and maps["fusion.conv4"].eq(0).all()
    assert "rates" not in [group["name"] for group in model.parameter_groups()]
    assert model.scalars()["rate_v.conv5"] == 1.0


def test_a_step_learns_every_group(tmp_path, clip):
    model, result = outputs(tmp_path, clip)
    result["loss"].backward()
    for group in model.parameter_groups():
        assert any(float(item.grad.norm()) > 0 for item in group["params"]), group["name"]


def test_weights_carry_what_was_learnt(tmp_path, clip):
    model = clip_model(tmp_path, tracker_config("DSiamM", "steady", keep_norm=False))
    with torch.no_grad():
        model.learnables.log_lambda["v"]["conv5"].fill_(-3.0)
        model.learnables.fusion.primary[0, 0] = 0.25
        model.backbone.conv1.bias += 1
    save_weights(model.to_weights({"seed": 3}), tmp_path / "joint.safetensors")
    loaded = load_weights(tmp_path / "joint.safetensors")
    tracker = loaded.config["tracker"]
    assert tracker["transform"]["lambda_v"]["conv5"] == pytest.approx(0.0497871)
    assert tracker["transform"]["keep_norm"] is False
    assert "variation" not in tracker["transform"]
    assert tracker["model"] == {"layers": ["conv5", "conv4"]}
    assert loaded.config["origin"] == {"seed": 3}
    # the map is kept symmetric: half of the change is its mirror image's
    assert float(loaded.tensors["fusion.conv5"][0, 0]) == pytest.approx((0.25 + 0.7) / 2)
    config = load_config(None, find_variant("DSiamM").config, tracker)
    assert config.transform == replace(model.tracker.transform, **model.learnables.overrides())
    again = ClipModel(loaded, config, JointConfig())
    torch.testing.assert_close(again.maps(), model.maps())
    torch.testing.assert_close(again.backbone.state_dict(), model.backbone.state_dict())


def test_one_layer_leaves_no_map(tmp_path):
    weights = clip_model(tmp_path, tracker_config("DSiam")).to_weights({})
    assert not any(name.startswith("fusion") for name in weights.tensors)
    assert weights.config["tracker"]["fusion"]["learnt"] is False


def test_head_leaves_with_the_weights_only_where_scores_are_raw(tmp_path):
    for preset, head in (("steady", (0.001, -2.14836)), ("release", (2.0, -1.0))):
        model = clip_model(tmp_path, tracker_config("DSiamM", preset), head=(2.0, -1.0))
        assert model.to_weights({}).head == pytest.approx(head)


def test_peaks_that_are_far_off_are_counted(tmp_path, clip):
    model = clip_model(tmp_path, tracker_config(), max_excursion_px=300.0)
    away = clip.boxes.clone()
    away[:, 1:, 0] += 40
    assert float(model(clip)["peak_off"]) < 0.5
    assert float(model(ClipBatch(clip.crops, away))["peak_off"]) == 1.0


@pytest.mark.parametrize(
    ("joint", "message"),
    [
        ({"frames": "all"}, "frames: 'all', expected sum or mean"),
        ({"multipliers": {"lambda": 2.0}}, "multipliers: lambda, expected some of features"),
        ({"truncate": 0}, r"truncate: 0, expected a number in \[1, 1e4\]"),
        ({"head": (0.0, 1.0)}, "head: .*expected a positive scale and a bias"),
    ],
)
def test_values_out_of_range(tmp_path, joint, message):
    with pytest.raises(ConfigError, match=message):
        clip_model(tmp_path, tracker_config(), **joint)


def test_other_networks_are_refused(tmp_path):
    weights = Weights("vgg19", {}, (1.0, 0.0), "torchvision", tmp_path / "v.pth", "")
    with pytest.raises(CheckpointError, match="weights of vgg19, expected siamfc_alexnet"):
        ClipModel(weights, tracker_config(), JointConfig())
    odd = load_config({"crop": {"search_size": 250}}, find_variant("DSiamM").config)
    weights = Weights("siamfc_alexnet", {}, (1.0, 0.0), "npz", tmp_path / "w.npz", "")
    with pytest.raises(ConfigError, match="crop.search_size: 250"):
        ClipModel(weights, odd, JointConfig())
    with pytest.raises(CheckpointError, match="not SiamFC's AlexNet"):
        ClipModel(weights, tracker_config(), JointConfig())
