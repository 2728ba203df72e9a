"""Exceptions of the plugin: catch :class:`DSiamError` for all of them.

Messages say what came, what was expected and, where there is one, in which file.
"""


class DSiamError(Exception):
    """Base of every error the plugin raises on purpose."""


class ConfigError(DSiamError, ValueError):
    """A configuration has unknown keys or values outside their range."""


class BoxError(DSiamError, ValueError):
    """A target box is empty, not finite or misses the image."""


class ImageError(DSiamError, ValueError):
    """An image cannot be decoded or has a type or shape no tracker takes."""


class ShapeError(DSiamError, ValueError):
    """Tensors do not fit each other or the operation."""


class CheckpointError(DSiamError, ValueError):
    """Weights are missing, corrupt or of another network."""


class DeviceError(DSiamError, ValueError):
    """A device or precision that this machine does not have."""


class DatasetError(DSiamError, ValueError):
    """A data set is unknown, cannot be found or is not laid out as its format demands."""


class TrainingError(DSiamError, RuntimeError):
    """A training run cannot start, continue or be stored."""


class ResultsError(DSiamError, ValueError):
    """A result file is missing, damaged or does not fit its sequence."""


class BenchmarkError(DSiamError, ValueError):
    """A measure was asked for what the data set or the results cannot give."""


class TrackerError(DSiamError, ValueError):
    """A tracker cannot be found or built, or answers with something that is no box."""


class SourceError(DSiamError, ValueError):
    """A video, camera or folder of frames cannot be read."""


class TrackerStateError(DSiamError, RuntimeError):
    """``track`` was called before ``init``."""


class VOTError(DSiamError, RuntimeError):
    """The TraX peer broke the protocol or the VOT toolkit failed."""


class MissingDependencyError(DSiamError, ImportError):
    """An optional package is needed; the message names the extra that brings it."""
