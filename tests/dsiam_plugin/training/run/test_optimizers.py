import math

import pytest
import torch
from torch import nn

from dsiam_plugin.errors import ConfigError
from dsiam_plugin.training.run.optimizers import build_optimizer, learning_rate, set_learning_rate
from dsiam_plugin.training.run.recipe import OptimizerConfig


def rates(steps=11, **values):
    config = OptimizerConfig(lr=1e-2, lr_end=1e-4, **values)
    return [learning_rate(config, step, steps) for step in range(steps)]


def test_log_goes_down_by_equal_ratios():
    expected = [10 ** (-2 - 0.2 * step) for step in range(11)]
    assert rates(schedule="log") == pytest.approx(expected)


def test_cosine_by_hand():
    found = rates(steps=5, schedule="cosine")
    half = math.sqrt(0.5)
    expected = [
        1e-2,
        1e-4 + 9.9e-3 * (1 + half) / 2,
        (1e-2 + 1e-4) / 2,
        1e-4 + 9.9e-3 * (1 - half) / 2,
        1e-4,
    ]
    assert found == pytest.approx(expected)


def test_one_cycle_rises_to_the_largest_rate_and_falls_to_the_last():
    found = rates(steps=20, schedule="one_cycle", warm_up=0.25)
    assert found.index(max(found)) in (4, 5)
    assert max(found) == pytest.approx(1e-2)
    assert found[:5] == sorted(found[:5])
    assert found[5:] == sorted(found[5:], reverse=True)
    assert found[-1] == pytest.approx(1e-4)


def test_linear_warm_up_before_a_log_decay():
    found = rates(steps=12, schedule="log", warm_up=0.25)
    assert found[:3] == pytest.approx([1e-2 * (0.04 + 0.96 * n / 3) for n in (1, 2, 3)])
    assert found[3] == pytest.approx(1e-2)
    assert found[-1] == pytest.approx(1e-4)


def test_constant():
    assert set(rates(schedule="constant")) == {1e-2}


def test_a_single_step():
    assert rates(steps=1) == [1e-2]


def group(name, value=1.0, **other):
    parameter = nn.Parameter(torch.tensor([value]))
    return {"name": name, "params": [parameter], "lr_multiplier": 1.0, "weight_decay": False} | (
        other
    )


def test_groups_move_by_their_own_rates():
    """SGD by hand: w - lr * multiplier * (gradient + decay * w)."""
    groups = [
        group("slow", lr_multiplier=0.5),
        group("fast", 2.0, weight_decay=True),
        group("kept"),
    ]
    config = OptimizerConfig(weight_decay=0.1, multipliers={"fast": 3.0, "kept": 0.0})
    optimizer = build_optimizer(config, groups)
    for item in groups:
        item["params"][0].grad = torch.tensor([1.0])
    set_learning_rate(optimizer, 0.01)
    optimizer.step()
    found = [item["params"][0].item() for item in groups]
    assert found == pytest.approx([1 - 0.005, 2 - 0.03 * (1 + 0.1 * 2), 1.0])


def test_adamw():
    config = OptimizerConfig(name="adamw", momentum=0.8)
    optimizer = build_optimizer(config, [group("all")])
    assert isinstance(optimizer, torch.optim.AdamW)
    assert optimizer.defaults["betas"] == (0.8, 0.999)


def test_unknown_group():
    config = OptimizerConfig(multipliers={"featuers": 0.1})
    with pytest.raises(ConfigError, match="multipliers: featuers, the model has features, head"):
        build_optimizer(config, [group("features"), group("head")])
