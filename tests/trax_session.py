"""A TraX peer for tests: starts a client process and talks to it as the VOT toolkit does.

The default process runs the real client around :class:`SquareTracker`, a tracker without weights
that follows a bright square and prints on every channel it should not disturb.
"""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import trax
from trax.client import Client

from dsiam_plugin.io.boxes import Box

ROOT = Path(__file__).resolve().parent.parent
SQUARE_CLIENT = [sys.executable, str(Path(__file__).resolve())]
TIMEOUT_S = 30


class SquareTracker:
    """Reports the bounding box of all pixels brighter than 200; scores 0.25, 0.5, ..."""

    name = "Square"

    def init(self, image, box):
        sys.stdout.write("noise from Python\n")
        self.box = Box(*box)
        self.frames = 0

    def track(self, image):
        os.system("echo noise from a child process")
        os.write(1, b"noise from a library\n")
        self.frames += 1
        if self.frames == int(os.environ.get("SQUARE_DIES_AT", -1)):
            raise ZeroDivisionError("the tracker is broken")
        rows, columns = np.nonzero(image[:, :, 0] > 200)
        if len(rows):
            width, height = np.ptp(columns) + 1, np.ptp(rows) + 1
            self.box = Box(columns.min(), rows.min(), width, height)
        return SimpleNamespace(box=self.box, score=np.float32(0.25 * self.frames), lost=False)


def environment(**variables):
    """This process's environment with the checkout importable and no DSIAM_ variable but these."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("DSIAM_")}
    return {**inherited, "PYTHONPATH": str(ROOT), "DSIAM_TRACKER": "Square", **variables}


def start(command=None, **variables):
    """The client process, unbuffered pipes on its three streams."""
    return subprocess.Popen(
        command or SQUARE_CLIENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env=environment(**variables),
    )


def send_raw(*lines, command=None, **variables):
    """Sends lines, closes the stream; returns (exit status, stdout, stderr)."""
    message = "".join(f"{line}\n" for line in lines).encode()
    with start(command, **variables) as process:
        try:
            out, err = process.communicate(message, timeout=TIMEOUT_S)
        finally:
            process.kill()
    return process.returncode, out.decode(), err.decode()


@contextmanager
def session(command=None, **variables):
    """Yields (process, trax client); the process is killed at the end if it still runs."""
    process = start(command, **variables)
    client = None
    try:
        stream = (process.stdin.fileno(), process.stdout.fileno())
        client = Client(stream=stream, log=lambda text: None)
        yield process, client
    finally:
        if client is not None:
            client._handle = None  # libtrax crashes if it outlives the log callback or the pipes
        process.kill()
        process.wait(TIMEOUT_S)
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


def quit_and_wait(process, client):
    """Ends the session as a peer does; returns (exit status, stderr)."""
    client.quit()
    process.stdin.close()
    err = process.stderr.read().decode()
    return process.wait(TIMEOUT_S), err


def image(path):
    return {"color": trax.FileImage.create(str(path))}


def target(region):
    return [(region, {})]


def write_square(path, x, y, size=20, shape=(120, 160)):
    """A black image with one white square; returns its path."""
    pixels = np.zeros((*shape, 3), np.uint8)
    pixels[y : y + size, x : x + size] = 255
    cv2.imwrite(str(path), pixels)
    return path


if __name__ == "__main__":
    from dsiam_plugin.vot import client as vot_client

    vot_client.build = lambda settings: SquareTracker()
    sys.exit(vot_client.main())
