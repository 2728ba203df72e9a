"""Weights in four formats, checkpoints and packs: what is accepted must also run."""

from pathlib import Path

import clip_data
import numpy as np
import tiny_training
import torch
from fuzz.engine import Reader
from seeded_network import moving_patch, write_box_weights, write_weights

from dsiam_plugin import build_tracker
from dsiam_plugin.models.backbones import SiamFCAlexNet
from dsiam_plugin.models.weights import load_weights, save_weights
from dsiam_plugin.training.data.clips import ClipConfig, ClipDataset
from dsiam_plugin.training.data.pack import open_pack
from dsiam_plugin.training.run.checkpoints import check_same_run, load_checkpoint
from dsiam_plugin.training.run.engine import Trainer

CHANNELS = (4, 4, 4, 4, 4)
FRAMES, BOXES = moving_patch(2)


def write_npz(folder: Path) -> Path:
    """``net.npz`` of a small network."""
    return write_weights(folder / "net.npz", channels=CHANNELS)


def write_safetensors(folder: Path) -> None:
    """``net.safetensors`` of a small network."""
    source = write_npz(folder)
    save_weights(load_weights(source), folder / "net.safetensors")
    source.unlink()


def write_pth(folder: Path) -> None:
    """``net.pth`` of a small network."""
    names, state = iter(("conv1", "conv2", "conv3", "conv4", "conv5")), {}
    for item in SiamFCAlexNet(CHANNELS).modules():
        if isinstance(item, torch.nn.Conv2d):
            name = f"backbone.{next(names)}.0"
            state |= {f"{name}.weight": item.weight.detach(), f"{name}.bias": item.bias.detach()}
    torch.save(state, folder / "net.pth")


def write_mat(folder: Path) -> None:
    """``net.mat`` of a small network, as MatConvNet stores it."""
    from scipy.io import savemat

    rng, rows = np.random.default_rng(0), []
    shapes = [(11, 11, 3, 4), (5, 5, 2, 4), (3, 3, 4, 4), (3, 3, 2, 4), (3, 3, 2, 4)]
    for index, shape in enumerate(shapes, start=1):
        rows += [(f"conv{index}f", rng.normal(size=shape)), (f"conv{index}b", np.zeros((4, 1)))]
    array = np.empty((1, len(rows)), dtype=[("name", "O"), ("value", "O")])
    for column, (name, value) in enumerate(rows):
        array[0, column] = (name, value.astype(np.float32))
    savemat(folder / "net.mat", {"net": {"params": array}})


def write_box(folder: Path) -> None:
    """``net.safetensors`` of a small network with a box head."""
    write_box_weights(folder / "net.safetensors").with_suffix(".npz").unlink()


def track(folder: Path, name: str = "DSiam") -> None:
    """Weights must load; those that load must track."""
    (path,) = folder.glob("net.*")
    tracker = build_tracker(name, weights=path, device="cpu", precision="float32")
    tracker.init(FRAMES[0], BOXES[0])
    answer = tracker.track(FRAMES[1])
    assert np.isfinite([*answer.box, answer.score]).all(), f"not finite: {answer}"


def read_pack(folder: Path) -> None:
    """Packs are opened and a batch of clips drawn."""
    config = ClipConfig(length=3)
    ClipDataset([open_pack(folder / "pack")], config, seed=0).batch(0, 0, 2)


def write_checkpoint(folder: Path) -> None:
    """The checkpoint of a tiny training run."""
    Trainer(tiny_training.tiny_job(folder)).run()
    keep = folder / "last.pt"
    for path in folder.rglob("*"):
        if path.is_file() and path != keep:
            path.unlink()


def read_checkpoint(folder: Path) -> None:
    """A checkpoint is read, compared with a run and loaded into its model."""
    path = folder / "last.pt"
    checkpoint = load_checkpoint(path)
    check_same_run(checkpoint, checkpoint.config, checkpoint.data, path)
    Trainer(tiny_training.tiny_job(folder)).resume()


READERS = [
    Reader("weights .npz", write_npz, track),
    Reader("weights .safetensors", write_safetensors, track),
    Reader("weights of a box head", write_box, lambda folder: track(folder, "DSiamBox")),
    Reader("weights .pth", write_pth, track),
    Reader("weights .mat", write_mat, track),
    Reader("checkpoint", write_checkpoint, read_checkpoint),
    Reader("pack", lambda folder: clip_data.write_pack(folder / "pack", (4, 3)), read_pack),
]
