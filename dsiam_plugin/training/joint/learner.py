"""One step of learning: forward, backward, averaged gradient, update."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from dsiam_plugin.errors import TrainingError
from dsiam_plugin.training.run.distributed import Group, synchronised
from dsiam_plugin.training.run.optimizers import build_optimizer, learning_rate, set_learning_rate
from dsiam_plugin.training.run.recipe import TrainingConfig


class NotFiniteError(TrainingError):
    """A loss or gradient that is not finite; nothing was updated."""


class Update(NamedTuple):
    """The outcome of a step."""

    values: dict[str, float]  # losses and rates of the whole batch, over all processes, by name
    responses: Tensor | None  # (B, ...) maps of this process's share for pictures, or None


@dataclass(frozen=True)
class Machine:
    """Device, precision and processes of a training."""

    device: torch.device  # device of the model and its batches
    # Of the convolutions; float32 parameters are cast on the fly
    dtype: torch.dtype = torch.float32
    channels_last: bool = True  # memory layout of the model
    group: Group = Group()  # the processes that share the work


class Learner:
    """A model with the methods that a stage has, and its optimiser."""

    def __init__(self, model: Any, config: TrainingConfig, steps: int, machine: Machine):
        layout = torch.channels_last if machine.channels_last else torch.contiguous_format
        self.model = synchronised(model.to(machine.device, memory_format=layout), machine.group)
        machine.group.share_parameters(self.model)
        self.machine = machine
        self.config = config.optimizer
        self.steps = steps
        self.optimizer = build_optimizer(self.config, self.model.parameter_groups())
        # float16 alone has too few exponents for gradients.
        self.scaler = _scaler(machine.device) if machine.dtype == torch.float16 else None

    def update(self, batch: Any, step: int) -> Update:
        """Learns from this process's share of a batch.

        Args:
            batch: NamedTuple of tensors, on the CPU.
            step: Number of the step in the whole run, from 0.

        Raises:
            NotFiniteError: In every process, if the loss or the gradient is not finite.
        """
        self.model.train()
        rate = learning_rate(self.config, step, self.steps)
        set_learning_rate(self.optimizer, rate)
        self.optimizer.zero_grad(set_to_none=True)
        device, dtype = self.machine.device, self.machine.dtype
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            outputs = self.model(to_device(batch, device))
        values = self._shared_values(outputs)
        if not math.isfinite(values["loss"]):
            shown = ", ".join(f"{name} {value:g}" for name, value in values.items())
            raise NotFiniteError(f"loss is not finite ({shown})")
        values["gradient"] = self._descend(outputs["loss"])
        return Update({**values, "learning_rate": rate}, outputs.get("responses"))

    def state_dict(self) -> dict[str, Any]:
        """Everything that changes by learning."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": {} if self.scaler is None else self.scaler.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continues from the state of another learner of the same configuration."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.scaler is not None:
            self.scaler.load_state_dict(state["scaler"])

    def _shared_values(self, outputs: Mapping[str, Tensor]) -> dict[str, float]:
        """The () entries of a model's outputs, averaged over the processes."""
        named = {name: item for name, item in outputs.items() if item.ndim == 0}
        stacked = torch.stack([item.detach().float() for item in named.values()])
        return dict(zip(named, self.machine.group.mean(stacked).tolist(), strict=True))

    def _descend(self, loss: Tensor) -> float:
        """Moves the parameters; returns the norm of the gradient before clipping."""
        parameters = [item for group in self.optimizer.param_groups for item in group["params"]]
        scaled = loss if self.scaler is None else self.scaler.scale(loss)
        scaled.backward()
        self.machine.group.average_gradients(parameters)
        if self.scaler is not None:
            self.scaler.unscale_(self.optimizer)
        limit = self.config.clip_norm or math.inf
        norm = float(nn.utils.clip_grad_norm_(parameters, limit))
        if self.scaler is not None:  # it skips steps whose gradients overflowed
            self.scaler.step(self.optimizer)
            self.scaler.update()
            return norm
        if not math.isfinite(norm):
            raise NotFiniteError(f"gradient is not finite (norm {norm:g})")
        self.optimizer.step()
        return norm


def to_device(batch: Any, device: torch.device) -> Any:
    """A NamedTuple of tensors on another device; itself where it is there already."""
    if device.type == "cpu":
        return batch
    return type(batch)(*(item.pin_memory().to(device, non_blocking=True) for item in batch))


def _scaler(device: torch.device) -> Any:
    if hasattr(torch.amp, "GradScaler"):
        return torch.amp.GradScaler(device.type)
    return torch.cuda.amp.GradScaler()  # before PyTorch 2.3
