"""Feeds damaged files to readers and sorts what they do.

A reader may return (accepted) or raise an error of the plugin's tree, or the system's about a file
(clean). Everything else is a finding: another exception, a message of several lines or more than
500 characters, more than 20 s, more than 2 GB, a signal. Each reader runs in a process of its own,
so that a crash ends that one only and is counted.
"""

import contextlib
import fnmatch
import importlib
import io
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fuzz.mutations import damaged

from dsiam_plugin.commands.command import message_of as shown
from dsiam_plugin.errors import DSiamError

MOST_SECONDS = 20
MOST_BYTES = 2 << 30
LONGEST_MESSAGE = 500
TESTS = Path(__file__).resolve().parent.parent
MODULES = ("weight_readers", "text_readers", "data_readers", "picture_readers", "api")


@dataclass(frozen=True)
class Reader:
    """A reader of foreign files.

    Attributes:
        name: Shown in the table.
        write: Fills an empty folder with valid files.
        read: Reads the folder; what it returns does not matter.
        files: Pattern of the files that are damaged.
        inputs: Other inputs than damaged files: from a random generator, called by ``read`` in
            turn. None for damaged files.
    """

    name: str
    write: Callable[[Path], object]
    read: Callable[[Path], object]
    files: str = "*"
    inputs: Callable[[random.Random], Callable[[], object]] | None = None


@dataclass
class Counts:
    """What happened to the inputs of a reader."""

    inputs: int = 0
    clean: int = 0
    accepted: int = 0
    slowest_s: float = 0.0
    findings: list[str] = field(default_factory=list)


_LAST: list[str] = []  # message of the last clean error


class TookTooLongError(BaseException):
    """An input kept a reader busy; no reader catches it."""


def readers() -> dict[str, Reader]:
    """All readers by name."""
    found = [importlib.import_module(f"fuzz.{module}").READERS for module in MODULES]
    return {reader.name: reader for part in found for reader in part}


def attack(
    reader: Reader, folder: Path, seconds: float, seed: int, most: int = 1 << 30
) -> Iterator[Counts]:
    """Runs a reader in this process; yields the counts so far after every input.

    The input under way lies in ``folder``, so that it can be looked at after a crash.
    """
    rng, counts, end = random.Random(f"{reader.name} {seed}"), Counts(), time.monotonic() + seconds
    reader.write(folder)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    valid = {path: path.read_bytes() for path in paths}
    chosen = [path for path in paths if fnmatch.fnmatch(path.relative_to(folder), reader.files)]
    if (problem := _outcome(lambda: reader.read(folder), counts)) or counts.clean:
        raise AssertionError(f"{reader.name}: its valid files are refused: {problem or _LAST}")
    while time.monotonic() < end and counts.inputs < most:
        if reader.inputs:
            call, kept = reader.inputs(rng), None
        else:
            path = rng.choice(chosen)
            kept = damaged(valid[path], rng)
            path.write_bytes(kept)
            call = lambda: reader.read(folder)  # noqa: E731
        problem = _outcome(call, counts)
        if problem:
            counts.findings.append(problem)
            if kept is not None and len(counts.findings) <= 20:
                place = folder.with_name(f"{folder.name}-finding-{len(counts.findings)}")
                shutil.copytree(folder, place)
                counts.findings[-1] += f" [{path.relative_to(folder)} in {place.name}]"
        if kept is not None:
            path.write_bytes(valid[path])
        yield counts


def _outcome(call: Callable[[], object], counts: Counts) -> str:
    """Counts one input; what is wrong, or an empty text."""
    start, before = time.monotonic(), peak_bytes()
    previous = signal.signal(signal.SIGALRM, _alarm)
    signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
    counts.inputs += 1
    problem = ""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            call()
        counts.accepted += 1
    except (DSiamError, OSError) as error:
        counts.clean += 1
        message = str(error) if isinstance(error, DSiamError) else shown(error)
        _LAST[:] = [message]
        if len(message) > LONGEST_MESSAGE or not message:
            problem = f"message of {len(message)} characters: {message[:200]!r}"
    except TookTooLongError:
        problem = f"more than {MOST_SECONDS} s: {_place(sys.exc_info()[2])}"
    except Exception as error:
        problem = f"{type(error).__name__}: {str(error)[:160]!r} at {_place(error.__traceback__)}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    counts.slowest_s = max(counts.slowest_s, time.monotonic() - start)
    used = peak_bytes() - before  # whatever ran in this process earlier
    return problem or (f"{used >> 20} MB of memory" if used > MOST_BYTES else "")


def peak_bytes() -> int:
    """Most memory that this program has had; ru_maxrss would count what its parent had, too."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) << 10


def _alarm(*_: object) -> None:
    raise TookTooLongError


def _place(trace: object) -> str:
    """The last lines of the package in a traceback."""
    frames = [item for item in traceback.extract_tb(trace) if "/dsiam_plugin/" in item.filename]
    return " < ".join(
        f"{item.filename.rpartition('dsiam_plugin/')[2]}:{item.lineno}" for item in frames[:-4:-1]
    )


def attack_apart(name: str, folder: Path, seconds: float, seed: int) -> Counts:
    """Runs a reader in processes of its own until the time is over; a crash begins another."""
    end, total = time.monotonic() + seconds, Counts()
    while (left := end - time.monotonic()) > 0.5 and len(total.findings) < 50:
        seed += 1
        place = folder / f"{name.replace(' ', '-')}-{seed}"
        place.mkdir(parents=True)
        command = [sys.executable, "-m", "fuzz.engine", name, str(place), str(left), str(seed)]
        counts, problem = watched(command, left)
        total.inputs += counts.inputs
        total.clean += counts.clean
        total.accepted += counts.accepted
        total.slowest_s = max(total.slowest_s, counts.slowest_s)
        total.findings += counts.findings + ([f"{problem} [{place}]"] if problem else [])
    return total


def watched(command: list[str], seconds: float) -> tuple[Counts, str]:
    """The last counts that a process wrote, and how it failed if it did."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]),
        "OMP_NUM_THREADS": "1",
    }
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        try:
            out, err = process.communicate(timeout=seconds + 90)
            problem = "" if process.returncode == 0 else f"status {process.returncode}"
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            problem = f"more than {MOST_SECONDS} s in compiled code"
    lines = [line for line in out.splitlines() if line.startswith("{")]
    counts = Counts(**json.loads(lines[-1])) if lines else Counts()
    return counts, f"{problem}: {err[-600:]}" if problem else ""


def attack_with(module: str, folder: Path, seconds: float, seed: int) -> Counts:
    """The counts of a module that is run as a program, in a process of its own."""
    command = [sys.executable, "-m", module, str(folder), str(seconds), str(seed)]
    counts, problem = watched(command, seconds)
    counts.findings += [problem] if problem else []
    return counts


def main(name: str, folder: str, seconds: str, seed: str) -> None:
    """Entry of the process of one reader; counts go to its output, a JSON object a line."""
    stream = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for counts in attack(readers()[name], Path(folder), float(seconds), int(seed)):
        stream.write(json.dumps(asdict(counts)) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
