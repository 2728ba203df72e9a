"""Dependencies that the package declares, and the versions installed."""

import importlib
from importlib import metadata
from types import ModuleType
from typing import NamedTuple

from dsiam_plugin.errors import MissingDependencyError

DISTRIBUTION = "dsiam-plugin"
# Any one of them provides cv2; servers use a headless one.
OPENCV = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
COLLECTIONS = ("dev", "all")  # extras that consist of the others


class Need(NamedTuple):
    """A declared dependency."""

    name: str  # name of the distribution
    ranges: str  # versions it may have, such as `>=0.7.3,<0.8`
    extra: str  # the extra that brings it; "" where it is always installed


def import_optional(name: str, extra: str) -> ModuleType:
    """A module that one of the package's extras brings.

    Raises:
        MissingDependencyError: It is not installed or does not load.
    """
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        raise MissingDependencyError(
            f"{name} cannot be imported ({error}); expected: pip install 'dsiam-plugin[{extra}]'"
        ) from error


def python_range() -> str:
    """Versions of Python the package may run on; "" where it is not installed."""
    try:
        return metadata.metadata(DISTRIBUTION)["Requires-Python"] or ""
    except metadata.PackageNotFoundError:
        return ""


def needs() -> list[Need]:
    """The package's dependencies with those of its extras; empty where it is not installed."""
    from packaging.requirements import Requirement

    try:
        declared = [Requirement(text) for text in metadata.requires(DISTRIBUTION) or ()]
        extras = metadata.metadata(DISTRIBUTION).get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:
        return []
    found = []
    for extra in ("", *(name for name in extras if name not in COLLECTIONS)):
        for item in declared:
            in_extra = item.marker is not None and item.marker.evaluate({"extra": extra})
            if in_extra if extra else item.marker is None:
                found.append(Need(item.name, _ordered(str(item.specifier)), extra))
    return found


def installed_version(distribution: str) -> str | None:
    """Version of an installed distribution, without importing it; None where it is missing."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def fits(version: str, ranges: str) -> bool:
    """True if a version lies in comma-separated ranges such as ``>=0.7.3,<0.8`` (PEP 440)."""
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        return SpecifierSet(ranges).contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False


def _ordered(ranges: str) -> str:
    """The lower bound first, as people write it."""
    return ",".join(sorted(ranges.split(","), key=lambda item: not item.startswith(">")))
