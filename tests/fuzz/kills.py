"""kill -9 at file events: the old output or the new one, never half of one or none.

The command runs in a process of its own in which a module on its path, ``sitecustomize``, counts
calls that change files and ends the process by SIGKILL before the n-th. Afterwards the output must
be what it was, or what a whole run makes; the same command must then succeed and leave nothing
hidden behind.
"""

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import clip_data
import toolkit_data
import training_sources
from fuzz.engine import MOST_SECONDS, TESTS, Counts
from fuzz.weight_readers import write_npz, write_safetensors

HOOK = """
import builtins, os, signal
left = int(os.environ.get("KILL_AT", -1))
log = os.environ.get("KILL_LOG")
def counted(call, writes=lambda *a, **k: True):
    def wrapper(*arguments, **options):
        global left
        if writes(*arguments, **options):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            if log and left < 0:
                os.write(events, b"x")
        return call(*arguments, **options)
    return wrapper
events = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if log else -1
def writing(path, mode="r", *rest, **options):
    return isinstance(path, (str, os.PathLike)) and any(sign in mode for sign in "wax+")
if left > 0 or log:
    builtins.open = counted(builtins.open, writing)
    for name in ("replace", "rename", "fsync", "mkdir", "unlink", "rmdir"):
        setattr(os, name, counted(getattr(os, name)))
"""
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
    Command(("weights", "convert", "net.safetensors", "o.safetensors"), write_safetensors,
            "o.safetensors"),
    Command(("test", "-d", "set", "-t", "SiamFC", "-n", "0", *NETWORK), _test, "results/set/SiamFC",
            ("--force",), grows=True),
    Command(("eval", "-d", "set", "--json", "o.json"), _eval, "o.json"),
    Command(("eval", "-d", "set", "--csv", "o.csv"), _eval, "o.csv"),
    Command(("prepare", "OTB100", "set", "--output", "o.json"), _eval, "o.json"),
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
    """Kills commands at random events until the time is over, each at least once."""
    rng, counts, end = random.Random(seed), Counts(), time.monotonic() + seconds
    hook = folder / "hook"
    hook.mkdir(parents=True)
    (hook / "sitecustomize.py").write_text(HOOK)
    order = rng.sample(COMMANDS, len(COMMANDS))
    prepared: dict[int, tuple[Path, dict, int]] = {}
    while (time.monotonic() < end) and counts.inputs < most:
        number = counts.inputs % len(order)
        start = time.monotonic()
        if number not in prepared:
            prepared[number] = _whole_run(order[number], folder / f"kill-{number}", hook)
        place, whole, events = prepared[number]
        problem = _killed(order[number], place, whole, hook, rng.randint(1, max(events, 1)), rng)
        counts.inputs += 1
        counts.accepted += not problem
        counts.slowest_s = max(counts.slowest_s, time.monotonic() - start)
        if problem:
            counts.findings.append(f"dsiam {' '.join(order[number].words[:3])}: {problem}")
    return counts


def _whole_run(command: Command, place: Path, hook: Path) -> tuple[Path, dict, int]:
    """A prepared folder, the output of a whole run by file, and the events it took."""
    place.mkdir()
    command.prepare(place)
    done = run(command.words, place, hook, KILL_LOG=str(hook / "events"))
    if done.returncode:
        raise AssertionError(f"{command.words}: {done.stderr[-800:]!r}")
    events = hook / "events"
    count = events.stat().st_size if events.exists() else 0
    events.unlink(missing_ok=True)
    whole = content(place / command.output)
    _remove(place / command.output)
    return place, whole, count


def _killed(
    command: Command, place: Path, whole: dict, hook: Path, event: int, rng: random.Random
) -> str:
    """Kills a run at an event, over an old output or over none; what is wrong afterwards."""
    output, old = place / command.output, {}
    words = command.words
    _remove(output)
    if rng.random() < 0.5:
        done = run(words, place, hook)
        words, old = words + command.again, content(output)
    killed = run(words, place, hook, KILL_AT=str(event))
    found = content(output)
    old, new = ({name: len(data) for name, data in item.items()} for item in (old, whole))
    sizes = {name: len(data) for name, data in found.items()}
    if command.grows:
        half = [name for name in sizes if name not in new and name not in old]
    else:
        half = [] if sizes in (old, new) or _alike(sizes, new) else [f"{sizes} of {new}"]
    if half:
        return f"event {event}, status {killed.returncode}: {half[:3]}"
    done = run(command.words + (command.again if found else ()), place, hook)
    if done.returncode:
        return f"event {event}: not again: {done.stderr[-200:]!r}"
    hidden = [path.name for path in place.rglob(".*.*-????????*")]
    return f"event {event}: left {hidden}" if hidden else ""


def _alike(sizes: dict[str, int], new: dict[str, int]) -> bool:
    """The same files, of about the same length: times differ from run to run."""
    return sizes.keys() == new.keys() and all(
        abs(size - new[name]) <= 0.2 * new[name] + 64 for name, size in sizes.items()
    )


def run(words: tuple[str, ...], place: Path, hook: Path, **variables: str) -> object:
    """A command line with the hook, in a folder."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DSIAM")}
    path = os.pathsep.join([str(hook), str(TESTS.parent)])
    environment |= {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", **variables}
    environment["DSIAM_CACHE"] = str(hook / "cache")
    return subprocess.run(
        [sys.executable, "-m", "dsiam_plugin", *words],
        cwd=place, env=environment, capture_output=True, timeout=6 * MOST_SECONDS,
    )  # fmt: skip


def content(path: Path) -> dict[str, bytes]:
    """Bytes of a file, or of all in a folder by relative path."""
    if path.is_file():
        return {"": path.read_bytes()}
    files = sorted(item for item in path.rglob("*") if item.is_file())
    return {
        str(item.relative_to(path)): item.read_bytes()
        for item in files
        if not any(part.startswith(".") for part in item.relative_to(path).parts)
    }


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
