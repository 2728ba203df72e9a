"""Configuration: what it may hold, reading it, and the variants by name."""

from dsiam_plugin.config.schema import (
    CropConfig,
    FusionConfig,
    ModelConfig,
    PerLayer,
    TrackerConfig,
    TrackingConfig,
    TransformConfig,
    of_layer,
)

__all__ = [
    "CropConfig",
    "FusionConfig",
    "ModelConfig",
    "PerLayer",
    "TrackerConfig",
    "TrackingConfig",
    "TransformConfig",
    "of_layer",
]
