"""Configuration of a tracker: frozen dataclasses, the only home of defaults.

Three named sets of constants exist (``transform.preset``): ``paper`` (eq. 2-9 as printed),
``release`` (the authors' MATLAB release) and ``steady`` (this project's default, derived in
docs/accuracy.md). ``variants.py`` fills them in; fields given beside a preset override it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dsiam_plugin.config.fields import choice, number
from dsiam_plugin.errors import ConfigError

PRESETS = ("steady", "release", "paper")
_STRIDE = 8  # px of a crop between cells of the response, of the backbones there are
_MOST_CELLS = 2048  # a side of the upsampled response, which is 16 MB a scale

PerLayer = float | Mapping[str, float]  # one number for all layers, or one for each by name


def of_layer(value: PerLayer, layer: str) -> float:
    """A layer's own number.

    Raises:
        ConfigError: If numbers are given by layer and this one has none.
    """
    if not isinstance(value, Mapping):
        return float(value)
    if layer not in value:
        raise ConfigError(f"no number for layer {layer}; given: {', '.join(value)}")
    return float(value[layer])


@dataclass(frozen=True)
class ModelConfig:
    """Which features are compared, and how their response becomes a score.

    Attributes:
        backbone: Name in ``backbones.BACKBONES``.
        layers: Levels of the backbone in use, the primary one first.
        head_scale: Factor of the affine adjust after fusion; None takes the weights' own.
        head_bias: Offset of the affine adjust after fusion; None takes the weights' own.
        box_head: Boxes are told by a head that the weights bring, in place of a search over
            scales of one shape.
    """

    backbone: str = "siamfc_alexnet"
    layers: tuple[str, ...] = ("conv5",)
    head_scale: float | None = number(None, "[-1e6, 1e6]")
    head_bias: float | None = number(None, "[-1e6, 1e6]")
    box_head: bool = False

    def problems(self) -> Iterator[str]:
        """A line for each thing wrong with the layers."""
        if not self.layers:
            yield "layers: (), expected at least one level"
        if len(set(self.layers)) < len(self.layers):
            yield f"layers: {', '.join(self.layers)}, expected no repeats"


@dataclass(frozen=True)
class FusionConfig:
    """Weights of the layers' responses (eq. 9); they sum to one in every cell.

    Attributes:
        primary_weight: Weight of the first layer, in [0, 1]; the others share the rest.
        center_radius: If >= 0, ``primary_weight`` holds only in cells within this city-block
            distance of the centre and the first layer has weight 1 elsewhere, as in the release's
            map. -1: the weight holds everywhere.
        balance: Bring each layer's response to unit height over its background on the first frame
            before fusing. Raw heights depend on the weights and differ between layers and targets.
        learnt: Take the map that joint training left in the weights instead of these numbers.
        uniform: One weight everywhere, the mean of the map (the paper's Fig. 9 right,
            ``fixedFusionWeight``).
    """

    primary_weight: float = number(1.0, "[0, 1]")
    center_radius: int = number(-1, "[-1, 1000]")
    balance: bool = False
    learnt: bool = False
    uniform: bool = False


@dataclass(frozen=True)
class CropConfig:
    """Crop geometry.

    Attributes:
        exemplar_size: Side of the exemplar crop, in pixels of the crop.
        search_size: Side of the search crop.
        context: Share of (w + h) added to each side of the target.
    """

    exemplar_size: int = number(127, "[87, 1022]")
    search_size: int = number(255, "[88, 1023]")
    context: float = number(0.5, "[0, 10]")

    def problems(self) -> Iterator[str]:
        """A line if the search crop has no room for the exemplar."""
        if self.search_size <= self.exemplar_size:
            least = f"> exemplar_size ({self.exemplar_size})"
            yield f"search_size: {self.search_size}, expected {least}"


@dataclass(frozen=True)
class TrackingConfig:
    """From response maps to boxes (SiamFC-3s' published constants).

    Attributes:
        scales: Number of search scales, odd.
        scale_step: Ratio of neighbouring scales.
        scale_penalty: Factor on the score of every scale but the middle one.
        scale_damping: How fast the target's size follows the winning scale, in (0, 1]; of a box
            head, that of a certain box of the same shape.
        shape_penalty: Exponent of how much less a box counts, and is followed, whose size or shape
            differs from the last; box head only.
        quality: Exponent of the box's quality beside its score; box head only.
        window_influence: Weight of the Hann window in the normalised response.
        upsample: Bicubic upsampling of the response before its peak is sought.
        min_search, max_search: Bounds of the search side, relative to the first frame's.
        lost_height: A frame whose peak over the background is below this share of the first
            frame's is lost; 0 for never.
        lost_below: So is a frame whose score is not above this; None for never. The paper's and
            the release's rule, with 0; scores depend on the weights and the target.
        hold: A lost target keeps its place and size: where the response shows nothing, its peak
            says nothing about either. Off in all presets (docs/accuracy.md).
    """

    scales: int = number(3, "[1, 33]", odd=True)
    scale_step: float = number(1.0375, "(1, 1.5]")
    scale_penalty: float = number(0.9745, "[0, 1]")
    scale_damping: float = number(0.59, "[0, 1]")
    shape_penalty: float = number(0.1, "[0, 10]")
    quality: float = number(0.5, "[0, 10]")
    window_influence: float = number(0.176, "[0, 1]")
    upsample: int = number(16, "[1, 32]")
    min_search: float = number(0.2, "[0, 1]")
    max_search: float = number(5.0, "[1, 20]")
    lost_height: float = number(0.3, "[0, 1]")
    lost_below: float | None = number(None, "[-1e12, 1e12]")
    hold: bool = False


@dataclass(frozen=True)
class TransformConfig:
    """Online learning of V (target appearance) and W (background suppression).

    With x the features a transform is applied to, h the window (ones without one) and R the
    learnt filter, the output is ``(1 - rate) x + rate R * (h x)``.

    Attributes:
        preset: Name of the set this started from.
        variation: Learn and apply V on the exemplar.
        suppression: Learn and apply W on the search region.
        replace_template: Instead of V, take the last target crop's features as they are (the
            paper's Fig. 9 right, ``withFrame_t-1``).
        lambda_v: Ridge weight of V, > 0; one number, or one for each layer by its name, as are
            ``lambda_w``, ``rate_v`` and ``rate_w``.
        lambda_w: Ridge weight of W, > 0.
        per_element: The ridge weights are per feature element: multiplied by H * W, against the
            unnormalised powers.
        window: Hann window on source, target and at application.
        rate_v: Share of V's output in the exemplar, in [0, 1].
        rate_w: Share of W's output in the search region, in [0, 1].
        keep_norm: Rescale R * (h x) to the norm of x, so that a ridge that shrinks the features
            does not shrink the response with them.
        memory: Decay of the running mean of target features that V learns from, in [0, 1); 0
            learns from the last frame alone.
        anchor_scale: The scale is chosen by the mean of the template's response and the first
            exemplar's, whose size is certain: a template learnt from boxes a little too large
            prefers such boxes, and the target's size drifts. Off: by the template's alone.
        max_ambiguity: Learn only when the second peak of the response is below this share of the
            first, both over the background; 1 always learns.
        min_confidence: Learn only when the peak over the background is at least this share of the
            first frame's; 0 always learns.
        background: Where W's pair (G, G x map) comes from. "search": the winning search region's
            features as they are, and those features times the map around the target; nothing is
            embedded for it. "crop": G is cut anew around the target, at the size of the next
            search region, and both G and G x map are embedded (the paper). "crop_at_scale": the
            same at the scale that won (the release).
        saliency: Map on G: "release" (Hamming x Hann, nearly; crops only) or "gaussian".
        saliency_sigma: Deviation of the Gaussian, as a share of the search crop's side.
        gate: Act on a loss: switch both transforms off. Without it a loss is only reported.
        lost_growth: Growth of the search side for each lost frame; above 1 the target keeps its
            size while it is lost, and takes its own search side when it is found again. 1: side
            and size go on following the scale (the paper speaks of neither).
        recenter: The release's rule for the border: a frame whose box has its lower right corner
            beyond the image counts as a loss, every second one moves the box to the image's centre.
    """

    preset: str = choice(PRESETS[0], PRESETS)
    variation: bool = True
    suppression: bool = True
    replace_template: bool = False
    lambda_v: PerLayer = number(1e-5, "(0, 1e9]")
    lambda_w: PerLayer = number(0.05, "(0, 1e9]")
    per_element: bool = True
    window: bool = False
    rate_v: PerLayer = number(0.49, "[0, 1]")
    rate_w: PerLayer = number(0.3, "[0, 1]")
    keep_norm: bool = True
    memory: float = number(0.9, "[0, 1)")
    anchor_scale: bool = True
    max_ambiguity: float = number(0.65, "[0, 1]")
    min_confidence: float = number(0.6, "[0, 1]")
    background: str = choice("search", ("search", "crop", "crop_at_scale"))
    saliency: str = choice("gaussian", ("gaussian", "release"))
    saliency_sigma: float = number(0.25, "(0, 10]")
    gate: bool = False
    lost_growth: float = number(1.1, "[1, 10]")
    recenter: bool = False

    @property
    def adaptive(self) -> bool:
        """True if anything is learnt online; the gate and its growth need that."""
        return self.variation or self.suppression or self.replace_template

    def problems(self) -> Iterator[str]:
        """A line for each value that does not go with another one."""
        if self.saliency == "release" and self.background == "search":
            yield "saliency: 'release', expected gaussian, or a background that is cut"
        for key in ("lambda_v", "lambda_w", "rate_v", "rate_w"):
            if getattr(self, key) == {}:
                yield f"{key}: {{}}, expected a number for each layer"


@dataclass(frozen=True)
class TrackerConfig:
    """Everything that decides a box, apart from the weights.

    Attributes:
        model: Features and score.
        fusion: Weights of the layers.
        crop: Crop geometry.
        tracking: Localisation, scale and loss.
        transform: Online learning.
    """

    model: ModelConfig = field(default_factory=ModelConfig)
    fusion: FusionConfig = field(default_factory=FusionConfig)
    crop: CropConfig = field(default_factory=CropConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    transform: TransformConfig = field(default_factory=TransformConfig)

    def problems(self) -> Iterator[str]:
        """A line if the upsampled response would be too large."""
        crop, upsample = self.crop, self.tracking.upsample
        cells = (crop.search_size - crop.exemplar_size) // _STRIDE + 1
        if cells * upsample > _MOST_CELLS:
            most = f"at most {_MOST_CELLS // cells} with these crops"
            yield f"tracking.upsample: {upsample}, expected {most}"
        if self.model.box_head and (self.tracking.scales != 1 or upsample != 1):
            yield "tracking: scales and upsample other than 1, expected both 1 with a box head"
