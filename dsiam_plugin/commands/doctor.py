"""``dsiam doctor``: does this installation work, and if not, why."""

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from dsiam_plugin import __version__
from dsiam_plugin.commands.options import DEFAULT_TRACKER, tracker_options
from dsiam_plugin.errors import DSiamError, MissingDependencyError
from dsiam_plugin.io import versions
from dsiam_plugin.io.versions import OPENCV, Need, fits

OK, NOTE, FAIL = "ok", "note", "FAIL"
# What the compiled packages do with each other's arrays: built for another NumPy, they cannot.
ARRAYS = (
    "import numpy, cv2, torch; pixels = numpy.zeros((4, 4, 3), numpy.uint8); "
    "cv2.resize(pixels, (2, 2)); torch.from_numpy(pixels).numpy()"
)
ARRAYS_REMEDY = "numpy, torch and OpenCV built for each other: numpy<2 beside torch<2.3"
VOT_REMEDY = "attributee<0.1.10 beside it (pip install 'attributee<0.1.10')"


class Check(NamedTuple):
    """One line of the report."""

    status: str  # OK, NOTE (works, or is not needed) or FAIL
    subject: str  # what was looked at
    # What was found and, unless all is well, what was expected. The first line is the summary;
    # further lines, such as a traceback, are shown below it
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
    needs = versions.needs()
    if not needs:
        yield Check(NOTE, versions.DISTRIBUTION, "not installed, so no versions are known to it")
    yield from package_versions(needs, versions.installed_version)
    yield trial("arrays", ARRAYS, "numpy, cv2 and torch share them", ARRAYS_REMEDY)
    if versions.installed_version("vot-toolkit"):
        yield trial("vot-toolkit", "import vot", "`import vot` works", VOT_REMEDY)
    yield _guarded("device", lambda: _device(arguments.device))
    yield _guarded("weights", lambda: _weights(arguments))
    yield _guarded("precision", lambda: _precision(arguments))
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


def package_versions(
    needs: Iterable[Need], version_of: Callable[[str], str | None]
) -> Iterator[Check]:
    """A check for each dependency; those of extras fail none."""
    for name, ranges, extra in needs:
        version = version_of(name)
        if name in OPENCV:
            found = [f"{other} {version_of(other)}" for other in OPENCV if version_of(other)]
            yield _opencv(ranges, found)
        elif version is None:
            remedy = f" (pip install 'dsiam-plugin[{extra}]')" if extra else f"; expected {ranges}"
            yield Check(NOTE if extra else FAIL, name, f"not installed{remedy}")
        elif fits(version, ranges):
            yield Check(OK, name, version)
        elif name == "vot-toolkit" and fits(version, ">=0.8"):
            yield Check(
                NOTE,
                name,
                f"{version} runs unsupervised experiments; expected {ranges} for supervised ones "
                "(VOT2013-2019), 0.7.4 for multistart ones (VOT2020-2022), where 0.9.0 has a bug",
            )
        else:
            yield Check(NOTE if extra else FAIL, name, f"{version}; expected {ranges}")


def trial(subject: str, program: str, success: str, remedy: str) -> Check:
    """The outcome of a few lines of Python in a process of their own, which may crash."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return Check(OK, subject, success)
    reason = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
    return Check(FAIL, subject, f"`{program.split(';')[0]}` fails: {reason}; expected {remedy}")


def _opencv(ranges: str, found: Sequence[str]) -> Check:
    """The distributions that provide ``cv2``: exactly one should be there."""
    listed = ", ".join(found)
    if not found:
        return Check(FAIL, "OpenCV", f"not installed; expected one of {', '.join(OPENCV)}")
    if not all(fits(item.split()[1], ranges) for item in found):
        return Check(FAIL, "OpenCV", f"{listed}; expected {ranges}")
    if len(found) > 1:
        return Check(NOTE, "OpenCV", f"{listed}; expected one, they overwrite each other's files")
    return Check(OK, "OpenCV", listed)


def _python() -> Check:
    version, expected = platform.python_version(), versions.python_range()
    finding = f"{version}, dsiam {__version__}, {platform.platform()}"
    if fits(version, expected):
        return Check(OK, "Python", finding)
    return Check(FAIL, "Python", f"{finding}; expected {expected}")


def _guarded(subject: str, check: Callable[[], Check]) -> Check:
    """The check, or a failure with the reason where it raises."""
    try:
        return check()
    except MissingDependencyError as error:
        return Check(NOTE, subject, f"not tried: {error}")
    except (DSiamError, ImportError, OSError) as error:
        return Check(FAIL, subject, str(error))


def _device(name: str) -> Check:
    import torch

    from dsiam_plugin.models.devices import resolve_device

    chosen = resolve_device(name)
    if chosen.type == "cuda":
        properties = torch.cuda.get_device_properties(chosen)
        memory = f"{properties.total_memory / 2**30:.0f} GiB, CUDA {torch.version.cuda}"
        return Check(OK, "device", f"{properties.name}, {memory}")
    finding = f"CPU, {torch.get_num_threads()} threads"
    if torch.cuda.is_available():
        return Check(OK, "device", finding)
    return Check(NOTE, "device", f"{finding}; no GPU")


def _precision(arguments: argparse.Namespace) -> Check:
    """The convolutions' precision and, where it was measured, the measurement."""
    from dsiam_plugin.config.files import load_config
    from dsiam_plugin.config.variants import find_variant
    from dsiam_plugin.models.precision import choose_precision
    from dsiam_plugin.models.resolve import resolve_names
    from dsiam_plugin.trackers.builders import weights_of

    weights = weights_of(arguments.tracker, arguments.config, arguments.weights)
    backend = arguments.backend
    variant = find_variant(arguments.tracker).config
    levels = load_config(arguments.config, variant, weights.config.get("tracker")).model.layers
    names = (arguments.device, arguments.precision)
    device, finding = resolve_names(backend, *names, weights, levels)
    if device == "cpu" and arguments.precision == "auto":
        finding = str(choose_precision(weights, levels, backend))
    return Check(OK, "precision", finding + ("" if backend == "torch" else f" by {backend}"))


def _weights(arguments: argparse.Namespace) -> Check:
    from dsiam_plugin.models.weights import EMBEDDED, ENVIRONMENT_VARIABLE
    from dsiam_plugin.trackers.builders import weights_of

    weights = weights_of(arguments.tracker, arguments.config, arguments.weights)
    if arguments.weights:
        origin = "--weights"
    elif weights.path.parent == EMBEDDED.parent:
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
