"""What computes the convolutions on the CPU in place of PyTorch's modules."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch

from dsiam_plugin.errors import ConfigError, DeviceError
from dsiam_plugin.models.backbones import Backbone
from dsiam_plugin.models.backends.base import RuntimeBackbone
from dsiam_plugin.models.devices import has_bfloat16, has_int8, resolve_device, resolve_precision

# Backend -> precisions that need a backbone of its own.
PRECISIONS = {
    "torch": ("int8",),
    "onnxruntime": ("float32", "int8"),
    "openvino": ("float32", "bfloat16", "int8"),
}

Conversion = Callable[[Backbone, tuple[str, ...]], RuntimeBackbone]


def resolve_names(backend: str, device: str, precision: str) -> tuple[str, str]:
    """Names of the device and the precision that ``auto`` stands for.

    Raises:
        ConfigError: If there is no such backend.
        DeviceError: If this machine lacks the device, or the backend does not compute on it, or in
            that precision, here.
    """
    if backend not in PRECISIONS:
        raise ConfigError(f"backend {backend!r}: expected {', '.join(PRECISIONS)}")
    if backend == "torch" and precision != "int8":
        place = resolve_device(device)
        return str(place), str(resolve_precision(precision, place)).removeprefix("torch.")
    _check(backend, device, precision)
    if precision == "auto":
        has_it = "bfloat16" in PRECISIONS[backend] and has_bfloat16(torch.device("cpu"))
        precision = "bfloat16" if has_it else "float32"
    return "cpu", precision


def find_conversion(backend: str, precision: str) -> Conversion | None:
    """What turns a float32 backbone and the levels in use into the wanted form.

    Args:
        backend: One of ``PRECISIONS``.
        precision: As :func:`resolve_names` gives it.

    Returns:
        None if PyTorch's modules are that form.
    """
    if backend == "torch":
        if precision != "int8":
            return None
        from dsiam_plugin.models.backends.int8 import Int8Backbone

        return Int8Backbone
    from dsiam_plugin.models.backends import sessions

    if backend == "onnxruntime":
        return partial(sessions.OnnxRuntimeBackbone, precision=precision)
    rest = "bfloat16" if has_bfloat16(torch.device("cpu")) else "float32"
    return partial(sessions.OpenVinoBackbone, precision=precision, rest=rest)


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
