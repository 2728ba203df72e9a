"""Whole command lines over folders of others: prepare, convert, eval, curate, track."""

import contextlib
import io
from collections.abc import Callable
from pathlib import Path

import toolkit_data
import training_sources
from fuzz.engine import Reader
from fuzz.weight_readers import write_npz

from dsiam_plugin.commands.main import main
from dsiam_plugin.errors import ConfigError

BOXES = toolkit_data.moving_boxes(6)
SETS = {"Basketball": BOXES, "Bolt": BOXES}


def command(folder: Path, *words: str, good: tuple[int, ...] = (0,)) -> None:
    """A command line in this process; its error on stderr as an exception.

    Raises:
        ConfigError: With the lines that the command wrote, for status 2.
    """
    err = io.StringIO()
    arguments = [word.format(folder) for word in words]
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
        status = main(arguments)
    lines = err.getvalue().replace("\r", "\n").strip().splitlines()
    if status == 2:
        raise ConfigError(lines[-1] if lines else "")
    if status not in good:
        raise AssertionError(f"status {status}: {lines[-1:]}")


def reads(*words: str, good: tuple[int, ...] = (0,)) -> Callable[[Path], None]:
    """A reader that is a command line; ``{}`` in it is the folder."""
    return lambda folder: command(folder, *words, good=good)


def write_eval(folder: Path) -> None:
    """OTB annotations and two trackers' results."""
    toolkit_data.write_annotations(folder / "set", SETS, {"Bolt": ["OCC", "DEF"]})
    for tracker in ("A", "B"):
        toolkit_data.write_results(folder / "results" / "OTB100", tracker, SETS)


def write_vot(folder: Path) -> None:
    """VOT sequences and restarts."""
    toolkit_data.write_vot(folder / "set", {"ball": toolkit_data.polygons(BOXES), "car": BOXES})
    runs = [[1, *BOXES[1:3], 2, 0, 0]]
    for video in ("ball", "car"):
        toolkit_data.write_restarts(folder / "results" / "VOT2018", "A", video, runs)


def write_raw(folder: Path) -> None:
    """A raw download of OTB with frames."""
    toolkit_data.write_otb(folder / "set", SETS, images=True)


def write_track(folder: Path) -> None:
    """Frames, weights and a configuration."""
    write_npz(folder)
    toolkit_data.write_frames(folder / "frames", BOXES)
    (folder / "a.yaml").write_text("tracking:\n  scales: 3\ncrop: {context: 0.5}\n")


NETWORK = ("--weights", "{}/net.npz", "--device", "cpu", "--precision", "float32")
CURATE = ("{}/out", "--workers", "1", "--force")

READERS = [
    Reader(
        "dsiam eval", write_eval,
        reads("eval", "-d", "OTB100", "--dataset_dir", "{}/set", "-p", "{}/results", "--json",
              "{}/o.json", "--csv", "{}/o.csv", "--attributes", "-s"),
    ),
    Reader(
        "dsiam eval (VOT)", write_vot,
        reads("eval", "-d", "VOT2018", "--dataset_dir", "{}/set", "-p", "{}/results"),
    ),
    Reader(
        "dsiam prepare", write_raw,
        reads("prepare", "OTB100", "{}/set", "--output", "{}/o.json", good=(0, 1)),
    ),
    Reader(
        "dsiam convert",
        lambda folder: toolkit_data.write_results(folder, "in", SETS),
        reads("convert", "{}/in", "{}/out", "--from", "pysot", "--to", "got10k"),
    ),
    Reader(
        "dsiam track", write_track,
        reads("track", "{}/frames", "--init-box", "10,10,12,10", "--config", "{}/a.yaml",
              "--result", "{}/o.txt", "--no-gui", *NETWORK, good=(0, 1)),
    ),
]  # fmt: skip


def source(name: str, write: Callable[..., object], *names: str) -> Reader:
    """``dsiam data curate`` over a source of that name."""
    return Reader(
        f"dsiam data curate {name}",
        lambda folder: [write(folder / "set", item) for item in names],
        reads("data", "curate", name, "{}/set", *CURATE),
    )


READERS += [
    source("ilsvrc", training_sources.write_snippet, "ILSVRC2015_train_00000000"),
    source("got10k", training_sources.write_got10k, "GOT-10k_Train_000001"),
    source("lasot", training_sources.write_lasot, "airplane-1"),
    source("otb", training_sources.write_otb, "Bolt"),
]
