"""Recording a step as a CUDA graph and replaying it: one launch a frame instead of hundreds.

A graph works on memory that never moves, so a recorded step has buffers of its own: frames and
states are copied in, the new state is copied out. States stay values that nobody overwrites.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from dsiam_plugin.core.state import each, tensors_of
from dsiam_plugin.trackers.state import TrackerState

LOG = logging.getLogger(__name__)

# Frames of a shape that run eagerly first. They warm the libraries up, which must have chosen
# their kernels before a recording; and numbers of targets that change all the time are never
# recorded, which takes as long as many frames.
EAGER_FRAMES = 3
RECORDINGS = 8  # kept; each holds its own activations

Step = Callable[[Tensor, TrackerState], tuple[TrackerState, Tensor]]
Record = Callable[[Callable[[], None]], Callable[[], None]]


def record_cuda(body: Callable[[], None]) -> Callable[[], None]:
    """Record what ``body`` launches; the result launches it again.

    Raises:
        RuntimeError: If something in it cannot be recorded.
    """
    graph = torch.cuda.CUDAGraph()
    # A stream of this device's own: PyTorch's default one belongs to the device used first. Other
    # threads decode frames meanwhile; what they do is no part of the recording.
    stream = torch.cuda.Stream()
    with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
        body()
    return graph.replay


class RecordedStep:
    """A step for frames and states of one shape.

    Args:
        step: Pure function of tensors.
        images: Frames of that shape.
        state: State of that shape.
        record: Turns a function without arguments into one that repeats its work.

    Raises:
        RuntimeError: If it cannot be recorded.
    """

    def __init__(self, step: Step, images: Tensor, state: TrackerState, record: Record):
        self._step = step
        self._images = torch.empty_like(images)
        self._state = replace(state, target=each(torch.empty_like, state.target))
        self._loaded: Sequence[Tensor | None] = [None] * len(tensors_of(state.target))
        self._outcome: tuple[TrackerState, Tensor] | None = None
        self._load(images, state)
        self._replay = record(self._run)

    def __call__(self, images: Tensor, state: TrackerState) -> tuple[TrackerState, Tensor]:
        """What the step gives; the result tensor (N, 6) holds until the next call."""
        self._load(images, state)
        self._replay()
        assert self._outcome is not None  # recording ran the step
        new_state, result = self._outcome
        # What the step passed through is the caller's own already.
        kept = each(
            lambda new, buffer, given: given if new is buffer else new.clone(),
            new_state.target,
            self._state.target,
            state.target,
        )
        return replace(new_state, target=kept), result

    def _run(self) -> None:
        self._outcome = self._step(self._images, self._state)

    def _load(self, images: Tensor, state: TrackerState) -> None:
        """Fill the buffers; what is there from the last frame, as all exemplars are, stays."""
        self._images.copy_(images)
        items, buffers = tensors_of(state.target), tensors_of(self._state.target)
        for buffer, item, loaded in zip(buffers, items, self._loaded, strict=True):
            if item is not loaded:
                buffer.copy_(item)
        self._loaded = items


class GraphedStep:
    """A step that is recorded for every shape that comes up often.

    Args:
        step: Pure function of tensors.
        record: See :class:`RecordedStep`; the default makes CUDA graphs.
    """

    def __init__(self, step: Step, record: Record = record_cuda):
        self._step = step
        self._record = record
        self._possible = True
        self._seen: dict[Hashable, int] = {}
        self._recordings: OrderedDict[Hashable, RecordedStep] = OrderedDict()

    def __call__(self, images: Tensor, state: TrackerState) -> tuple[TrackerState, Tensor]:
        """What the step gives; the result tensor (N, 6) holds until the next call."""
        shape = (tuple(images.shape), len(state))
        if shape not in self._recordings and self._is_due(shape):
            self._try_recording(shape, images, state)
        if shape not in self._recordings:
            return self._step(images, state)
        self._recordings.move_to_end(shape)
        return self._recordings[shape](images, state)

    def _is_due(self, shape: Hashable) -> bool:
        self._seen[shape] = self._seen.get(shape, 0) + 1
        return self._possible and self._seen[shape] > EAGER_FRAMES

    def _try_recording(self, shape: Hashable, images: Tensor, state: TrackerState) -> None:
        try:
            recording = RecordedStep(self._step, images, state, self._record)
        except RuntimeError as error:
            self._possible = False
            LOG.warning("no CUDA graph, frames take longer: %s", str(error).splitlines()[0])
            return
        self._recordings[shape] = recording
        if len(self._recordings) > RECORDINGS:
            self._seen.pop(self._recordings.popitem(last=False)[0])
