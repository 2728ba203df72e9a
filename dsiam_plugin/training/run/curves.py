"""Curves of a run: ``curve.csv`` always, TensorBoard where it is installed."""

import csv
import io
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dsiam_plugin.io.files import write_text

logger = logging.getLogger(__name__)

PICTURES_AT_MOST = 8  # responses of a batch shown side by side
STEP = "step"


class Averages:
    """Means of named values over successive steps; its state goes into checkpoints."""

    def __init__(self, state: Mapping[str, Any] | None = None):
        self._sums = dict((state or {}).get("sums", {}))
        self.count = int((state or {}).get("count", 0))

    def add(self, values: Mapping[str, float]) -> None:
        """Counts one step's values."""
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self.count += 1

    def take(self) -> dict[str, float]:
        """The means since the last call, which starts anew."""
        means = {name: value / self.count for name, value in self._sums.items()}
        self._sums, self.count = {}, 0
        return means

    def state_dict(self) -> dict[str, Any]:
        """The state that ``__init__`` takes."""
        return {"sums": dict(self._sums), "count": self.count}


class Curve:
    """A table of numbers by step that grows by a row at a time.

    Rows after ``step``, which an interrupted run wrote after its last checkpoint, are dropped.
    """

    def __init__(self, path: Path, step: int):
        self.path = path
        self._columns: list[str] = []
        if path.is_file():
            rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
            self._columns = list(rows[0]) if rows else []
            kept = [row for row in rows if int(row[STEP]) <= step]
            write_text(path, _csv(self._columns, kept, header=True))

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Appends a row; the first one decides the columns."""
        row = {STEP: step, **{name: f"{value:.6g}" for name, value in values.items()}}
        fresh = not self._columns
        if fresh:
            self._columns = list(row)
        with self.path.open("a", encoding="utf-8", newline="") as stream:
            stream.write(_csv(self._columns, [row], header=fresh))


class Board:
    """TensorBoard's files in a folder; does nothing where TensorBoard is not installed.

    Args:
        folder: Where the event files go.
        step: First step of this run; later ones of an earlier run are hidden.
    """

    def __init__(self, folder: Path, step: int):
        self._writer = None
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            logger.info(
                "no TensorBoard: curve.csv only (pip install 'dsiam-plugin[train]' adds it)"
            )
            return
        self._writer = SummaryWriter(str(folder), purge_step=step or None)

    def close(self) -> None:
        """Writes what is buffered."""
        if self._writer is not None:
            self._writer.close()

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """One point of each curve."""
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)

    def pictures(self, responses: Tensor | None, maps: Mapping[str, Tensor], step: int) -> None:
        """Response maps of a batch and the fusion maps.

        Args:
            responses: (B, ..., m, m) scores; the first of them are shown side by side.
            maps: (m, m) in [0, 1] by name.
            step: Where on the time line.
        """
        if self._writer is None:
            return
        if responses is not None:
            strip = response_strip(responses)
            self._writer.add_image("responses", strip.numpy(), step, dataformats="HW")
        for name, item in maps.items():
            picture = item.detach().float().cpu().clamp(0, 1).numpy()
            self._writer.add_image(f"maps/{name}", picture, step, dataformats="HW")


def response_strip(responses: Tensor) -> Tensor:
    """The first responses side by side, each stretched to [0, 1] and a column of zeros apart.

    Args:
        responses: (B, ..., m, m); further axes, such as a clip's frames, come before later samples.

    Returns:
        (m, n (m + 1)) float32 on the CPU.
    """
    shown = responses.detach().float().cpu().flatten(0, -3)[:PICTURES_AT_MOST]  # (n, m, m)
    low, high = shown.amin(dim=(1, 2), keepdim=True), shown.amax(dim=(1, 2), keepdim=True)
    unit = (shown - low) / (high - low).clamp_min(torch.finfo(torch.float32).tiny)
    padded = torch.nn.functional.pad(unit, (0, 1))  # (n, m, m + 1)
    return padded.permute(1, 0, 2).flatten(1)


def _csv(columns: list[str], rows: Sequence[Mapping[str, Any]], *, header: bool) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
    if header and columns:
        writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
