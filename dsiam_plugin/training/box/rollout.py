"""The box network learns on clips that the tracker itself follows, V and W included.

Every search window lies where the last frame's box put it, as large as that box says: the head
learns from its own errors of place, size and shape, and from what V and W make of the features. The
steps are those of the tracker on a device; boxes are numbers without a gradient, features carry it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.config.fields import number, refuse, validate
from dsiam_plugin.core.boxes import BoxMaps, Evidence
from dsiam_plugin.core.response import fixed
from dsiam_plugin.core.rules import own_side
from dsiam_plugin.core.state import Target
from dsiam_plugin.errors import CheckpointError, ConfigError
from dsiam_plugin.models.box_head import load_boxes
from dsiam_plugin.models.devices import autocast_dtype
from dsiam_plugin.models.network import SiameseNet, fusion_maps
from dsiam_plugin.models.weights import Weights
from dsiam_plugin.trackers.device.crops import windows_around
from dsiam_plugin.trackers.device.embedding import Embedding
from dsiam_plugin.trackers.device.step import Constants, device_start, device_step
from dsiam_plugin.trackers.state import TrackerState
from dsiam_plugin.training.box.losses import overlaps
from dsiam_plugin.training.box.network import JUDGED, LAYERS, BoxConfig, BoxNetwork, Shown
from dsiam_plugin.training.data.clips import ClipBatch
from dsiam_plugin.training.joint.crop_layer import bounded, box_centers


@dataclass(frozen=True)
class RolloutConfig:
    """How far a clip is followed.

    Attributes:
        max_off: Largest distance from the target, in each direction and sides of its box: one
            further off is put back to there, so that windows show the target.
        max_growth: Largest factor of width and height over the target's, and below it.
    """

    max_off: float = number(0.75, "[0, 100]")
    max_growth: float = number(2.0, "[1, 100]")


class Followed(SiameseNet):
    """A network that computes its convolutions in ``precision`` and keeps what its head says."""

    precision = torch.float32
    said: BoxMaps  # of the last frame, with gradient

    def features(self, crops: Tensor) -> dict[str, Tensor]:
        """See :meth:`SiameseNet.features`."""
        with torch.autocast(
            crops.device.type, self.precision, enabled=self.precision != torch.float32
        ):
            levels = self.backbone(crops)
        return self.narrowed({layer: levels[layer] for layer in self.layers})

    def read_boxes(self, evidence: Evidence) -> BoxMaps:
        """A ``core.boxes.ReadBoxes``: where windows are cut has no gradient."""
        assert self.box_head is not None
        self.said = self.box_head(evidence)
        return BoxMaps(*(item.detach() for item in self.said))


class BoxClipModel(BoxNetwork):
    """Necks, head and features of a box network, trained on clips as the tracker sees them.

    Args:
        config: The head's loss; channels and cells are the weights' own.
        rollout: How far clips are followed.
        weights: Of a network with a box head.
        tracker: The tracker that follows the clips.

    Raises:
        CheckpointError: If the weights have no box head, or are another network's.
        ConfigError: If a value is out of range, or the tracker has no box head.
    """

    def __init__(
        self, config: BoxConfig, rollout: RolloutConfig, weights: Weights, tracker: TrackerConfig
    ):
        refuse([*validate(config), *validate(rollout)], "training on clips")
        if not weights.has_box_head:
            raise CheckpointError(
                f"{weights.path}: has no box head; name weights of stage box with --weights"
            )
        if not tracker.model.box_head:
            raise ConfigError("tracker.variant: has no box head, expected DSiamBox")
        crop = tracker.crop
        cells = (crop.search_size - crop.exemplar_size) // self.stride + 1
        super().__init__(config, weights, load_boxes(weights, LAYERS, cells))
        self.rollout, self.tracker = rollout, tracker
        self._fusion = fusion_maps(LAYERS, tracker.fusion, cells, weights)

    def forward(self, batch: ClipBatch) -> dict[str, Tensor]:
        """Mean losses of all frames but the first.

        Returns:
            ``loss`` () and its parts, ``miss`` () and ``overlap`` () as :meth:`judge` has them;
            ``tracked`` () the mean overlap of the boxes that the tracker reports with the target;
            ``responses`` (B, T - 1, m, m) of scores, detached.
        """
        device = batch.crops.device
        precision = autocast_dtype(device)
        with torch.autocast(device.type, enabled=False):
            return self._follow(batch, precision)

    def scalars(self) -> Mapping[str, float]:
        """Nothing: the numbers of the tracker are not learnt."""
        return {}

    def _follow(self, batch: ClipBatch, precision: torch.dtype) -> dict[str, Tensor]:
        network = self._network(batch.crops.device, precision)
        constants = self._constants(network)
        centers = box_centers(batch.boxes.flatten(0, 1)).unflatten(0, batch.boxes.shape[:2])
        sizes = batch.boxes[..., 2:].double()
        first = torch.cat([centers[:, 0], sizes[:, 0]], dim=1)
        fill = batch.crops[:, 0].float().mean(dim=(1, 2))
        state = device_start(batch.crops[:, 0], first, fill, constants)
        # Leanings are measured, not learnt: features that serve them serve the search worse.
        bank = {layer: item.detach() for layer, item in state.target.bank.items()}
        target, frames = state.target._replace(bank=bank), []
        for time in range(1, batch.crops.shape[1]):
            true = centers[:, time], sizes[:, time]
            shown = self._shown(target, *true)
            last = TrackerState(state.image_size, target)
            state, facts = device_step(batch.crops[:, time], last, constants)
            found = self.judge(network.said, shown)
            found["tracked"] = overlaps(*(_corners(item) for item in (facts, _boxes(*true))))[0]
            frames.append({**found, "responses": network.said.scores.detach()})
            target = self._kept_near(state.target, *true)
        responses = torch.stack([item.pop("responses") for item in frames], dim=1)
        means = {name: torch.stack([item[name] for item in frames]).mean() for name in frames[0]}
        return {
            "loss": torch.stack([means[name] for name in JUDGED]).sum(),
            **{name: item.detach().float() for name, item in means.items()},
            "responses": responses,
        }

    def _network(self, device: torch.device, precision: torch.dtype) -> Followed:
        maps = {layer: item.to(device) for layer, item in self._fusion.items()}
        network = Followed(self.backbone, LAYERS, maps, (1.0, 0.0), (self.necks, self.head))
        network.precision = precision
        return network

    def _constants(self, network: Followed) -> Constants:
        numbers = network.numbers(self.tracker)._replace(read_boxes=network.read_boxes)
        constant = fixed(self.tracker, network.response_size, network.device)
        return Constants(self.tracker, Embedding(network), numbers, constant)

    def _shown(self, target: Target, center: Tensor, size: Tensor) -> Shown:
        """Where the next search windows of targets show the true ones."""
        windows = windows_around(target.center, target.side[:, None])
        zoom = self.tracker.crop.search_size / windows.side
        offsets = (center - windows.center[:, 0]) * zoom
        return Shown(offsets.float(), (size * zoom).float(), target.shape)

    def _kept_near(self, target: Target, center: Tensor, size: Tensor) -> Target:
        """Targets not further from the true ones than training may go."""
        most = self.rollout.max_growth
        kept = torch.minimum(torch.maximum(target.size, size / most), size * most)
        near = bounded(target.center, center, self.rollout.max_off * size)
        return target._replace(center=near, size=kept, side=own_side(kept, self.tracker.crop))


def _boxes(center: Tensor, size: Tensor) -> Tensor:
    """Boxes ``x, y, w, h``, (B, 4)."""
    return torch.cat([center - (size - 1) / 2, size], dim=1)


def _corners(boxes: Tensor) -> Tensor:
    """Corners (B, 4) of boxes ``x, y, w, h`` in the first four of their columns."""
    return torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:4]], dim=1)
