"""The process that reads MATLAB files for :mod:`dsiam_plugin.io.mat`, and nothing else."""

import io
import json
import os
import sys
import warnings
from typing import Any

import numpy as np

DEPTH = 50  # of structs and cells in each other


def serve(memory: int) -> None:
    """Answers names of files, one a line, until the input ends.

    A reply is its length (8 bytes) and an ``.npz`` of that length: the arrays, and ``tree``, JSON
    that names them: a dict of variables, or a str, why there are none.

    Args:
        memory: Bytes of address space this process may take, where the system can bound it.
    """
    import scipy.io

    _limit(memory)
    warnings.simplefilter("ignore")
    output, sys.stdout = sys.stdout.buffer, sys.stderr
    for line in sys.stdin.buffer:
        content = _answer(os.fsdecode(bytes.fromhex(line.decode())), scipy.io.loadmat)
        output.write(len(content).to_bytes(8, "big"))
        output.write(content)
        output.flush()


def _limit(memory: int) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(path: str, load: Any) -> bytes:
    arrays: dict[str, np.ndarray] = {}
    try:
        content = load(path, struct_as_record=False, squeeze_me=False)
        variables = {
            name: _plain(value, arrays, DEPTH)
            for name, value in content.items()
            if not name.startswith("__")
        }
        return _packed({"struct": variables}, arrays)
    except NotImplementedError:
        reason = "MATLAB 7.3, which is HDF5; save it with -v7"
    except MemoryError:
        reason = "too large"
    except Exception as error:  # damaged files raise whatever their bytes lead to
        reason = " ".join(str(error).split())[:200] or type(error).__name__
    return _packed(reason, {})


def _packed(tree: Any, arrays: dict[str, np.ndarray]) -> bytes:
    text = np.frombuffer(json.dumps(tree).encode(), np.uint8)
    stream = io.BytesIO()
    named: dict[str, Any] = {"tree": text, **arrays}
    np.savez(stream, **named)
    return stream.getvalue()


def _plain(value: Any, arrays: dict[str, np.ndarray], depth: int) -> Any:
    """JSON of a value as SciPy gives it, its numbers put into ``arrays``."""
    if depth == 0:
        raise ValueError(f"more than {DEPTH} structs or cells in each other")
    if hasattr(value, "_fieldnames"):
        fields = {name: getattr(value, name) for name in value._fieldnames}
        return {"struct": {name: _plain(item, arrays, depth - 1) for name, item in fields.items()}}
    if not isinstance(value, np.ndarray):
        return None
    if value.dtype.kind in "biufc":
        name = f"array{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    if value.dtype.kind in "SU":
        rows = [str(row) for row in value.ravel()]
        return "".join(rows) if len(rows) < 2 else rows
    if value.dtype.kind != "O":
        return None
    items = [_plain(item, arrays, depth - 1) for item in value.ravel(order="F")]
    is_struct = value.size == 1 and hasattr(value.flat[0], "_fieldnames")
    return items[0] if is_struct else items
