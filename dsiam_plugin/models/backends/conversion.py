"""From a backend and a precision to the backbone that computes them."""

from collections.abc import Callable
from functools import partial

import torch

from dsiam_plugin.models.backbones import Backbone
from dsiam_plugin.models.backends.base import RuntimeBackbone
from dsiam_plugin.models.devices import has_bfloat16

# Backend -> precisions that need a backbone of its own.
PRECISIONS = {
    "torch": ("int8",),
    "onnxruntime": ("float32", "int8"),
    "openvino": ("float32", "bfloat16", "int8"),
}

Conversion = Callable[[Backbone, tuple[str, ...]], RuntimeBackbone]


def find_conversion(backend: str, precision: str) -> Conversion | None:
    """A function from a float32 backbone and the levels in use to the wanted form.

    Args:
        backend: One of ``PRECISIONS``.
        precision: As :func:`dsiam_plugin.models.resolve.resolve_names` gives it.

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
