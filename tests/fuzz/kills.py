"""kill -9 at file events: the old output or the new one, never half of one or none.

The command runs in a fork of this process (so that PyTorch is loaded once) in which the calls that
change files are counted; before the n-th the process ends by SIGKILL. Afterwards the output must be
what it was, or what a whole run makes; the same command must then succeed and leave nothing hidden
behind.
"""

import builtins
import io
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import clip_data
import toolkit_data
import training_sources
from fuzz.engine import MOST_SECONDS, Counts
from seeded_network import write_weights

from dsiam_plugin.commands.main import main

CHANNELS = (4, 4, 4, 4, 4)
NETWORK = ("--weights", "net.npz", "--device", "cpu", "--precision", "float32")


@dataclass(frozen=True)
class Command:
    """A command that writes.

    Attributes:
        words: Its arguments, run in the folder.
        prepare: Makes what it reads, there.
        output: What it writes, a file or a folder.
        again: Arguments more for a run over an old output.
        grows: The output grows file by file, by design; each file is old, new or not there.
    """

    words: tuple[str, ...]
    prepare: Callable[[Path], object]
    output: str
    again: tuple[str, ...] = ()
    grows: bool = False


def write_npz(folder: Path) -> None:
    """``net.npz`` of a small network."""
    write_weights(folder / "net.npz", channels=CHANNELS)


def _track(folder: Path) -> None:
    write_npz(folder)
    toolkit_data.write_frames(folder / "frames", toolkit_data.moving_boxes(4))


def _test(folder: Path) -> None:
    write_npz(folder)
    toolkit_data.write_otb(folder / "set", {"a": toolkit_data.moving_boxes(4)}, images=True)


def _eval(folder: Path) -> None:
    boxes = {"Bolt": toolkit_data.moving_boxes(4)}
    toolkit_data.write_otb(folder / "set", boxes, images=True)
    toolkit_data.write_results(folder / "results" / "set", "A", boxes)


START = ("--init-box", "10,10,12,10", "--no-gui", *NETWORK)
COMMANDS = (
    Command(("track", "frames", "--result", "o.txt", *START), _track, "o.txt"),
    Command(("track", "frames", "--output", "o.mp4", *START), _track, "o.mp4"),
    Command(("weights", "convert", "net.npz", "o.safetensors"), write_npz,
            "o.safetensors"),
    Command(("test", "-d", "set", "-t", "SiamFC", "-n", "0", *NETWORK), _test, "results/set/SiamFC",
            ("--force",), grows=True),
    Command(("eval", "-d", "set", "--json", "o.json"), _eval, "o.json"),
    Command(("eval", "-d", "set", "--csv", "o.csv"), _eval, "o.csv"),
    Command(("prepare", "LaSOT", "set", "--output", "o.json"),
            lambda folder: training_sources.write_lasot(folder / "set", "airplane-1"), "o.json"),
    Command(("convert", "results/set/A", "o", "--from", "pysot", "--to", "got10k"), _eval, "o",
            grows=True),
    Command(("data", "curate", "otb", "set", "o"),
            lambda folder: training_sources.write_otb(folder / "set", "Bolt"), "o", ("--force",)),
    Command(("data", "synthesize", "o", "--sequences", "1", "--frames", "10", "--size", "160x120"),
            lambda folder: None, "o", ("--force",)),
    Command(("vot", "prepare", "o", "--data", "set"),
            lambda folder: toolkit_data.write_vot(
                folder / "set", {"ball": toolkit_data.moving_boxes(4)}, images=True),
            "o", grows=True),
    Command(("export", "--variant", "SiamFC", "--weights", "net.npz", "--out", "o.onnx"), write_npz,
            "o.onnx"),
    Command(("train", "recipe.yaml", "--data", "p=pack", "--out", "o", "--device", "cpu"),
            lambda folder: _train(folder), "o", ("--resume",), grows=True),
)  # fmt: skip


def _train(folder: Path) -> None:
    clip_data.write_pack(folder / "pack", (4, 3))
    (folder / "recipe.yaml").write_text(
        "stage: siamfc\nepochs: 1\nbatch_size: 2\npairs: {pairs: 4}\nvalidation: {every: 0}\n"
        "model: {channels: [4, 4, 4, 4, 4]}\npicture_steps: 0\n"
    )


def attack(folder: Path, seconds: float, seed: int, most: int = 1 << 30) -> Counts:
    """Kills commands at random events until the time is over, one command after another."""
    rng, counts, end = random.Random(seed), Counts(), time.monotonic() + seconds
    order = rng.sample(COMMANDS, len(COMMANDS))
    prepared: dict[int, tuple[Path, dict, int]] = {}
    while time.monotonic() < end and counts.inputs < most:
        number = counts.inputs % len(order)
        if number not in prepared:
            prepared[number] = _whole_run(order[number], folder / f"kill-{number}")
        start = time.monotonic()
        place, whole, events = prepared[number]
        problem = _killed(order[number], place, whole, rng.randint(1, max(events, 1)), rng)
        counts.inputs += 1
        counts.accepted += not problem
        counts.slowest_s = max(counts.slowest_s, time.monotonic() - start)
        if problem:
            counts.findings.append(f"dsiam {' '.join(order[number].words[:3])}: {problem}")
    return counts


def _whole_run(command: Command, place: Path) -> tuple[Path, dict, int]:
    """A prepared folder, the output of a whole run by file, and the events it took."""
    place.mkdir(parents=True)
    _forked(lambda: command.prepare(place), place)
    events = place.with_suffix(".events")
    status, text = run(command.words, place, events=events)
    if status not in (0, 1):  # prepare: gaps
        raise AssertionError(f"{command.words}: {text}")
    whole = content(place / command.output)
    _remove(place / command.output)
    return place, whole, events.stat().st_size


def _killed(command: Command, place: Path, whole: dict, event: int, rng: random.Random) -> str:
    """Kills a run at an event, over an old output or over none; what is wrong afterwards."""
    output, old = place / command.output, {}
    words = command.words
    _remove(output)
    if rng.random() < 0.5:
        run(words, place)
        words, old = words + command.again, content(output)
    killed, _ = run(words, place, kill_at=event)
    found = content(output)
    old, new = ({name: len(data) for name, data in item.items()} for item in (old, whole))
    sizes = {name: len(data) for name, data in found.items()}
    if command.grows:
        half = [name for name in sizes if not _whole(name, sizes, old, new)]
    else:
        half = [] if sizes in (old, new) or _alike(sizes, new) else [f"{sizes} of {new}"]
    if half:
        return f"event {event}, status {killed}: {half[:3]}"
    status, text = run(command.words + (command.again if found else ()), place)
    if status not in (0, 1):
        return f"event {event}: not again: {text}"
    hidden = [path.name for path in place.rglob(".*.*-????????*")]
    return f"event {event}: left {hidden}" if hidden else ""


def _whole(name: str, sizes: dict[str, int], old: dict[str, int], new: dict[str, int]) -> bool:
    """A file of a folder that grows is as before or as after a whole run; logs grow by rows."""
    if name.endswith((".log", ".csv")):
        return True
    return any(
        name in known and _alike({name: sizes[name]}, {name: known[name]}) for known in (old, new)
    )


def _alike(sizes: dict[str, int], new: dict[str, int]) -> bool:
    """The same files, of about the same length: times differ from run to run."""
    return sizes.keys() == new.keys() and all(
        abs(size - new[name]) <= 0.2 * new[name] + 64 for name, size in sizes.items()
    )


def run(
    words: tuple[str, ...], place: Path, kill_at: int = 0, events: Path | None = None
) -> tuple[int, str]:
    """Status of a command line in a folder, negative for a signal, and the end of what it said."""

    def work() -> int:
        os.environ["DSIAM_CACHE"] = str(place.parent / "cache")
        _count_events(kill_at, events)
        return main(list(words))

    return _forked(work, place)


def _forked(work: Callable[[], object], place: Path) -> tuple[int, str]:
    """Runs something in a child process, in a folder."""
    log = place.with_suffix(".log")
    child = os.fork()
    if child == 0:
        status = 70
        try:
            os.chdir(place)
            out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(out, 1)
            os.dup2(out, 2)
            done = work()
            status = done if isinstance(done, int) else 0
        except SystemExit as end:
            status = int(end.code or 0)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(status)
    end = time.monotonic() + 6 * MOST_SECONDS
    while not (done := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.005)
    return os.waitstatus_to_exitcode(done[1]), log.read_text(errors="replace")[-300:]


def _count_events(kill_at: int, events: Path | None) -> None:
    """Counts calls that change files in this process, a byte each in ``events``; kills at one."""
    log = events and os.open(events, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    left = [kill_at]

    def counted(call: Callable, changes: Callable[..., bool] = lambda *_, **__: True) -> Callable:
        def wrapper(*arguments: object, **options: object) -> object:
            if changes(*arguments, **options):
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                if log:
                    os.write(log, b"x")
            return call(*arguments, **options)

        return wrapper

    def writes(path: object, mode: str = "r", *_: object, **__: object) -> bool:
        return isinstance(path, (str, os.PathLike)) and any(sign in mode for sign in "wax+")

    builtins.open = io.open = counted(open, writes)
    for name in ("replace", "rename", "fsync", "mkdir", "unlink", "rmdir"):
        setattr(os, name, counted(getattr(os, name)))


def content(path: Path) -> dict[str, bytes]:
    """Bytes of a file, or of all in a folder by relative path."""
    if path.is_file():
        return {"": path.read_bytes()}
    files = sorted(item for item in path.rglob("*") if item.is_file())
    return {
        str(item.relative_to(path)): item.read_bytes()
        for item in files
        if not any(part.startswith((".", "tensorboard")) for part in item.relative_to(path).parts)
    }


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


if __name__ == "__main__":  # a process that has run no thread, so that its forks can
    place, seconds, seed = sys.argv[1:]
    found = attack(Path(place), float(seconds), int(seed))
    sys.stdout.write(json.dumps(asdict(found)) + "\n")
