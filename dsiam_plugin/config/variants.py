"""The trackers by name, and the three named sets of constants.

A variant is a function from the name of a preset to a configuration.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from dsiam_plugin.config import (
    FusionConfig,
    ModelConfig,
    TrackerConfig,
    TrackingConfig,
    TransformConfig,
)
from dsiam_plugin.errors import ConfigError
from dsiam_plugin.io.messages import excerpt

_AUTHORS = TransformConfig(  # what paper and release have in common
    lambda_v=1e-5,
    lambda_w=10.0,
    keep_norm=False,
    memory=0.0,
    anchor_scale=False,
    max_ambiguity=1.0,
    min_confidence=0.0,
    gate=True,
)
_TRANSFORMS = {
    "steady": TransformConfig(),
    "release": replace(
        _AUTHORS,
        preset="release",
        per_element=True,
        window=True,
        rate_v=0.49,
        rate_w=0.29,
        background="crop_at_scale",
        saliency="release",
        recenter=True,
    ),
    # Equation 6 keeps nothing of the first target but the power of its frequencies, so V follows
    # whatever the last frame showed. With this lambda its response is low enough for the gate: V
    # acts between two frames found by the first exemplar (docs/paper.md).
    "paper": replace(
        _AUTHORS,
        preset="paper",
        lambda_v=1e4,
        lost_growth=1.0,
        per_element=False,
        window=False,
        rate_v=1.0,
        rate_w=1.0,
        background="crop",
        saliency="gaussian",
        recenter=False,
    ),
}
_SCORE_RULE = TrackingConfig(lost_height=0.0, lost_below=0.0)
_TRACKINGS = {
    "steady": TrackingConfig(),
    "release": replace(_SCORE_RULE, scale_damping=0.58),
    "paper": replace(_SCORE_RULE, lost_height=0.3),
}
# Weights of conv5 beside conv4. The paper's maps are learnt; they start with conv5 alone.
_FUSIONS = {
    "steady": FusionConfig(primary_weight=0.7, balance=True),
    "release": FusionConfig(primary_weight=0.9922, center_radius=2),
    "paper": FusionConfig(primary_weight=1.0),
}


@dataclass(frozen=True)
class Variant:
    """A tracker by name.

    Attributes:
        summary: What it is, for listings.
        config: Gives the configuration for the name of a preset.
    """

    summary: str
    config: Callable[[str], TrackerConfig]


def tracker_names() -> tuple[str, ...]:
    """Names that :func:`find_variant` knows, the plain trackers first."""
    return tuple(VARIANTS)


def find_variant(name: str) -> Variant:
    """The variant of a name.

    Raises:
        ConfigError: If there is none, with the nearest name.
    """
    if isinstance(name, str) and name in VARIANTS:
        return VARIANTS[name]
    folded = {known.lower(): known for known in VARIANTS}
    near = get_close_matches(str(name).lower(), folded, 1, cutoff=0.4)
    hint = f"did you mean {folded[near[0]]!r}? " if near else ""
    raise ConfigError(f"tracker {excerpt(name)}: unknown; {hint}known: {', '.join(VARIANTS)}")


def _siamfc(preset: str) -> TrackerConfig:
    transform = replace(_TRANSFORMS[preset], variation=False, suppression=False)
    return TrackerConfig(tracking=_TRACKINGS[preset], transform=transform)


def _dsiam(preset: str) -> TrackerConfig:
    return TrackerConfig(tracking=_TRACKINGS[preset], transform=_TRANSFORMS[preset])


def _dsiamm(preset: str, **transform: Any) -> TrackerConfig:
    return TrackerConfig(
        model=ModelConfig(layers=("conv5", "conv4")),
        fusion=_FUSIONS[preset],
        tracking=_TRACKINGS[preset],
        transform=replace(_TRANSFORMS[preset], **transform),
    )


def _dsiambox(preset: str) -> TrackerConfig:
    # W changes what the head sees of the region too; the usual share of it costs more than it adds.
    milder: dict[str, Any] = {"rate_w": 0.1} if preset == "steady" else {}
    return TrackerConfig(
        model=ModelConfig(layers=("conv5", "conv4"), box_head=True),
        fusion=FusionConfig(primary_weight=0.5, balance=True),
        tracking=replace(
            _TRACKINGS[preset], scales=1, upsample=1, window_influence=0.3, scale_damping=0.3
        ),
        transform=replace(_TRANSFORMS[preset], anchor_scale=False, **milder),
    )


def _dsiamm_vgg19(preset: str) -> TrackerConfig:
    # Correlations after ReLU are never negative: without balance no score would mean a loss.
    return TrackerConfig(
        model=ModelConfig(
            backbone="vgg19", layers=("conv5_4", "conv4_4"), head_scale=1.0, head_bias=-0.25
        ),
        fusion=FusionConfig(primary_weight=0.8, balance=True),
        tracking=replace(_TRACKINGS[preset], scale_damping=0.58),
        transform=replace(_TRANSFORMS[preset], lambda_v=10.0),
    )


def _without_variation(preset: str) -> TrackerConfig:
    return _dsiamm(preset, variation=False)


def _without_suppression(preset: str) -> TrackerConfig:
    return _dsiamm(preset, suppression=False)


def _with_last_frame(preset: str) -> TrackerConfig:
    return _dsiamm(preset, variation=False, replace_template=True)


def _fixed_fusion(preset: str) -> TrackerConfig:
    return replace(
        _dsiamm(preset), fusion=replace(_FUSIONS[preset], center_radius=-1, uniform=True)
    )


VARIANTS = {
    "SiamFC": Variant("conv5, no transforms: the baseline", _siamfc),
    "DSiam": Variant("conv5, V and W", _dsiam),
    "DSiamM": Variant("conv4 + conv5, V and W, elementwise fusion", _dsiamm),
    "DSiamBox": Variant("conv4 + conv5, V and W, boxes from a head instead of scales", _dsiambox),
    "DSiamM_Vgg19": Variant("VGG19's conv4_4 + conv5_4, V and W", _dsiamm_vgg19),
    "DSiamM-VT": Variant("DSiamM without V (target appearance variation)", _without_variation),
    "DSiamM-BS": Variant("DSiamM without W (background suppression)", _without_suppression),
    "DSiamM-Multi": Variant("DSiamM without the second layer: DSiam's configuration", _dsiam),
    "DSiamM_withFrame_t-1": Variant(
        "DSiamM whose template is the last frame's target instead of V", _with_last_frame
    ),
    "DSiamM_fixedFusionWeight": Variant("DSiamM with one fusion weight everywhere", _fixed_fusion),
}
