"""Memory that a training takes for each sample."""

import sys

import torch


class MemoryMeter:
    """Growth of the peak memory since the meter was made.

    On a GPU that of its allocations, else that of the process; None where the system does not
    tell.
    """

    def __init__(self, device: torch.device):
        self._device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        self._start = self._peak()

    def growth(self) -> int | None:
        """Bytes."""
        peak = self._peak()
        return None if peak is None or self._start is None else peak - self._start

    def _peak(self) -> int | None:
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device)
        try:
            import resource
        except ImportError:  # Windows
            return None
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024  # kilobytes on Linux
