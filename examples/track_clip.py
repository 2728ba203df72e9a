"""Follows one target through a generated clip: ``python examples/track_clip.py``."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from dsiam_plugin import build_tracker
from dsiam_plugin.evaluation.datasets import DatasetFactory
from dsiam_plugin.evaluation.synthesis.dataset import SynthesisConfig, write_dataset

with TemporaryDirectory() as folder:
    config = SynthesisConfig(sequences=1, frames=10, width=240, height=180)
    write_dataset(Path(folder, "clips"), config)
    (clip,) = DatasetFactory.create_dataset(name=f"{folder}/clips")
    frames = [image[..., ::-1] for image, _ in clip]  # (H, W, 3) uint8; BGR to RGB

tracker = build_tracker("DSiam")
tracker.init(frames[0], clip.init_rect)  # x, y, w, h; 0-based pixels
for frame in frames[1:]:
    result = tracker.track(frame)
    x, y, w, h = result.box
    print(f"{x:.2f},{y:.2f},{w:.2f},{h:.2f} score {result.score:.2f} lost {result.lost}")
