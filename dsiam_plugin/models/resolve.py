"""Names of device and precision in place of ``auto``, or why this machine has not what is named."""

from collections.abc import Sequence

from dsiam_plugin.errors import ConfigError, DeviceError
from dsiam_plugin.io.messages import excerpt
from dsiam_plugin.models.backends.conversion import PRECISIONS
from dsiam_plugin.models.devices import has_int8, resolve_device, resolve_precision
from dsiam_plugin.models.precision import choose_precision
from dsiam_plugin.models.weights import Weights


def resolve_names(
    backend: str, device: str, precision: str, weights: Weights, levels: Sequence[str]
) -> tuple[str, str]:
    """Names of the device and the precision that ``auto`` stands for.

    On a CPU the precision is the fastest one whose features are true for these weights
    (:func:`choose_precision`), on a GPU what the card computes in.

    Args:
        backend: One of ``PRECISIONS``.
        device: As in :func:`dsiam_plugin.build_tracker`.
        precision: Likewise.
        weights: Of the network.
        levels: Its levels in use.

    Raises:
        ConfigError: If there is no such backend.
        DeviceError: If this machine lacks the device, or the backend does not compute on it, or in
            that precision, here.
        MissingDependencyError: If a backend to be timed is not installed.
    """
    if not isinstance(backend, str) or backend not in PRECISIONS:
        raise ConfigError(f"backend {excerpt(backend)}: expected {', '.join(PRECISIONS)}")
    place = "cpu"
    if backend == "torch" and precision != "int8":
        chosen = resolve_device(device)
        place = str(chosen)
        if chosen.type != "cpu" or precision != "auto":
            return place, str(resolve_precision(precision, chosen)).removeprefix("torch.")
    else:
        _check(backend, device, precision)
    if precision == "auto":
        precision = choose_precision(weights, levels, backend).precision
    return place, precision


def _check(backend: str, device: str, precision: str) -> None:
    """Raise DeviceError unless the backend computes in this precision on this device, here."""
    if device not in ("auto", "cpu"):
        subject = "precision 'int8'" if backend == "torch" else f"backend {backend!r}"
        raise DeviceError(f"device {device!r}: {subject} computes on the CPU only")
    known = PRECISIONS[backend]
    if precision not in ("auto", *known):
        raise DeviceError(
            f"precision {precision!r}: backend {backend!r} knows auto, {', '.join(known)}"
        )
    if precision == "int8" and not has_int8():
        raise DeviceError(
            "precision 'int8': this processor has no dot products of 8-bit integers (VNNI); use "
            "bfloat16 or float32"
        )
