"""Pictures of what joint training learns: fusion maps, and responses with and without V and W.

``python -m dsiam_plugin.training.run.pictures WEIGHTS --data PACK --out DIR``
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from dsiam_plugin.config.files import load_config
from dsiam_plugin.config.variants import find_variant
from dsiam_plugin.errors import DSiamError
from dsiam_plugin.evaluation.visualization.fusion import draw_fusion
from dsiam_plugin.io.files import atomic_path
from dsiam_plugin.io.versions import import_optional
from dsiam_plugin.models.weights import FUSION_PREFIX, load_weights
from dsiam_plugin.training.data.clips import ClipBatch, ClipConfig, ClipDataset
from dsiam_plugin.training.data.pack import open_pack
from dsiam_plugin.training.joint.config import JointConfig
from dsiam_plugin.training.joint.crop_layer import box_centers, cut_windows
from dsiam_plugin.training.joint.stage import ClipModel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

DPI = 110
EXIT_BAD_INPUT = 2
ROWS = ("search region", "first exemplar alone", "with V and W")


@dataclass(frozen=True)
class ClipView:
    """One clip as the model saw it."""

    windows: np.ndarray  # (T - 1, size, size, 3) uint8 search windows
    targets: np.ndarray  # (T - 1, 2) px, annotated displacement from their middles
    sizes: np.ndarray  # (T - 1, 2) px, width and height of the annotated boxes
    plain: np.ndarray  # (T - 1, m, m) responses of the first exemplar alone
    responses: np.ndarray  # (T - 1, m, m) with V and W
    stride: int  # pixels between neighbouring cells


def clip_figure(view: ClipView) -> Figure:
    """A clip's responses over time: search windows, first exemplar alone, V and W.

    A cross marks the annotated target, a ring the response's peak. Both rows of responses share
    one colour scale, so heights can be compared.
    """
    times = len(view.windows)
    figure = _figure(1.35 * times + 1.2, 4.6)
    panels = figure.subplots(len(ROWS), times, squeeze=False)
    low = min(view.plain.min(), view.responses.min())
    high = max(view.plain.max(), view.responses.max())
    for time in range(times):
        _draw_window(panels[0, time], view, time)
        panels[0, time].set_title(f"frame {time + 2}", fontsize=8)
        for row, responses in ((1, view.plain), (2, view.responses)):
            image = _draw_response(panels[row, time], view, responses[time], time, (low, high))
    for row, name in enumerate(ROWS):
        panels[row, 0].set_ylabel(name, fontsize=8)
    figure.colorbar(image, ax=panels[1:].ravel().tolist(), shrink=0.8, label="response")
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Writes a figure in the format of its suffix, whole or not at all."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=DPI, metadata={"Software": None})


@torch.no_grad()
def view_clips(model: ClipModel, batch: ClipBatch) -> list[ClipView]:
    """Tracks the clips of a batch and collects what they showed."""
    outputs = model(batch)
    size = model.tracker.crop.search_size
    views = []
    for clip, (crops, boxes) in enumerate(zip(batch.crops, batch.boxes, strict=True)):
        middles = outputs["middles"][clip]
        fill = crops[:1].float().mean(dim=(1, 2)).round().to(torch.uint8)
        pixels, _ = cut_windows(crops[1:], middles, size, fill.expand(len(middles), -1))
        views.append(
            ClipView(
                pixels.cpu().numpy(),
                (box_centers(boxes[1:]) - middles).cpu().numpy(),
                boxes[1:, 2:].cpu().numpy(),
                outputs["plain_responses"][clip].cpu().numpy(),
                outputs["responses"][clip].cpu().numpy(),
                model.stride,
            )
        )
    return views


def main(argv: Sequence[str] | None = None) -> int:
    """Draw the fusion maps of a file of weights and some clips of packs."""
    parser = argparse.ArgumentParser(
        prog="python -m dsiam_plugin.training.run.pictures",
        description="Draw learnt fusion maps, and clips' responses with and without V and W.",
    )
    add = parser.add_argument
    add("weights", type=Path, help="file of weights")
    add("--data", type=Path, nargs="+", default=[], metavar="PACK", help="packs to take clips from")
    add("--out", type=Path, required=True, metavar="DIR", help="folder for the pictures")
    add("--tracker", default="DSiamM", help="variant that tracks (default %(default)s)")
    add("--config", help="YAML file that overrides its configuration")
    add("--clips", type=int, default=3, help="clips to draw (default %(default)s)")
    add("--length", type=int, default=10, help="frames of each (default %(default)s)")
    add("--seed", type=int, default=0, help="of the clips (default %(default)s)")
    arguments = parser.parse_args(argv)
    try:
        for path in draw(arguments):
            sys.stdout.write(f"{path}\n")
    except (DSiamError, OSError) as error:
        sys.stderr.write(f"{parser.prog}: error: {error}\n")
        return EXIT_BAD_INPUT
    return 0


def draw(options: argparse.Namespace) -> list[Path]:
    """Draws everything the options of :func:`main` ask for; returns the files."""
    weights = load_weights(options.weights)
    base = find_variant(options.tracker).config
    tracker = load_config(options.config, base, weights.config.get("tracker"))
    model = ClipModel(weights, tracker, JointConfig(train_features=False)).eval()
    maps = {name.removeprefix(FUSION_PREFIX): item.cpu() for name, item in model.maps().items()}
    figures = {"fusion": draw_fusion(maps)} if maps else {}
    if options.data:
        packs = [open_pack(path) for path in options.data]
        dataset = ClipDataset(packs, ClipConfig(length=options.length), options.seed)
        views = view_clips(model, dataset.batch(0, 0, options.clips))
        figures |= {f"clip_{number}": clip_figure(view) for number, view in enumerate(views)}
    paths = []
    for name, figure in figures.items():
        paths.append(options.out / f"{name}.png")
        save_figure(figure, paths[-1])
    return paths


def _figure(width: float, height: float) -> Figure:
    """An empty figure in inches, made without a display and without global state."""
    library = import_optional("matplotlib.figure", "plots")
    return library.Figure(figsize=(width, height), layout="constrained")


def _draw_window(axes: Axes, view: ClipView, time: int) -> None:
    half = view.windows.shape[1] / 2
    axes.imshow(view.windows[time], extent=(-half, half, half, -half))
    (x, y), (width, height) = view.targets[time], view.sizes[time]
    xs, ys = np.array([-1, 1, 1, -1, -1]) * width / 2, np.array([-1, -1, 1, 1, -1]) * height / 2
    axes.plot(x + xs, y + ys, color="#ff4040", linewidth=1)
    axes.set(xlim=(-half, half), ylim=(half, -half), xticks=[], yticks=[])


def _draw_response(
    axes: Axes, view: ClipView, response: np.ndarray, time: int, limits: tuple[float, float]
) -> ScalarMappable:
    """The response over displacements in px; returns what the colour scale belongs to."""
    size = response.shape[0]
    half = size * view.stride / 2
    image = axes.imshow(response, extent=(-half, half, half, -half), vmin=limits[0], vmax=limits[1])
    row, column = np.unravel_index(response.argmax(), response.shape)
    peak = (np.array([column, row]) - (size - 1) / 2) * view.stride
    axes.plot(*peak, "o", markersize=7, markerfacecolor="none", markeredgecolor="white")
    axes.plot(*view.targets[time], "+", markersize=8, color="#ff4040")
    axes.set(xlim=(-half, half), ylim=(half, -half), xticks=[], yticks=[])
    return image


if __name__ == "__main__":
    sys.exit(main())
