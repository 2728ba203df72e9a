"""The unrolled model against the tracker itself, frame by frame."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from clip_data import clip_model, moving_clip, tracker_config

from dsiam_plugin.core.spectra import PAIRS
from dsiam_plugin.models.network import build_network
from dsiam_plugin.trackers.host import DSiamTracker
from dsiam_plugin.training.joint.crop_layer import box_centers
from dsiam_plugin.training.joint.spectral import CLOSED_FORM
from dsiam_plugin.training.joint.unroll import Unroller

FRAMES = 6


def configuration(preset, transform, tracking):
    config = tracker_config("DSiamM", preset, **transform)
    fusion = replace(config.fusion, primary_weight=0.6, center_radius=2)
    return replace(config, fusion=fusion, tracking=replace(config.tracking, **tracking))


def tracked(model, config, clip):
    """States and results of the tracker on the rows of one clip as a video."""
    weights = model.to_weights({})
    network = build_network(
        config.model,
        config.fusion,
        weights_of(weights),
        config.crop,
        torch.device("cpu"),
        torch.float32,
    )
    if config.fusion.balance:
        network.scale, network.bias = (
            model.scalars()["head_scale"],
            model.scalars()["head_bias"],
        )
    tracker = DSiamTracker(network, config)
    images = clip.crops[0].numpy()
    state = tracker.start(images[0], clip.boxes[0, 0].tolist())
    history = []
    for image in images[1:]:
        state, result = tracker.step(image, state)
        history.append((state, result))
    return history


def weights_of(weights):
    """The backbone alone."""
    tensors = {name: item for name, item in weights.tensors.items() if name.startswith("conv")}
    return replace(weights, tensors=tensors)


def unrolled(model, config, clip):
    """States and sights of the clip model's steps."""
    annotated = box_centers(clip.boxes[0])
    embed = partial(model.embed, dtype=torch.float32)
    unroller = Unroller(config, model.learnables.numbers(), embed, 200.0)
    fill = clip.crops[:, 0].float().mean(dim=(1, 2)).round().to(torch.uint8)
    state = unroller.start(clip.crops[:, 0], annotated[:1], fill)
    history = []
    for time in range(1, FRAMES):
        state, seen = unroller.look(state, clip.crops[:, time], annotated[time : time + 1], True)
        history.append((state, seen))
    return history


CASES = {
    "steady": ("steady", {}, {}),
    "steady, one frame too ambiguous": ("steady", {"max_ambiguity": 0.2}, {}),
    "release": ("release", {}, {}),
    "release, lost on the way": ("release", {"lost_growth": 1.0}, {"lost_below": 1050.0}),
    "paper": ("paper", {}, {}),
    "paper, lost on the way": ("paper", {"lost_growth": 1.0}, {"lost_below": 1500.0}),
    "last frame as template": ("steady", {"variation": False, "replace_template": True}, {}),
}

# Frames that V and W learn on.
LEARNT = {
    "steady": [1, 1, 1, 1, 1],
    "steady, one frame too ambiguous": [1, 1, 0, 1, 0],
    "release, lost on the way": [1, 1, 1, 0, 1],
}


@pytest.mark.parametrize("case", CASES)
def test_every_frame_is_the_trackers(tmp_path, case):
    config = configuration(*CASES[case])
    model = clip_model(tmp_path, config)
    clip = moving_clip(FRAMES)
    with torch.no_grad():
        theirs, ours = tracked(model, config, clip), unrolled(model, config, clip)
    for (state, result), (target, seen) in zip(theirs, ours, strict=True):
        expected = state.target
        torch.testing.assert_close(target.center, expected.center)
        assert float(seen.peaks.score) == pytest.approx(result.score, rel=1e-3, abs=1e-3)
        same_features(target.template, expected.template)
        same_features(target.mean, expected.mean)
        assert bool(target.suppressing) == bool(expected.suppressing)
        filters = filters_of(PAIRS, expected.suppression)
        same_features(filters_of(CLOSED_FORM, target.suppression), filters)
    if case in LEARNT:
        assert [int(seen.verdict.learns) for _, seen in ours] == LEARNT[case]


def filters_of(spectra, suppression):
    """W on the cells of a search window, of spectra in one form or the other."""
    sides = {"conv5": (22, 22), "conv4": (24, 24)}
    return {layer: spectra.inverse(item, sides[layer]) for layer, item in suppression.items()}


def same_features(ours, theirs):
    for layer, item in theirs.items():
        scale = float(item.abs().max())
        torch.testing.assert_close(ours[layer] / scale, item / scale, rtol=0, atol=2e-4)
