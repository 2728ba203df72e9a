from dataclasses import replace
from typing import NamedTuple

import pytest
import torch
from torch import nn

from dsiam_plugin.training.joint.learner import Learner, Machine, NotFiniteError
from dsiam_plugin.training.run.recipe import OptimizerConfig, TrainingConfig


class Values(NamedTuple):
    x: torch.Tensor


class Parabola(nn.Module):
    """loss = mean of (w x)^2."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(2.0))

    def forward(self, batch):
        return {"loss": (self.w * batch.x).square().mean(), "twice": 2 * self.w.detach()}

    def parameter_groups(self):
        return [{"name": "w", "params": [self.w], "lr_multiplier": 1.0, "weight_decay": False}]


class Dense(Parabola):
    """loss = mean of (w x)^2 by a linear layer, which autocast computes in half precision."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1, bias=False)
        nn.init.constant_(self.layer.weight, 2.0)

    def forward(self, batch):
        product = self.layer(batch.x[:, None])
        self.seen = product.dtype
        return {"loss": product.float().square().mean()}

    def parameter_groups(self):
        (group,) = super().parameter_groups()
        return [{**group, "params": [self.layer.weight]}]


CPU = Machine(torch.device("cpu"))
CONFIG = TrainingConfig(optimizer=OptimizerConfig(lr=0.1, schedule="constant", momentum=0.0))
BATCH = Values(torch.tensor([1.0, 3.0]))  # loss 5 w^2 = 20, gradient 10 w = 20


def test_one_step_by_hand():
    learner = Learner(Parabola(), CONFIG, 1, CPU)
    update = learner.update(BATCH, 0)
    assert update.values == pytest.approx(
        {"loss": 20.0, "twice": 4.0, "gradient": 20.0, "learning_rate": 0.1}
    )
    assert learner.model.w.item() == pytest.approx(2 - 0.1 * 20, abs=1e-6)


def test_clipped_gradient():
    config = replace(CONFIG, optimizer=replace(CONFIG.optimizer, clip_norm=5.0))
    learner = Learner(Parabola(), config, 1, CPU)
    assert learner.update(BATCH, 0).values["gradient"] == pytest.approx(20)
    assert learner.model.w.item() == pytest.approx(2 - 0.1 * 5, rel=1e-5)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_loss_that_is_not_finite_changes_nothing(value):
    learner = Learner(Parabola(), CONFIG, 1, CPU)
    with pytest.raises(NotFiniteError, match="loss is not finite"):
        learner.update(Values(torch.tensor([1.0, value])), 0)
    assert learner.model.w.item() == 2


def test_gradient_that_is_not_finite_changes_nothing():
    learner = Learner(Parabola(), CONFIG, 1, CPU)
    with torch.no_grad():
        learner.model.w.fill_(1e-20)  # loss 1e38 is finite, its gradient 2e58 is not
    with pytest.raises(NotFiniteError, match="gradient is not finite"):
        learner.update(Values(torch.tensor([1e39]).clamp_max(3e38)), 0)
    assert learner.model.w.item() == pytest.approx(1e-20)


SMALL = Values(torch.tensor([0.1, 0.3]))  # loss 0.05 w^2, gradient 0.1 w = 0.2


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_keeps_float32_parameters(dtype):
    learner = Learner(Dense(), CONFIG, 1, replace(CPU, dtype=dtype))
    assert learner.update(SMALL, 0).values["gradient"] == pytest.approx(0.2, rel=0.02)
    assert learner.model.seen == dtype
    assert learner.model.layer.weight.dtype == torch.float32
    assert learner.model.layer.weight.item() == pytest.approx(2 - 0.1 * 0.2, abs=1e-3)


def test_scaler_skips_a_step_that_overflows_and_is_part_of_the_state():
    machine = replace(CPU, dtype=torch.float16)
    learner = Learner(Dense(), CONFIG, 2, machine)
    learner.update(Values(torch.tensor([100.0, 100.0])), 0)
    assert learner.model.layer.weight.item() == 2
    fresh = Learner(Dense(), CONFIG, 2, machine)
    assert fresh.scaler.get_scale() == 2 * learner.scaler.get_scale()
    fresh.load_state_dict(learner.state_dict())
    assert fresh.scaler.get_scale() == learner.scaler.get_scale()
