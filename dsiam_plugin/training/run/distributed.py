"""Training in several processes that torchrun started: one share of every batch each.

Gradients are averaged by one all-reduce after the backward pass instead of torch's
``DistributedDataParallel``: the networks have a few million parameters, a model without unused
parameters need not be promised, and checkpoints have the same names with any number of processes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.autograd import Function

from dsiam_plugin.errors import TrainingError
from dsiam_plugin.models.devices import resolve_device

# The other processes wait while the first one validates.
TIMEOUT = timedelta(hours=2)

Model = TypeVar("Model", bound=nn.Module)


@dataclass(frozen=True)
class Group:
    """The processes of a run."""

    rank: int = 0  # number of this process, from 0
    world: int = 1  # how many there are
    local_rank: int = 0  # number of this process on its machine: its GPU
    device: torch.device = torch.device("cpu")  # where tensors must be to be exchanged

    @property
    def is_first(self) -> bool:
        """True in the process that writes files."""
        return self.rank == 0

    def mean(self, tensor: Tensor) -> Tensor:
        """Mean of a tensor over the processes; the tensor is not changed."""
        if self.world == 1:
            return tensor
        total = tensor.clone()
        distributed.all_reduce(total)
        return total / self.world

    def largest(self, value: float) -> float:
        """The largest of the processes' values."""
        if self.world == 1:
            return value
        shared = torch.tensor(value, dtype=torch.float64, device=self.device)
        distributed.all_reduce(shared, distributed.ReduceOp.MAX)
        return float(shared)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replaces every gradient by its mean; a missing one counts as zero."""
        if self.world == 1:
            return
        trained = [item for item in parameters if item.requires_grad]
        gradients = [torch.zeros_like(item) if item.grad is None else item.grad for item in trained]
        flat = self.mean(torch.cat([item.flatten() for item in gradients]))
        for item, part in zip(trained, flat.split([item.numel() for item in trained]), strict=True):
            item.grad = part.view_as(item).clone(memory_format=torch.preserve_format)

    def share_parameters(self, module: nn.Module) -> None:
        """Gives every process the first one's parameters and buffers."""
        if self.world > 1:
            for tensor in module.state_dict().values():
                distributed.broadcast(tensor, 0)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Makes all processes fail where one does: none waits for another that has ended.

        Raises:
            TrainingError: In the processes that did not fail themselves.
        """
        try:
            yield
        except BaseException:
            self.largest(1.0)
            raise
        if self.largest(0.0):
            raise TrainingError(f"process {self.rank}: stopped, because another process failed")


@contextmanager
def process_group(device: str) -> Iterator[Group]:
    """Joins the processes that torchrun started, and leaves them at the end.

    Args:
        device: As users name it; with several GPUs each process takes the one of its number.

    Yields:
        A group of one process outside torchrun.

    Raises:
        DeviceError: If a machine has fewer GPUs than processes.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Group()
        return
    local_rank = int(os.environ["LOCAL_RANK"])
    on_gpu = device.startswith("cuda") or (device == "auto" and torch.cuda.is_available())
    place = resolve_device(f"cuda:{local_rank}" if on_gpu else "cpu")
    if on_gpu:
        torch.cuda.set_device(place)
    distributed.init_process_group("nccl" if on_gpu else "gloo", timeout=TIMEOUT)
    try:
        yield Group(int(os.environ["RANK"]), world, local_rank, place)
    finally:
        distributed.destroy_process_group()


class _GroupMean(Function):
    """Mean over the processes, whose gradient is the mean of the gradients."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, group: Group) -> Tensor:
        ctx.group = group
        return group.mean(values)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.group.mean(gradient.contiguous()), None


class SyncBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation with the statistics of all processes' shares, on any device.

    torch's own needs GPUs. The shares must be of equal size. Mean and variance take a pass each:
    the difference of mean square and squared mean would cancel where features are far from zero.
    """

    group: Group

    @classmethod
    def of(cls, norm: nn.BatchNorm2d, group: Group) -> SyncBatchNorm2d:
        """A module that shares the parameters and buffers of ``norm``."""
        made = cls(norm.num_features, norm.eps, norm.momentum, norm.affine)
        made.group = group
        made.training = norm.training
        made._parameters, made._buffers = norm._parameters, norm._buffers
        return made

    def forward(self, features: Tensor) -> Tensor:
        """Normalised features (S, C, H, W), of the type they came in."""
        if not self.training:
            return super().forward(features)
        values = features.float()
        mean = _GroupMean.apply(values.mean(dim=(0, 2, 3)), self.group)
        centred = values - mean[:, None, None]
        variance = _GroupMean.apply(centred.square().mean(dim=(0, 2, 3)), self.group)
        self._remember(mean.detach(), variance.detach(), values.numel() // values.shape[1])
        factor = self.weight * (variance + self.eps).rsqrt()
        normed = centred * factor[:, None, None] + self.bias[:, None, None]
        return normed.to(features.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Moves the running statistics; the running variance is the unbiased one, as torch's."""
        count *= self.group.world
        buffers: dict[str, Any] = self._buffers  # they are there: statistics are tracked
        buffers["num_batches_tracked"] += 1
        buffers["running_mean"].lerp_(mean, self.momentum)
        buffers["running_var"].lerp_(variance * count / max(1, count - 1), self.momentum)


def synchronised(model: Model, group: Group) -> Model:
    """The model with batch normalisations over all processes; itself in a single one."""
    if group.world == 1:
        return model
    for name, child in model.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(model, name, SyncBatchNorm2d.of(child, group))
        else:
            synchronised(child, group)
    return model
