"""Exceptions under the toolkit's names; `ToolkitError` is the base of all."""

from dsiam_plugin.errors import (
    BenchmarkError,
    DatasetError,
    MissingDependencyError,
    ResultsError,
    TrackerError,
)
from dsiam_plugin.errors import DSiamError as ToolkitError

__all__ = [
    "BenchmarkError",
    "DatasetError",
    "MissingDependencyError",
    "ResultsError",
    "ToolkitError",
    "TrackerError",
]
