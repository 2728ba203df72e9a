import logging
from dataclasses import replace

import pytest
import torch

from dsiam_plugin.core.state import Target, each
from dsiam_plugin.trackers.device import graphs
from dsiam_plugin.trackers.device.graphs import EAGER_FRAMES, RECORDINGS, GraphedStep, RecordedStep
from dsiam_plugin.trackers.state import TrackerState


def make_state(count=2):
    zeros, center = torch.zeros(count).double(), torch.zeros(count, 2).double()
    features = {"conv5": torch.ones(count, 2, 3, 3)}
    no, height, fill = zeros > 0, torch.ones(count), torch.zeros(count, 3)
    facts = (center, center + 1, zeros, zeros, no, no, no, height, center + 1, fill)
    learnt = ({layer: item.clone() for layer, item in features.items()} for _ in range(2))
    return TrackerState((4, 6), Target(*facts, {}, features, {}, *learnt, {}))


def make_frames(value, count=1):
    return torch.full((count, 4, 6, 3), value, dtype=torch.uint8)


def count_up(images, state):
    """Adds the frame's grey to the centre and one to the template."""
    target = state.target
    center = target.center + images[0, 0, 0, 0]
    template = {layer: item + target.exemplar[layer] for layer, item in target.template.items()}
    new = replace(state, target=target._replace(center=center, template=template))
    return new, torch.cat([center, center, center], dim=1) * 10


def record_like_a_graph(body):
    """Replays into the memory that the recording's result had, as a CUDA graph does."""
    body()
    recording = body.__self__
    fixed = recording._result

    def replay():
        body()
        recording._result = fixed.copy_(recording._result)

    return replay


def values(state):
    return state.target.center[0, 0].item(), state.target.template["conv5"].unique().tolist()


def test_replayed_frames_are_those_of_the_step():
    step = RecordedStep(count_up, make_frames(9), make_state(), record_like_a_graph)
    state = make_state()
    for number, total in ((1, 1), (4, 5), (2, 7)):
        state, result = step(make_frames(number), state)
        assert values(state)[0] == total
        assert result[1, 3] == 10 * total
    assert values(state)[1] == [4]


def test_old_states_stay_as_they_were_and_can_be_stepped_again():
    step = RecordedStep(count_up, make_frames(0), make_state(), record_like_a_graph)
    first = make_state()
    second, _ = step(make_frames(3), first)
    third, _ = step(make_frames(5), second)
    assert [values(state) for state in (first, second, third)] == [
        (0, [1]),
        (3, [2]),
        (8, [3]),
    ]
    again, _ = step(make_frames(1), first)
    assert values(again) == (1, [2])
    assert values(third) == (8, [3])


def test_what_a_step_passes_through_is_the_caller_s():
    step = RecordedStep(count_up, make_frames(0), make_state(), record_like_a_graph)
    first = make_state()
    second, _ = step(make_frames(3), first)
    assert second.target.exemplar["conv5"] is first.target.exemplar["conv5"]
    assert second.target.center is not first.target.center


class Recorder:
    def __init__(self):
        self.recordings = 0

    def __call__(self, body):
        self.recordings += 1
        return record_like_a_graph(body)


def test_a_shape_is_recorded_once_it_has_come_up_often():
    recorder = Recorder()
    step = GraphedStep(count_up, recorder)
    state = make_state()
    for frame in range(EAGER_FRAMES + 3):
        assert recorder.recordings == (1 if frame > EAGER_FRAMES else 0)
        state, _ = step(make_frames(1), state)
    assert recorder.recordings == 1
    assert values(state)[0] == EAGER_FRAMES + 3
    step(make_frames(1), make_state(count=5))
    step(make_frames(1, count=2), state)
    assert recorder.recordings == 1


def test_few_recordings_are_kept():
    recorder = Recorder()
    step = GraphedStep(count_up, recorder)

    def repeat(count):
        for _ in range(EAGER_FRAMES + 1):
            step(make_frames(1), make_state(count))

    for count in range(1, RECORDINGS + 2):
        repeat(count)
    assert recorder.recordings == RECORDINGS + 1
    repeat(RECORDINGS)  # still there
    assert recorder.recordings == RECORDINGS + 1
    repeat(1)  # the oldest is not
    assert recorder.recordings == RECORDINGS + 2


def test_without_recording_frames_run_eagerly_and_it_is_said_once(caplog):
    def refuses(body):
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    step = GraphedStep(count_up, refuses)
    state = make_state()
    with caplog.at_level(logging.WARNING, logger=graphs.__name__):
        for _ in range(EAGER_FRAMES + 3):
            state, _ = step(make_frames(2), state)
    assert values(state)[0] == 2 * (EAGER_FRAMES + 3)
    assert [record.getMessage() for record in caplog.records] == [
        "no CUDA graph, frames take longer: operation not permitted when stream is capturing"
    ]


@pytest.mark.cuda
def test_a_cuda_graph_gives_what_the_step_gives():
    with torch.inference_mode():
        state = make_state()
        eager = recorded = replace(state, target=each(torch.Tensor.cuda, state.target))
        step = GraphedStep(count_up)
        for number in range(1, 8):
            frames = make_frames(number).cuda()
            eager, expected = count_up(frames, eager)
            recorded, result = step(frames, recorded)
            torch.testing.assert_close(result, expected)
