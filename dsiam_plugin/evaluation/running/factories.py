"""The callable behind ``module:attribute`` or ``path/to/file.py:attribute``.

A module that Python does not find by itself is looked for in the working directory. ``sys.path``
stays as it is: what such a module imports must be installed, or belong to the same package.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from dsiam_plugin.errors import TrackerError
from dsiam_plugin.io.messages import excerpt


def load_factory(reference: str) -> Callable[..., Any]:
    """The callable that a reference names; its attribute may be dotted.

    Raises:
        TrackerError: There is no such module, file or attribute, or it cannot be called.
        Exception: Whatever the module raises when it is loaded.
    """
    home, colon, path = reference.rpartition(":")
    if not (home and colon and path):
        raise TrackerError(f"{excerpt(reference)}: expected module:factory or file.py:factory")
    found: Any = _load_file(Path(home)) if home.endswith(".py") else _load_module(home)
    for attribute in path.split("."):
        if not hasattr(found, attribute):
            raise TrackerError(f"{reference}: {home} has no {path!r}")
        found = getattr(found, attribute)
    if not callable(found):
        raise TrackerError(f"{reference}: {type(found).__name__} cannot be called")
    return found


def _load_module(name: str) -> ModuleType:
    """A module that is installed, or lies in the working directory."""
    top = name.partition(".")[0]
    try:
        if top not in sys.modules and importlib.util.find_spec(top) is None:
            spec = PathFinder.find_spec(top, [os.getcwd()])
            if spec is not None:
                _execute(top, spec)
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise TrackerError(f"{name}: there is no module {error.name!r}") from error
    except ValueError as error:  # of find_spec, for a name such as ".x"
        raise TrackerError(f"{name}: no module's name ({error})") from error


def _load_file(path: Path) -> ModuleType:
    """The module in a file, under the file's own name."""
    if not path.is_file():
        raise TrackerError(f"{path}: there is no such file")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None:
        raise TrackerError(f"{path}: not a file of Python code")
    try:
        return _execute(path.stem, spec)
    except ModuleNotFoundError as error:
        raise TrackerError(f"{path}: there is no module {error.name!r}") from error


def _execute(name: str, spec: ModuleSpec) -> ModuleType:
    """The loaded module, known by its name while and after it runs, as ``import`` does it."""
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        if spec.loader is not None:
            spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name)
        if before is not None:
            sys.modules[name] = before
        raise
    return module
