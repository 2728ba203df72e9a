"""The stack on which a thread's signal handlers run, where a library has left one of its own."""

import ctypes
import sys

SS_DISABLE = 2


class _Stack(ctypes.Structure):
    _fields_ = [("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]


def drop_signal_stack() -> None:
    """Run this thread's handlers on its ordinary stack again.

    OpenVINO gives the thread that computes a stack for signals and frees it with the model; a
    handler of Python's that ran there later would end the process.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).sigaltstack(ctypes.byref(_Stack(None, SS_DISABLE, 0)), None)
