"""``dsiam doctor``: does this installation work, and if not, why."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

from dsiam_plugin import __version__
from dsiam_plugin.commands.options import DEFAULT_TRACKER, tracker_options
from dsiam_plugin.errors import DSiamError, MissingDependencyError
from dsiam_plugin.io.versions import (
    OPENCV,
    OPENCV_RANGE,
    OPTIONAL,
    PYTHON,
    REQUIRED,
    fits,
    installed,
)

OK, NOTE, FAIL = "ok", "note", "FAIL"


class Check(NamedTuple):
    """One line of the report.

    Attributes:
        status: OK, NOTE (works, or is not needed) or FAIL.
        subject: What was looked at.
        finding: What was found and, unless all is well, what was expected. The first line is the
            summary; further lines, such as a traceback, are shown below it.
    """

    status: str
    subject: str
    finding: str


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declares ``dsiam doctor``."""
    parser = subparsers.add_parser(
        "doctor",
        parents=[tracker_options()],
        help="check versions, weights, GPU and a TraX session with the tracker",
        description="Exits with status 1 if anything fails.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "--tracker", default=DEFAULT_TRACKER, metavar="NAME", help="default: %(default)s"
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints every check as it is made; 1 if one failed, else 0."""
    failed = False
    for check in checks(arguments):
        print(format_check(check, sys.stdout.isatty()), flush=True)
        failed = failed or check.status == FAIL
    return 1 if failed else 0


def checks(arguments: argparse.Namespace) -> Iterator[Check]:
    """All checks, cheap ones first."""
    yield _python()
    yield from required_versions(installed(REQUIRED))
    yield from opencv_versions(installed(OPENCV))
    yield from optional_versions(installed(OPTIONAL))
    if installed(["vot-toolkit"]):
        yield importable("vot", "vot-toolkit")
    names = (arguments.device, arguments.precision, arguments.backend)
    yield _guarded("device", lambda: _device(*names))
    yield _guarded("weights", lambda: _weights(arguments.weights))
    yield _guarded("TraX session", lambda: _session(arguments))


def format_check(check: Check, colored: bool) -> str:
    """The check as text; the mark is coloured where a terminal shows it."""
    from colorama import Fore

    mark = f"{check.status:4}"
    if colored:
        color = {OK: Fore.GREEN, NOTE: Fore.YELLOW, FAIL: Fore.RED}[check.status]
        mark = f"{color}{mark}{Fore.RESET}"
    first, *more = check.finding.splitlines() or [""]
    return "\n".join([f"{mark}  {check.subject}: {first}", *(f"      {line}" for line in more)])


def required_versions(versions: dict[str, str]) -> Iterator[Check]:
    """Distributions the plugin cannot do without.

    Args:
        versions: Installed distributions and their versions.
    """
    for name, ranges in REQUIRED.items():
        version = versions.get(name)
        if version is None:
            yield Check(FAIL, name, f"not installed; expected {ranges}")
        elif not fits(version, ranges):
            yield Check(FAIL, name, f"{version}; expected {ranges}")
        else:
            yield Check(OK, name, version)


def opencv_versions(versions: dict[str, str]) -> Iterator[Check]:
    """The distributions that provide ``cv2``: exactly one should be there."""
    found = ", ".join(f"{name} {version}" for name, version in versions.items())
    if not versions:
        yield Check(FAIL, "OpenCV", f"not installed; expected one of {', '.join(OPENCV)}")
        return
    if not all(fits(version, OPENCV_RANGE) for version in versions.values()):
        yield Check(FAIL, "OpenCV", f"{found}; expected {OPENCV_RANGE}")
    elif len(versions) > 1:
        yield Check(NOTE, "OpenCV", f"{found}; expected one, they overwrite each other's files")
    else:
        yield Check(OK, "OpenCV", found)


def optional_versions(versions: dict[str, str]) -> Iterator[Check]:
    """Distributions of the extras; missing ones are no failure."""
    for name, (extra, ranges) in OPTIONAL.items():
        version = versions.get(name)
        if version is None:
            yield Check(NOTE, name, f"not installed (pip install 'dsiam-plugin[{extra}]')")
        elif fits(version, ranges):
            yield Check(OK, name, version)
        elif name == "vot-toolkit" and fits(version, ">=0.8"):
            finding = f"{version}; expected {ranges} for the supervised VOT2013-2019 experiments"
            yield Check(NOTE, name, f"{finding} (the others work)")
        else:
            yield Check(NOTE, name, f"{version}; expected {ranges}")


def importable(module: str, subject: str) -> Check:
    """Whether a module imports, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}"], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return Check(OK, subject, f"`import {module}` works")
    reason = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
    _, ranges = OPTIONAL["attributee"]
    remedy = f"expected attributee{ranges} beside it (pip install 'dsiam-plugin[vot]')"
    return Check(FAIL, subject, f"`import {module}` fails: {reason}; {remedy}")


def _python() -> Check:
    version = platform.python_version()
    good = fits(version, PYTHON)
    finding = f"{version}, dsiam {__version__}, {platform.platform()}"
    return Check(OK if good else FAIL, "Python", finding + ("" if good else f"; expected {PYTHON}"))


def _guarded(subject: str, check: Callable[[], Check]) -> Check:
    """The check, or a failure with the reason where it raises."""
    try:
        return check()
    except MissingDependencyError as error:
        return Check(NOTE, subject, f"not tried: {error}")
    except (DSiamError, ImportError, OSError) as error:
        return Check(FAIL, subject, str(error))


def _device(device: str, precision: str, backend: str = "torch") -> Check:
    import torch

    from dsiam_plugin.models.backends import resolve_names

    name, number_format = resolve_names(backend, device, precision)
    chosen = torch.device(name)
    if chosen.type == "cuda":
        properties = torch.cuda.get_device_properties(chosen)
        memory = f"{properties.total_memory / 2**30:.0f} GiB, CUDA {torch.version.cuda}"
        return Check(OK, "device", f"{properties.name}, {memory}, {number_format}")
    finding = f"CPU, {torch.get_num_threads()} threads, {number_format}"
    finding += "" if backend == "torch" else f" by {backend}"
    if torch.cuda.is_available():
        return Check(OK, "device", finding)
    return Check(NOTE, "device", f"{finding}; no GPU")


def _weights(path: str | None) -> Check:
    from dsiam_plugin.models.weights import EMBEDDED, ENVIRONMENT_VARIABLE, load_weights

    weights = load_weights(path)
    if path:
        origin = "--weights"
    elif weights.path == EMBEDDED:
        origin = "the package"
    else:
        origin = f"${ENVIRONMENT_VARIABLE}"
    finding = f"{weights.path} (from {origin}), {weights.backbone}, sha256 {weights.sha256[:12]}"
    return Check(OK, "weights", finding)


def _session(arguments: argparse.Namespace) -> Check:
    from dsiam_plugin.vot.handshake import shake_hands

    wanted = {
        "DSIAM_TRACKER": arguments.tracker,
        "DSIAM_WEIGHTS": arguments.weights and os.path.abspath(arguments.weights),
        "DSIAM_CONFIG": arguments.config and os.path.abspath(arguments.config),
        "DSIAM_DEVICE": arguments.device,
        "DSIAM_PRECISION": arguments.precision,
        "DSIAM_BACKEND": arguments.backend,
    }
    session = shake_hands({name: value for name, value in wanted.items() if value})
    finding = (
        f"{arguments.tracker} followed 3 frames (overlap {session.overlap:.2f}), hello after"
        f" {session.start_s:.1f} s, {session.frame_s * 1000:.0f} ms a frame"
    )
    return Check(OK, "TraX session", finding)
