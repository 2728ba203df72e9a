"""Exceptions of the evaluation toolkit: catch :class:`ToolkitError` for all of them.

Messages fit one line and say what was found, where, and what was expected.
"""


class ToolkitError(Exception):
    """Base of every error the toolkit raises on purpose."""


class DatasetError(ToolkitError, ValueError):
    """A data set is unknown, cannot be found or is not laid out as its benchmark demands."""


class ResultsError(ToolkitError, ValueError):
    """A result file is missing, damaged or does not fit its sequence."""


class BenchmarkError(ToolkitError, ValueError):
    """A measure was asked for what the data set or the results cannot give."""


class TrackerError(ToolkitError, ValueError):
    """A tracker cannot be found or built, or answers with something that is no box."""


class MissingDependencyError(ToolkitError, ImportError):
    """An optional package is needed; the message names the extra that brings it."""
