"""A real TraX session with our own tracker process, as the VOT toolkit would hold it."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Timer
from typing import IO, Any, NamedTuple

import cv2
import numpy as np

from dsiam_plugin.errors import VOTError
from dsiam_plugin.io.boxes import Box, overlap
from dsiam_plugin.io.images import as_bgr
from dsiam_plugin.io.versions import import_optional

COMMAND = (sys.executable, "-m", "dsiam_plugin.vot.client")
TIMEOUT_S = 120.0  # loading torch on a cold disk takes most of it
FRAME_SIZE = (240, 320)  # height, width
TARGET_SIZE_PX = 48
STEP_PX = 6  # the target's motion a frame, to the right


class Session(NamedTuple):
    """Times and overlap that a completed session measured."""

    start_s: float  # from starting the process to its hello, warm-up included
    frame_s: float  # mean time of a frame after the first
    overlap: float  # intersection over union with the target on the last frame


def shake_hands(
    settings: Mapping[str, str], timeout_s: float = TIMEOUT_S, command: tuple[str, ...] = COMMAND
) -> Session:
    """Lets the tracker process follow a square through three generated frames.

    Args:
        settings: Environment of the process, such as ``DSIAM_TRACKER``, beside our own.
        timeout_s: After this the process is killed.
        command: What to start.

    Raises:
        MissingDependencyError: ``vot-trax`` is not installed.
        VOTError: The session failed. What the process wrote, such as its traceback, follows the
            first line of the message.
    """
    import_optional("trax.client", "vot")
    trax = import_optional("trax", "vot")
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        frames = generate_sequence(Path(folder))
        with _start(command, settings, log) as process:
            watchdog = Timer(timeout_s, process.kill)
            watchdog.start()
            try:
                session = _hold_session(trax, process, frames)
                status = process.wait()
            except trax.TraxException as error:
                late = watchdog.finished.is_set()
                reason = f"no answer within {timeout_s:g} s" if late else str(error)
                process.kill()
                raise VOTError(_with_log(reason, process, log)) from error
            finally:
                watchdog.cancel()
        if status != 0:
            raise VOTError(_with_log(f"the tracker ended with status {status}", process, log))
    return session


def generate_sequence(folder: Path) -> list[tuple[Path, Box]]:
    """Writes three frames of a textured square moving over texture, with the square's boxes."""
    random = np.random.default_rng(0)
    background = _texture(random, *FRAME_SIZE, cell=16) // 2
    target = _texture(random, TARGET_SIZE_PX, TARGET_SIZE_PX, cell=12)
    frames = []
    for index in range(3):
        box = Box(120 + STEP_PX * index, 90, TARGET_SIZE_PX, TARGET_SIZE_PX)
        image = background.copy()
        image[box.y : box.y + box.h, box.x : box.x + box.w] = target
        path = folder / f"{index + 1:08d}.png"
        cv2.imwrite(str(path), as_bgr(image))
        frames.append((path, box))
    return frames


def _texture(random: np.random.Generator, height: int, width: int, cell: int) -> np.ndarray:
    """Smooth random colours, (height, width, 3) uint8."""
    coarse = random.integers(0, 256, (height // cell + 1, width // cell + 1, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def _start(
    command: tuple[str, ...], settings: Mapping[str, str], log: IO[bytes]
) -> subprocess.Popen:
    """The tracker process, which finds this very package first."""
    home = str(Path(__file__).resolve().parents[2])
    inherited = os.environ.get("PYTHONPATH")
    paths = os.pathsep.join([home, inherited] if inherited else [home])
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        bufsize=0,
        env={**os.environ, **settings, "PYTHONPATH": paths},
    )


def _hold_session(trax: Any, process: subprocess.Popen, frames: list[tuple[Path, Box]]) -> Session:
    """Hello, one initialisation, the other frames, quit."""
    assert process.stdin is not None and process.stdout is not None  # both are pipes
    start = time.perf_counter()
    client = trax.client.Client(
        stream=(process.stdin.fileno(), process.stdout.fileno()),
        log=lambda text: None,  # without a logger the client cannot be made
    )
    start_s = time.perf_counter() - start
    try:
        answer, frame_s = _exchange(trax, client, frames)
    finally:
        client.quit()  # also after a failure: libtrax crashes when an open session is dropped
    return Session(start_s, frame_s, overlap(answer, frames[-1][1]))


def _exchange(trax: Any, client: Any, frames: list[tuple[Path, Box]]) -> tuple[Box, float]:
    """Sends all frames; the last reported box and the mean seconds of a frame after the first."""
    images = [{"color": trax.FileImage.create(str(path))} for path, _ in frames]
    client.initialize(images[0], [(trax.Rectangle.create(*frames[0][1]), {})], {})
    answers = [client.frame(image, {}, []) for image in images[1:]]
    states, _ = answers[-1]
    if len(states) != 1:
        raise trax.TraxException(f"{len(states)} targets reported; expected 1")
    region, _ = states[0]
    return Box(*region.bounds()), float(np.mean([elapsed for _, elapsed in answers]))


def _with_log(message: str, process: subprocess.Popen, log: IO[bytes]) -> str:
    """The message and, below it, what the process wrote."""
    process.wait()
    log.seek(0)
    return f"{message}\n{log.read().decode(errors='replace')}".rstrip()
