"""Recording a step as a CUDA graph and replaying it: one launch a frame instead of hundreds.

A graph works on memory that never moves, so a recorded step has buffers of its own, which it leaves
filled with the new state. Callers get copies: states stay values that nobody overwrites. A state
that comes back on the next frame is in the buffers already.
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
        self._buffers = tensors_of(self._state.target)
        self._loaded: Sequence[Tensor | None] = [None] * len(self._buffers)
        self._changed: list[bool] = []
        self._result: Tensor | None = None
        self._load(images, state)
        self._replay = record(self._run)
        self._loaded = [None] * len(self._buffers)  # recording may or may not have run the step

    def __call__(self, images: Tensor, state: TrackerState) -> tuple[TrackerState, Tensor]:
        """What the step gives; the result tensor (N, 6) holds until the next call."""
        self._load(images, state)
        self._replay()
        # What the step passed through is the caller's own already.
        kept = [
            torch.empty_like(buffer) if changed else given
            for buffer, changed, given in zip(
                self._buffers, self._changed, tensors_of(state.target), strict=True
            )
        ]
        _copy(_those(self._changed, self._buffers), _those(self._changed, kept))
        self._loaded = kept
        assert self._result is not None  # recording ran the step
        remaining = iter(kept)
        new_target = each(lambda _: next(remaining), self._state.target)
        return replace(self._state, target=new_target), self._result

    def _run(self) -> None:
        new_state, self._result = self._step(self._images, self._state)
        new = tensors_of(new_state.target)
        pairs = list(zip(new, self._buffers, strict=True))
        self._changed = [item is not buffer for item, buffer in pairs]
        # One buffer handed on as the content of another is saved before it is overwritten.
        places = {buffer.data_ptr() for buffer in self._buffers}
        fresh = [
            item.clone() if item.data_ptr() in places else item
            for item in _those(self._changed, new)
        ]
        _copy(fresh, _those(self._changed, self._buffers))

    def _load(self, images: Tensor, state: TrackerState) -> None:
        """Fill the buffers; what is there from the last frame stays."""
        self._images.copy_(images)
        items = tensors_of(state.target)
        pairs = zip(items, self._loaded, strict=True)
        fresh = [item is not loaded for item, loaded in pairs]
        _copy(_those(fresh, items), _those(fresh, self._buffers))
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


def _those(chosen: Sequence[bool], items: Sequence[Tensor]) -> list[Tensor]:
    return [item for item, is_chosen in zip(items, chosen, strict=True) if is_chosen]


def _copy(sources: Sequence[Tensor], places: Sequence[Tensor]) -> None:
    """Copies all tensors, on a GPU with one launch for each type."""
    by_type: dict[torch.dtype, tuple[list[Tensor], list[Tensor]]] = {}
    for source, place in zip(sources, places, strict=True):
        some, others = by_type.setdefault(place.dtype, ([], []))
        some.append(source)
        others.append(place)
    for some, others in by_type.values():
        torch._foreach_copy_(others, some)
