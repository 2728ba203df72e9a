"""Choosing a device and a precision that the machine has."""

import torch

from dsiam_plugin.errors import DeviceError
from dsiam_plugin.io.messages import excerpt

PRECISIONS = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


def resolve_device(name: str) -> torch.device:
    """The device of a name; ``auto`` is the first GPU, or the CPU where there is none.

    Raises:
        DeviceError: If the name is unknown or this machine lacks the device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(str(name))
    except RuntimeError:
        raise DeviceError(f"device {excerpt(name)}: expected auto, cpu, cuda or cuda:N") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise DeviceError(f"device {name!r}: this machine has {torch.cuda.device_count()} GPUs")
    if device.type not in ("cpu", "cuda"):
        raise DeviceError(f"device {name!r}: expected auto, cpu, cuda or cuda:N")
    return device


def resolve_precision(name: str, device: torch.device) -> torch.dtype:
    """The convolutions' precision; ``auto`` takes bfloat16 where the processor computes in it.

    Raises:
        DeviceError: If the name is unknown or the device does not compute in it.
    """
    if name == "auto":
        return torch.bfloat16 if has_bfloat16(device) else torch.float32
    if not isinstance(name, str) or name not in PRECISIONS:
        raise DeviceError(
            f"precision {excerpt(name)}: expected auto, {', '.join(PRECISIONS)} or int8"
        )
    if name == "float16" and device.type == "cpu":
        raise DeviceError("precision 'float16': needs a GPU; on a CPU use bfloat16 or float32")
    return PRECISIONS[name]


def has_bfloat16(device: torch.device) -> bool:
    """True if bfloat16 is computed natively; emulated, it would be slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return _has_any("avx512_bf16", "amx_bf16")


def has_int8() -> bool:
    """True if the processor adds products of 8-bit integers in 32 bits (VNNI, AMX)."""
    return _has_any("avx512_vnni", "avx_vnni", "amx_int8")


def _has_any(*capabilities: str) -> bool:
    # Older PyTorch has no public question; its own tests ask oneDNN like this.
    found: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(found.get(capability) for capability in capabilities)


def autocast_dtype(device: torch.device) -> torch.dtype:
    """What autocast, where it is on, makes of a product; its getters vary by version."""
    one = torch.ones(1, 1, device=device)
    return (one @ one).dtype
