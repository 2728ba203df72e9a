"""A training that takes milliseconds: a tiny model, its data, and a command line to break off.

``python tests/tiny_training.py OUT [--resume]`` runs it in a process of its own, also under
torchrun.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from seeded_network import moving_patch
from torch import nn

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.models.weights import Weights
from dsiam_plugin.training.joint.learner import Machine
from dsiam_plugin.training.run.distributed import Group, process_group
from dsiam_plugin.training.run.engine import Trainer, TrainingJob
from dsiam_plugin.training.run.recipe import OptimizerConfig, TrainingConfig, ValidationConfig
from dsiam_plugin.training.run.records import Files

CONFIG = TrainingConfig(
    stage="tiny",
    epochs=3,
    batch_size=4,
    log_steps=2,
    picture_steps=0,
    checkpoint_steps=3,
    optimizer=OptimizerConfig(lr=0.1, lr_end=0.01, clip_norm=1.0),
    validation=ValidationConfig(every=0),
)


class TinyBatch(NamedTuple):
    """(B, 8, 8, 3) pictures and (B,) what they should give."""

    pictures: torch.Tensor
    targets: torch.Tensor


@dataclass(frozen=True)
class TinyDataset:
    """Pictures whose mean is the target.

    ``broken`` is a step of the second pass that holds a NaN, ``damaged`` one that cannot be read.
    """

    samples: int = 40
    broken: int = -1
    damaged: int = -1

    def __len__(self) -> int:
        return self.samples

    def batch(self, epoch, step, batch_size, rank=0, world=1):
        if (epoch, step) == (1, self.damaged):
            raise DatasetError("row 7: damaged")
        rng = np.random.default_rng([epoch, step])
        pictures = rng.normal(size=(batch_size, 8, 8, 3)).astype(np.float32)
        if (epoch, step) == (1, self.broken):
            pictures[:] = np.nan
        share = slice(rank * batch_size // world, (rank + 1) * batch_size // world)
        batch = torch.from_numpy(pictures[share])
        return TinyBatch(batch, batch.mean(dim=(1, 2, 3)))


class TinyModel(nn.Module):
    """A convolution, a batch normalisation and a weighted mean."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.mix = nn.Parameter(torch.ones(4))
        self.idle = nn.Parameter(torch.ones(2))  # never in the loss

    def forward(self, batch):
        maps = self.norm(self.conv(batch.pictures.permute(0, 3, 1, 2)))
        found = (maps.float().square().mean(dim=(2, 3)) * self.mix).mean(dim=1)
        loss = (found - batch.targets).square().mean()
        return {"loss": loss, "found": found.mean().detach(), "responses": maps.detach()[:, 0]}

    def parameter_groups(self):
        plain = [*self.norm.parameters(), self.mix, self.idle]
        return [
            {
                "name": "features",
                "params": list(self.conv.parameters()),
                "lr_multiplier": 1.0,
                "weight_decay": True,
            },
            {"name": "rest", "params": plain, "lr_multiplier": 0.5, "weight_decay": False},
        ]

    def to_weights(self, origin):
        tensors = {name: item.clone() for name, item in self.state_dict().items()}
        config = {"origin": dict(origin)}
        return Weights("tiny", tensors, (1.0, 0.0), "safetensors", Path("tiny"), "", config)

    def scalars(self):
        return {"mix": float(self.mix.mean())}

    def maps(self):
        return {"mix": self.mix.detach()[:, None]}


def tiny_job(out: Path, config: TrainingConfig = CONFIG, group: Group | None = None, **other):
    """A job of the tiny model; ``other`` replaces the job's values."""
    torch.manual_seed(config.seed)
    dataset = other.pop("dataset", TinyDataset())
    job = TrainingJob(
        config=config,
        model=TinyModel(),
        make_dataset=lambda: dataset,
        samples=len(dataset),
        files=Files(out),
        machine=Machine(torch.device("cpu"), group=group or Group()),
    )
    return replace(job, **other)


def write_sequence(folder: Path, frames: int = 6) -> list[tuple[float, float, float, float]]:
    """A moving patch in OTB's layout; its 0-based boxes."""
    images, boxes = moving_patch(frames)
    (folder / "img").mkdir(parents=True)
    for number, image in enumerate(images, start=1):
        cv2.imwrite(str(folder / "img" / f"{number:04d}.png"), image[..., ::-1])
    lines = [f"{x + 1:g},{y + 1:g},{w:g},{h:g}" for x, y, w, h in boxes]
    (folder / "groundtruth_rect.txt").write_text("\n".join(lines) + "\n")
    return boxes


def main() -> int:
    """Train in ``out``; with ``--resume`` go on there."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--samples", type=int, default=40)
    parser.add_argument("--broken-rank", type=int, default=-1)
    parser.add_argument("--damaged-rank", type=int, default=-1)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with process_group("cpu") as group:
        broken, damaged = (
            2 if group.rank == rank else -1
            for rank in (arguments.broken_rank, arguments.damaged_rank)
        )
        dataset = TinyDataset(arguments.samples, broken, damaged)
        arguments.out.mkdir(parents=True, exist_ok=True)
        trainer = Trainer(tiny_job(arguments.out, group=group, dataset=dataset))
        if arguments.resume:
            trainer.resume()
        trainer.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
