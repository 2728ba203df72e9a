"""Transforms and training steps on a real GPU against the CPU's."""

import tempfile
from pathlib import Path

import pytest
import torch
from clip_data import (
    box_model,
    box_pairs,
    clip_model,
    moving_clip,
    noise_pairs,
    tracker_config,
)
from seeded_network import write_box_weights

from dsiam_plugin.config import TransformConfig
from dsiam_plugin.core.transforms import Pair, learn, mix
from dsiam_plugin.models.weights import load_weights
from dsiam_plugin.training.box.network import BoxConfig
from dsiam_plugin.training.box.rollout import BoxClipModel, RolloutConfig
from dsiam_plugin.training.joint.learner import Learner, Machine
from dsiam_plugin.training.joint.spectral import CLOSED_FORM
from dsiam_plugin.training.run.recipe import OptimizerConfig, TrainingConfig
from dsiam_plugin.training.siamese.stage import SiameseConfig, SiameseModel

pytestmark = pytest.mark.cuda

CONFIG = TrainingConfig(optimizer=OptimizerConfig(lr=1e-4, schedule="constant", momentum=0.0))
HALF = [torch.bfloat16, torch.float16]


@pytest.fixture(autouse=True)
def no_tf32():
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


def on_gpu(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=dtype).cuda()


@pytest.mark.parametrize("side", [4, 5])
def test_gradients_of_learning_and_applying(side):
    shape = (2, 3, side, side)
    leaves = [on_gpu(*shape, seed=seed).requires_grad_() for seed in range(3)]
    weight = torch.tensor(0.3, dtype=torch.float64, device="cuda", requires_grad=True)

    def output(source, target, regularizer, features):
        return CLOSED_FORM.convolve(CLOSED_FORM.learn(source, target, regularizer), features)

    assert torch.autograd.gradcheck(output, (leaves[0], leaves[1], weight, leaves[2]))


def test_gradients_of_both_layers():
    shape = (2, 3, 4, 4)
    leaves = [on_gpu(*shape, seed=seed).requires_grad_() for seed in range(3)]
    numbers = [
        torch.tensor(value, dtype=torch.float64, device="cuda", requires_grad=True)
        for value in (-1.2, 0.4)
    ]

    def output(source, target, log_regularizer, features, rate):
        spectrum = learn(
            Pair(source, target), log_regularizer.exp(), TransformConfig(), CLOSED_FORM
        )
        return mix(spectrum, features, rate, TransformConfig(), CLOSED_FORM)

    inputs = (leaves[0], leaves[1], numbers[0], leaves[2], numbers[1])
    assert torch.autograd.gradcheck(output, inputs)


@pytest.mark.parametrize("dtype", HALF)
def test_autocast_leaves_transforms_in_float32(dtype):
    features = [on_gpu(2, 4, 6, 6, seed=seed, dtype=torch.float32) for seed in range(3)]
    numbers = [torch.tensor(value) for value in (-1.2, 0.4)]

    def output(place):
        source, target, moved = (item.to(place) for item in features)
        log_regularizer, rate = (item.to(place) for item in numbers)
        spectrum = learn(
            Pair(source, target), log_regularizer.exp(), TransformConfig(), CLOSED_FORM
        )
        return mix(spectrum, moved, rate, TransformConfig(), CLOSED_FORM)

    with torch.autocast("cuda", dtype):
        seen = output("cuda")
    assert seen.dtype == torch.float32
    torch.testing.assert_close(seen.cpu(), output("cpu"), rtol=1e-4, atol=1e-5)


def siamese(_):
    torch.manual_seed(0)
    return SiameseModel(SiameseConfig(channels=(16, 16, 24, 24, 16), contrast=0.5, group=2))


def joint(folder):
    return clip_model(folder, tracker_config())


def box(folder):
    return box_model(folder, box_batch(folder))


def box_clips(folder):
    weights = load_weights(write_box_weights(folder / "box.safetensors"))
    return BoxClipModel(BoxConfig(), RolloutConfig(), weights, tracker_config("DSiamBox"))


def box_batch(folder):
    return box_pairs(Path(tempfile.mkdtemp(dir=folder)) / "pack").batch(0, 0, 4)


STAGES = {
    "siamfc": (siamese, lambda _: noise_pairs()),
    "dsiamm": (joint, lambda _: moving_clip(4, clips=2)),
    "box": (box, box_batch),
    "dsiambox": (box_clips, lambda _: moving_clip(4, clips=2)),
}


def two_updates(stage, folder, device, dtype):
    make_model, make_batch = STAGES[stage]
    machine = Machine(torch.device(device), dtype)
    learner = Learner(make_model(folder), CONFIG, 2, machine)
    return [learner.update(make_batch(folder), step).values for step in range(2)]


@pytest.mark.parametrize("stage", STAGES)
def test_steps_in_float32_are_the_cpu_s(stage, tmp_path):
    expected = two_updates(stage, tmp_path, "cpu", torch.float32)
    seen = two_updates(stage, tmp_path, "cuda", torch.float32)
    for one, other in zip(seen, expected, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-3)
        assert one["gradient"] == pytest.approx(other["gradient"], rel=2e-2)


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("stage", STAGES)
def test_steps_in_half_precision_are_near(stage, dtype, tmp_path):
    expected = two_updates(stage, tmp_path, "cpu", torch.float32)
    seen = two_updates(stage, tmp_path, "cuda", dtype)
    assert seen[0]["loss"] == pytest.approx(expected[0]["loss"], rel=0.1)
