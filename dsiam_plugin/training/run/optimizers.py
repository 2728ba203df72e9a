"""Optimisers and learning-rate schedules.

The learning rate is a pure function of the step's number, so that a resumed run needs no
scheduler's state.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch

from dsiam_plugin.errors import ConfigError
from dsiam_plugin.training.run.recipe import OptimizerConfig

WARM_UP_START = 0.04  # share of the largest learning rate that a warm-up begins with
ADAM_SECOND_DECAY = 0.999


def build_optimizer(
    config: OptimizerConfig, groups: Sequence[dict[str, Any]]
) -> torch.optim.Optimizer:
    """The optimiser of a model's groups of parameters.

    Raises:
        ConfigError: If a multiplier names no group.
    """
    names = [group["name"] for group in groups]
    unknown = [name for name in config.multipliers if name not in names]
    if unknown:
        raise ConfigError(
            f"optimizer.multipliers: {', '.join(unknown)}, the model has {', '.join(names)}"
        )
    prepared = [
        {
            "params": list(group["params"]),
            "name": group["name"],
            "lr_multiplier": config.multipliers.get(group["name"], group["lr_multiplier"]),
            "weight_decay": config.weight_decay if group["weight_decay"] else 0.0,
        }
        for group in groups
    ]
    prepared = [group for group in prepared if group["params"]]
    if config.name == "adamw":
        betas = (config.momentum, ADAM_SECOND_DECAY)
        return torch.optim.AdamW(prepared, lr=config.lr, betas=betas)
    return torch.optim.SGD(prepared, lr=config.lr, momentum=config.momentum)


def learning_rate(config: OptimizerConfig, step: int, steps: int) -> float:
    """Learning rate of a step, before the groups' multipliers."""
    rising = config.warm_up * steps
    if step < rising:
        share = (step + 1) / math.ceil(rising)
        if config.schedule == "one_cycle":
            share = (1 - math.cos(math.pi * share)) / 2
        return config.lr * (WARM_UP_START + (1 - WARM_UP_START) * share)
    first = math.ceil(rising)
    progress = (step - first) / max(1, steps - 1 - first)
    if config.schedule == "constant":
        return config.lr
    if config.schedule == "log":
        return config.lr * (config.lr_end / config.lr) ** progress
    return config.lr_end + (config.lr - config.lr_end) * (1 + math.cos(math.pi * progress)) / 2


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Gives every group the rate times its multiplier."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["lr_multiplier"]
