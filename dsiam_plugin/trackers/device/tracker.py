"""The tracker on a GPU: a frame goes up, a few numbers a target come back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor

from dsiam_plugin.config import TrackerConfig
from dsiam_plugin.io.boxes import Box, check_box
from dsiam_plugin.models.network import SiameseNet
from dsiam_plugin.trackers.crops import channel_means
from dsiam_plugin.trackers.device.graphs import GraphedStep
from dsiam_plugin.trackers.device.step import device_start, device_step, make_constants
from dsiam_plugin.trackers.device.upload import Upload
from dsiam_plugin.trackers.state import TrackerState, TrackResult
from dsiam_plugin.trackers.targets import Boxes, Images, TargetTracker, check_size, one_each


class DeviceTracker(TargetTracker):
    """DSiam (or SiamFC) with everything but decoding on the network's device.

    All targets of a call go through the network in one batch, and all frames of a call have one
    size. It works on a CPU too, where :class:`dsiam_plugin.trackers.host.DSiamTracker` is faster.

    Args:
        network: Embeds and correlates; shared freely between trackers.
        config: Everything else.
        name: What it is called in results and messages.
        graphs: Whether to record steps as CUDA graphs, on a GPU.
        kernels: Whether to use GPU kernels of our own, where they can be built.
    """

    def __init__(
        self,
        network: SiameseNet,
        config: TrackerConfig,
        name: str = "DSiam",
        graphs: bool = True,
        kernels: bool = True,
    ):
        super().__init__(network, config, name)
        with self._on_device():
            self._constants = make_constants(config, network, kernels)
        self._upload = Upload(network.device)
        has_graphs = graphs and network.device.type == "cuda"
        self._run = GraphedStep(self._eager_step) if has_graphs else self._eager_step

    def start(self, image: np.ndarray, box: Sequence[float]) -> TrackerState:
        """State of a new target; see :meth:`init`."""
        return self.start_many(image, [box])

    def step(self, image: np.ndarray, state: TrackerState) -> tuple[TrackerState, TrackResult]:
        """State and result of the next frame; see :meth:`track`. ``state`` is not changed."""
        state, results = self.step_many(image, state)
        return state, results[0]

    @torch.inference_mode()
    def start_many(self, images: Images, boxes: Boxes) -> TrackerState:
        """State of new targets: all on one image, or each on its own.

        Raises:
            ImageError: If an array is no image, or the images are not one each or differ in size.
            BoxError: If a box is empty, not finite or misses its image.
        """
        if len(boxes) == 0:  # a state of no targets still knows the frames' size
            whole = one_each(images, 1)[0]
            return self.start_many(whole, [(0, 0, *whole.shape[1::-1])])[:0]
        frames = self._same_size(one_each(images, len(boxes)))
        height, width = frames[0].shape[:2]
        targets = [check_box(box, width, height) for box in boxes]
        numbers = [(*target.center, target.w, target.h) for target in targets]
        fill = [channel_means(frame) for frame in frames]
        with self._on_device():
            return device_start(
                self._uploaded(images, frames),
                torch.tensor(numbers, dtype=torch.float64).to(self.network.device),
                torch.tensor(fill, dtype=torch.float32).to(self.network.device),
                self._constants,
            )

    @torch.inference_mode()
    def step_many(
        self, images: Images, states: TrackerState
    ) -> tuple[TrackerState, list[TrackResult]]:
        """State and results of the next frame: one image for all, or one a target.

        ``states`` are not changed.

        Raises:
            ImageError: If an array is no image or of another size than the first, or the images
                are not one each.
        """
        if len(states) == 0:
            return states, []
        frames = one_each(images, len(states))
        for frame in frames:
            check_size(frame, states.image_size, self.name)
        with self._on_device():
            states, numbers = self._run(self._uploaded(images, frames), states)
            rows = numbers.tolist()  # the one wait for the device
        return states, [TrackResult(Box(*row[:4]), row[4], row[5] > 0) for row in rows]

    def _eager_step(self, frames: Tensor, state: TrackerState) -> tuple[TrackerState, Tensor]:
        return device_step(frames, state, self._constants)

    def _uploaded(self, images: Images, frames: list[np.ndarray]) -> Tensor:
        """The frames on the device, (B, H, W, 3); a shared one only once."""
        return self._upload(frames[:1] if isinstance(images, np.ndarray) else frames)

    def _same_size(self, frames: list[np.ndarray]) -> list[np.ndarray]:
        for frame in frames:
            check_size(frame, frames[0].shape[:2], self.name)
        return frames

    def _on_device(self) -> AbstractContextManager:
        """Makes the network's GPU the current one; a recording is made on that."""
        device = self.network.device
        return torch.cuda.device(device) if device.type == "cuda" else nullcontext()
