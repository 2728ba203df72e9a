"""Search regions and responses of several configurations on the same frames, as one picture.

```
python benchmarks/paper_responses.py OTB/Jogging-1 --frames 20 65 75 90 120 --out responses.jpg \
    --weights siamfc_3s_color.npz --trackers SiamFC start=DSiam:start.yaml paper=DSiam:paper.yaml
```

A row a tracker (`[NAME=]TRACKER[:CONFIG]`), each along its own track; bright is high. Below each
map stands the height of its peak over the background as a share of the first frame's.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch

from dsiam_plugin import build_tracker
from dsiam_plugin.core import step
from dsiam_plugin.evaluation.datasets.factory import create_dataset
from dsiam_plugin.io.images import read_image

TILE = 150  # px of a crop in the picture
LABEL = 70  # of the names on the left
LINE = 16  # below each map
GREY = (70, 70, 70)


class View(NamedTuple):
    """What a tracker saw on one frame."""

    crop: np.ndarray  # (size, size, 3) RGB, at the winning scale
    response: np.ndarray  # (m, m)
    height: float  # of the peak, as a share of the first frame's
    lost: bool


def main() -> None:
    """Draw the picture."""
    arguments = _parser().parse_args()
    torch.set_num_threads(1)
    folder, name = arguments.sequence.parent, arguments.sequence.name
    video = next(item for item in create_dataset(name=folder) if item.name == name)
    rows = []
    for text in arguments.trackers:
        rest, _, config = text.partition(":")
        name, _, tracker = rest.rpartition("=")
        built = build_tracker(
            tracker, weights=arguments.weights, config=config or None, device="cpu"
        )
        views = _views(built, video, arguments.frames)
        rows.append(_row(name or tracker, [_tile(view) for view in views]))
    heading = _row("", [_line(f"frame {frame + 1}") for frame in arguments.frames])
    picture = np.concatenate([heading, *rows])
    cv2.imwrite(str(arguments.out), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])


def _views(tracker: Any, video: Any, frames: list[int]) -> list[View]:
    """What a tracker saw on the chosen frames (from 0) of its own track."""
    images = (read_image(file, "RGB") for file in video.img_names[: max(frames) + 1])
    state, views = tracker.start(next(images), video.init_rect), []
    for number, image in enumerate(images, start=1):
        before = state.target
        state, result = tracker.step(image, state)
        if number in frames:
            cuts = tracker._cut_search(image, before, before.side * tracker._fixed.scales)
            x_feat = tracker._embed([cuts])[0]
            known = (tracker._numbers, tracker.config, tracker._fixed)
            peaks, responses = step.observe(before, x_feat, *known)
            scale = int(peaks.scale)
            height = float(peaks.height / before.first_height)
            views.append(
                View(cuts[scale].pixels, responses[0, scale, 0].numpy(), height, result.lost)
            )
    return views


def _tile(view: View) -> np.ndarray:
    """The crop with its response laid over the displacements that it answers for."""
    crop = cv2.resize(view.crop, (TILE, TILE), interpolation=cv2.INTER_AREA)
    low, high = view.response.min(), view.response.max()
    shades = ((view.response - low) / max(high - low, 1e-12) * 255).astype(np.uint8)
    inner = TILE * 17 * 8 // 255  # a cell is 8 of the crop's 255 px
    heat = cv2.applyColorMap(
        cv2.resize(shades, (inner, inner), interpolation=cv2.INTER_CUBIC), cv2.COLORMAP_INFERNO
    )[..., ::-1]
    both, start = crop.copy(), (TILE - inner) // 2
    part = both[start : start + inner, start : start + inner]
    part[:] = (0.35 * part + 0.65 * heat).astype(np.uint8)
    text = f"{view.height:.2f}" + (" lost" if view.lost else "")
    return np.concatenate([np.concatenate([crop, both], axis=1), _line(text)])


def _line(text: str) -> np.ndarray:
    strip = np.full((LINE, 2 * TILE, 3), 255, np.uint8)
    cv2.putText(strip, text, (TILE + 4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, GREY, 1, cv2.LINE_AA)
    return strip


def _row(name: str, tiles: list[np.ndarray]) -> np.ndarray:
    label = np.full((len(tiles[0]), LABEL, 3), 255, np.uint8)
    place = (2, len(label) // 2 + 4)
    cv2.putText(label, name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, GREY, 1, cv2.LINE_AA)
    return np.concatenate([label, *tiles], axis=1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sequence", type=Path, help="its folder, in OTB's layout")
    parser.add_argument("--frames", type=int, nargs="+", required=True, help="from 0, ascending")
    parser.add_argument("--trackers", nargs="+", required=True, metavar="SPEC")
    parser.add_argument("--weights")
    parser.add_argument("--out", type=Path, required=True, help=".jpg or .png")
    return parser


if __name__ == "__main__":
    main()
