"""Settings of training on clips, and the start of a clip model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.config.fields import choice, number, refuse, validate
from dsiam_plugin.errors import CheckpointError, ConfigError
from dsiam_plugin.io.messages import excerpt
from dsiam_plugin.models.backbones import SiamFCAlexNet
from dsiam_plugin.models.network import fusion_maps
from dsiam_plugin.models.weights import Weights

BALANCED_HEAD = (10.0, -5.0)  # responses of unit height: +5 at the peak, -5 on the background
GROUPS = ("features", "biases", "lambdas", "rates", "fusion", "head")


@dataclass(frozen=True)
class JointConfig:
    """Settings of training on clips.

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

    radius_px: float = number(16.0, "(0, 1000]")
    balance: bool = True
    frames: str = choice("sum", ("sum", "mean"))
    truncate: int | None = number(None, "[1, 1e4]")
    checkpoint: bool = False
    train_features: bool = True
    relative_features: bool = False
    symmetric_fusion: bool = True
    max_excursion_px: float | None = number(None, "[0, 1000]")
    head: tuple[float, ...] = number((), "[-1e6, 1e6]")
    multipliers: Mapping[str, float] = number(dict, "[0, 1e6]")

    def problems(self) -> Iterator[str]:
        """A line for a head or a group that does not exist."""
        unknown = [name for name in self.multipliers if name not in GROUPS]
        if unknown:
            yield f"multipliers: {', '.join(unknown)}, expected some of {', '.join(GROUPS)}"
        if self.head and (len(self.head) != 2 or self.head[0] <= 0):
            yield f"head: {excerpt(self.head)}, expected a positive scale and a bias"


def check_joint(config: JointConfig, tracker: TrackerConfig) -> None:
    """Refuses values out of range, all problems in one message.

    Raises:
        ConfigError: If there is any.
    """
    step = 2 * SiamFCAlexNet.stride
    crop, layers = tracker.crop, tracker.model.layers
    problems = validate(config)
    if not set(layers) <= set(SiamFCAlexNet.levels):
        known = ", ".join(SiamFCAlexNet.levels)
        problems.append(f"model.layers: {', '.join(layers)}, expected some of {known}")
    if (crop.search_size - crop.exemplar_size) % step:
        expected = f"exemplar_size plus a multiple of {step}"
        problems.append(f"crop.search_size: {crop.search_size}, expected {expected}")
    refuse(problems, "joint training")


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
