"""Workspaces with tiny sequences, and the ``vot`` command line in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import seeded_network

from dsiam_plugin import build_tracker
from dsiam_plugin.io.images import read_image

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT_S = 600


def write_sequences(folder, names=("first", "second"), frames=12):
    """Sequences of a moving patch in VOT's layout; the second target stands still."""
    for number, name in enumerate(names):
        step = (2.0, 1.0) if number % 2 == 0 else (0.0, 0.0)
        images, boxes = seeded_network.moving_patch(frames, step=step)
        (folder / name / "color").mkdir(parents=True)
        for index, image in enumerate(images):
            path = folder / name / "color" / f"{index + 1:08d}.png"
            cv2.imwrite(str(path), image[:, :, ::-1])
        rows = [",".join(f"{value:g}" for value in box) for box in boxes]
        (folder / name / "groundtruth.txt").write_text("\n".join(rows) + "\n")
        (folder / name / "sequence").write_text(
            f"channels.color=color/%08d.png\nformat=default\nfps=30\nname={name}\n"
            f"width=160\nheight=120\nlength={frames}\n"
        )
    (folder / "list.txt").write_text("\n".join(names) + "\n")
    return folder


def vot(*arguments, cwd, weights=None, python=sys.executable):
    """Runs ``vot``; returns (exit status, everything it printed)."""
    environment = {key: value for key, value in os.environ.items() if key[:6] != "DSIAM_"}
    environment.pop("PYTHONPATH", None)
    environment |= {"VOT_RESULTS_BINARY": "0", "PWD": str(cwd)}
    if weights is not None:
        environment |= {"DSIAM_WEIGHTS": str(weights), "DSIAM_PRECISION": "float32"}
    done = subprocess.run(
        [python, "-m", "vot", *map(str, arguments)],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
    )
    return done.returncode, done.stdout


def track_here(tracker, weights, sequence):
    """Boxes of frames 2, 3, ... as the tracker gives them in this process, (F - 1, 4)."""
    built = build_tracker(tracker, weights=weights, device="cpu", precision="float32")
    images = [read_image(path) for path in sorted((sequence / "color").iterdir())]
    start = (sequence / "groundtruth.txt").read_text().split()[0]
    built.init(images[0], tuple(float(value) for value in start.split(",")))
    return np.array([built.track(image).box for image in images[1:]])


def tracked_by_vot(workspace, tracker, sequence):
    """Boxes of frames 2, 3, ... in a text result without restarts, (F - 1, 4)."""
    path = workspace / "results" / tracker / "baseline" / sequence / f"{sequence}_001.txt"
    first, *rows = path.read_text().split()
    assert first == "1"
    return np.array([[float(value) for value in row.split(",")] for row in rows])
