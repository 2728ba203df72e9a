"""How clips are trained on, and what a clip model starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.errors import CheckpointError, ConfigError
from dsiam_plugin.models.backbones import SiamFCAlexNet
from dsiam_plugin.models.network import fusion_maps
from dsiam_plugin.models.weights import Weights

BALANCED_HEAD = (10.0, -5.0)  # responses of unit height: +5 at the peak, -5 on the background
GROUPS = ("features", "biases", "lambdas", "rates", "fusion", "head")


@dataclass(frozen=True)
class JointConfig:
    """How clips are trained on.

    Attributes:
        radius_px: Cells within this distance of the target are labelled +1.
        balance: Positive and negative cells of a frame count the same.
        frames: "sum" of the frames' losses (the paper's) or their "mean".
        truncate: Frames through which a gradient passes at most; None for all.
        checkpoint: Keep only the state between frames and compute each frame twice.
        train_features: Off: the network is constant, and nothing of it is differentiated.
        relative_features: Learning rates of the features are relative to the root mean square of
            each of their tensors. Folding batch normalisation gives tensors very different sizes,
            and adamw moves all elements by the same amount.
        symmetric_fusion: Keep the fusion map equal to its mirror image.
        max_excursion_px: Bound of the tracker's distance from the annotated centre; None for the
            margin of the packed crops around a search window.
        head: Starting ``(scale, bias)`` of the affine adjust; empty for the weights' own or, with
            responses balanced to unit height, (10, -5).
        multipliers: Factors on the learning rate by group, of features, biases, lambdas, rates,
            fusion and head; 1 where none is given.
    """

    radius_px: float = 16.0
    balance: bool = True
    frames: str = "sum"
    truncate: int | None = None
    checkpoint: bool = False
    train_features: bool = True
    relative_features: bool = False
    symmetric_fusion: bool = True
    max_excursion_px: float | None = None
    head: tuple[float, ...] = ()
    multipliers: Mapping[str, float] = field(default_factory=dict)


def check_joint(config: JointConfig, tracker: TrackerConfig) -> None:
    """Refuses values out of range, all problems in one message.

    Raises:
        ConfigError: If there is any.
    """
    stride = SiamFCAlexNet.stride
    crop = tracker.crop
    unknown = [name for name in config.multipliers if name not in GROUPS]
    checks = [
        (not unknown, "multipliers", ", ".join(unknown), f"some of {', '.join(GROUPS)}"),
        (config.frames in ("sum", "mean"), "frames", config.frames, "sum or mean"),
        (config.truncate is None or config.truncate > 0, "truncate", config.truncate, "> 0"),
        (config.radius_px > 0, "radius_px", config.radius_px, "> 0"),
        (
            len(config.head) in (0, 2) and (not config.head or config.head[0] > 0),
            "head",
            config.head,
            "a positive scale and a bias",
        ),
        (
            set(tracker.model.layers) <= set(SiamFCAlexNet.levels),
            "model.layers",
            ", ".join(tracker.model.layers),
            f"some of {', '.join(SiamFCAlexNet.levels)}",
        ),
        (
            (crop.search_size - crop.exemplar_size) % (2 * stride) == 0,
            "crop.search_size",
            crop.search_size,
            f"exemplar_size plus a multiple of {2 * stride}",
        ),
    ]
    problems = [f"{key}: {value}, expected {rule}" for good, key, value, rule in checks if not good]
    if problems:
        raise ConfigError("joint training: " + "; ".join(problems))


def start_backbone(weights: Weights) -> SiamFCAlexNet:
    """The network with its weights, of the widths that they have.

    Raises:
        CheckpointError: If they are another network's.
    """
    if weights.backbone != "siamfc_alexnet":
        raise CheckpointError(
            f"{weights.path}: weights of {weights.backbone}, expected siamfc_alexnet"
        )
    tensors = {name: item for name, item in weights.tensors.items() if name.startswith("conv")}
    try:
        backbone = SiamFCAlexNet([len(tensors[f"conv{index}.weight"]) for index in range(1, 6)])
        backbone.load_state_dict(tensors)
    except (KeyError, RuntimeError, ConfigError) as error:
        reason = " ".join(str(error).split())[:300]
        raise CheckpointError(f"{weights.path}: not SiamFC's AlexNet ({reason})") from error
    return backbone


def start_head(weights: Weights, tracker: TrackerConfig, config: JointConfig) -> tuple[float, ...]:
    """Scale and bias of the affine adjust."""
    return config.head or (BALANCED_HEAD if tracker.fusion.balance else weights.head)


def start_map(weights: Weights, tracker: TrackerConfig) -> Tensor:
    """Weight of the first layer, (m, m), as the tracker would have it.

    Raises:
        CheckpointError: If it is to be the weights' map, and they have none of the right size.
    """
    crop, layers = tracker.crop, tracker.model.layers
    size = (crop.search_size - crop.exemplar_size) // SiamFCAlexNet.stride + 1
    return fusion_maps(layers, tracker.fusion, size, weights)[layers[0]]
