from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from seeded_network import moving_patch, weights_for, write_weights

from dsiam_plugin import Box, build_tracker
from dsiam_plugin.config.variants import tracker_names
from dsiam_plugin.core.boxes import VARIANTS
from dsiam_plugin.core.state import tensors_of
from dsiam_plugin.errors import BoxError, ImageError, TrackerStateError
from dsiam_plugin.io.boxes import overlap
from dsiam_plugin.trackers.host import DSiamTracker

ALEXNET_NAMES = [name for name in tracker_names() if "Vgg" not in name]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("weights") / "net.npz")


@pytest.fixture
def build(weights):
    def builder(name="DSiamM", config=None) -> DSiamTracker:
        return build_tracker(
            name,
            weights=weights_for(name, weights),
            config=config,
            device="cpu",
            precision="float32",
        )

    return builder


def follow(tracker, images, box):
    tracker.init(images[0], box)
    return [tracker.track(image) for image in images[1:]]


@pytest.mark.parametrize("name", ALEXNET_NAMES)
def test_every_variant_follows_a_moving_patch(build, name):
    images, boxes = moving_patch()
    results = follow(build(name), images, boxes[0])
    overlaps = [
        overlap(result.box, Box(*box)) for result, box in zip(results, boxes[1:], strict=True)
    ]
    assert min(overlaps) > 0.5
    assert all(np.isfinite(result.score) for result in results)


@pytest.mark.parametrize("name", ["DSiamM", "DSiamBox"])
def test_two_runs_are_equal_to_the_last_bit(build, name):
    images, boxes = moving_patch()
    assert follow(build(name), images, boxes[0]) == follow(build(name), images, boxes[0])


@pytest.mark.parametrize("name", ["DSiamM", "DSiamBox"])
def test_one_network_serves_many_targets(build, name):
    """Interleaved steps of two states give what each gives alone."""
    tracker = build(name)
    images, boxes = moving_patch(6)
    other = (80.0, 20.0, 20.0, 30.0)
    alone = [follow(tracker, images, box) for box in (boxes[0], other)]
    states = [tracker.start(images[0], box) for box in (boxes[0], other)]
    together = [[], []]
    for image in images[1:]:
        for index, state in enumerate(states):
            states[index], result = tracker.step(image, state)
            together[index].append(result)
    assert together == alone


@pytest.mark.parametrize("name", ["DSiamM", "DSiamBox"])
def test_step_leaves_its_state_and_image_alone(build, name):
    tracker = build(name)
    images, boxes = moving_patch(3)
    state = tracker.start(images[0], boxes[0])
    before = [item.clone() for item in tensors_of(state.target)]
    pixels = images[1].copy()
    first = tracker.step(images[1], state)[1]
    assert tracker.step(images[1], state)[1] == first
    assert all(old.equal(item) for old, item in zip(before, tensors_of(state.target), strict=True))
    np.testing.assert_array_equal(images[1], pixels)
    with pytest.raises(FrozenInstanceError):
        state.image_size = (1, 1)


def test_exemplar_never_changes_and_siamfc_learns_nothing(build):
    images, boxes = moving_patch(5)
    for name, learns in (("SiamFC", False), ("DSiamM", True), ("DSiamBox", True)):
        tracker = build(name)
        tracker.init(images[0], boxes[0])
        first = tracker.state.target
        for image in images[1:]:
            tracker.track(image)
        last = tracker.state.target
        assert all(first.exemplar[k].equal(last.exemplar[k]) for k in first.exemplar)
        assert (last.template is first.template) is not learns
        assert bool(last.suppressing) is bool(last.suppression) is learns


def test_ablations_switch_off_their_part(build):
    images, boxes = moving_patch(3)
    learnt = {}
    for name in ("DSiamM-VT", "DSiamM-BS", "DSiamM-Multi"):
        tracker = build(name)
        first = tracker.start(images[0], boxes[0])
        learnt[name] = first.target, tracker.step(images[1], first)[0].target
    first, last = learnt["DSiamM-VT"]
    assert last.template is first.template
    assert last.suppression
    first, last = learnt["DSiamM-BS"]
    assert last.template is not first.template
    assert not last.suppression
    assert list(learnt["DSiamM-Multi"][0].exemplar) == ["conv5"]


def test_a_box_head_compares_with_variants_of_the_first_exemplar(build):
    """They stay; a target twice as wide is one whose box is, and W is seen by the head."""
    images, boxes = moving_patch(4)
    tracker = build("DSiamBox")
    states = tracker.start_many([images[0]] * 2, [boxes[0], (30, 40, 60, 26)])
    for state, width in zip(states, (30, 60), strict=True):
        target = state.target
        side = ((width + (width + 26) / 2) * (26 + (width + 26) / 2)) ** 0.5
        expected = [width * 127 / side, 26 * 127 / side]
        assert target.shape[0].tolist() == pytest.approx(expected, rel=1e-6)
        assert [item.shape[:3] for item in target.bank.values()] == [(1, len(VARIANTS), 12)] * 2
    last = states
    for image in images[1:]:
        last, _ = tracker.step_many([image] * 2, last)
    for old, new in zip(states, last, strict=True):
        assert all(old.target.bank[layer].equal(item) for layer, item in new.target.bank.items())
    assert build("DSiamM").start(images[0], boxes[0]).target.bank == {}


def test_gray_alpha_and_sixteen_bit_frames_are_the_same_image(build):
    images, boxes = moving_patch(4)
    gray = [image[..., :1].repeat(3, axis=2) for image in images]
    expected = follow(build(), gray, boxes[0])
    assert follow(build(), [image[..., 0] for image in gray], boxes[0]) == expected
    alpha = [np.dstack([image, np.full(image.shape[:2], 9, np.uint8)]) for image in gray]
    assert follow(build(), alpha, boxes[0]) == expected
    deep = [image.astype(np.uint16) * 257 for image in gray]
    assert follow(build(), deep, boxes[0]) == expected


def test_bad_input_is_named_and_leaves_the_target(build):
    tracker = build()
    images, boxes = moving_patch(3)
    with pytest.raises(TrackerStateError, match=r"DSiamM: track\(\) before init"):
        tracker.track(images[0])
    with pytest.raises(BoxError, match="outside the 160x120 image"):
        tracker.init(images[0], (500, 0, 10, 10))
    tracker.init(images[0], boxes[0])
    state = tracker.state
    with pytest.raises(ImageError, match="frame is 100x120, expected 160x120"):
        tracker.track(images[1][:, :100])
    with pytest.raises(ImageError, match="float64"):
        tracker.track(images[1].astype(float))
    assert tracker.state is state
    tracker.track(images[1])


@pytest.mark.parametrize("name", ["DSiamM", "DSiamBox"])
@pytest.mark.parametrize(
    "box", [(-20, -15, 40, 30), (-50, -50, 400, 400), (150, 110, 40, 40), (60, 50, 1, 1)]
)
def test_boxes_over_the_border_larger_than_the_image_or_tiny(build, name, box):
    images, _ = moving_patch(3)
    results = follow(build(name), images, box)
    assert all(np.isfinite(result.box).all() for result in results)


def always_lost(preset):
    return {"transform": preset, "tracking": {"lost_below": 1e9}}


def test_gate_on_a_loss(build):
    """Both transforms off, the target's size kept, the search region 1.1 times larger."""
    images, boxes = moving_patch(4)
    adapted = build("DSiam", {"transform": "release", "tracking": {"lost_below": None}})
    first = adapted.start(images[0], boxes[0])
    learnt, _ = adapted.step(images[1], first)
    assert learnt.target.suppressing
    tracker = build("DSiam", always_lost("release"))
    state, result = tracker.step(images[2], learnt)
    assert result.lost
    assert (result.box.w, result.box.h) == tuple(learnt.target.size[0].tolist())
    assert state.target.template["conv5"].equal(first.target.exemplar["conv5"])
    assert not state.target.suppressing
    assert state.target.side.item() == pytest.approx(1.1 * learnt.target.side.item())
    for _ in range(40):
        state, _ = tracker.step(images[2], state)
    assert state.target.side.item() == pytest.approx(5 * first.target.side.item())


@pytest.mark.parametrize("name", ["SiamFC", "DSiam", "DSiamM", "DSiamBox"])
def test_a_grey_frame_is_lost_and_the_target_is_not(build, name):
    tracker = build(name)
    images, boxes = moving_patch(3)
    first = tracker.start(images[0], boxes[0])
    grey = np.full_like(images[0], 128)
    assert tracker.step(grey, first)[1].lost
    assert not tracker.step(images[1], first)[1].lost


@pytest.mark.parametrize("background", ["search", "crop", "crop_at_scale"])
def test_background_is_learnt_from_every_source(build, background):
    images, boxes = moving_patch(4)
    tracker = build("DSiam", {"transform": {"background": background, "min_confidence": 0.0}})
    results = follow(tracker, images, boxes[0])
    assert overlap(results[-1].box, Box(*boxes[3])) > 0.5
    assert tracker.state.target.suppression["conv5"].shape == (1, 12, 22, 2, 16)


def test_untrusted_frames_teach_nothing(build):
    images, boxes = moving_patch(3)
    for rule in ({"max_ambiguity": 0.0}, {"min_confidence": 1.0}):
        noisy = [images[0], np.random.default_rng(0).integers(0, 256, images[0].shape, np.uint8)]
        tracker = build("DSiamM", {"transform": rule})
        first = tracker.start(noisy[0], boxes[0])
        state, _ = tracker.step(noisy[1], first)
        assert state.target.template is first.target.template
        assert not state.target.suppression


@pytest.mark.data
def test_siamfc_stays_on_a_real_sequence(shared):
    """Deer: the official raw results have a mean overlap of 0.74."""
    from dsiam_plugin.io.images import read_image

    folder = shared / "data" / "otb2013" / "sequences" / "Deer"
    rows = (folder / "groundtruth_rect.txt").read_text().split()[:20]
    boxes = [[float(v) for v in row.split(",")] for row in rows]
    images = [read_image(path) for path in sorted((folder / "img").iterdir())[:20]]
    tracker = build_tracker("SiamFC", weights=shared / "weights" / "siamfc_3s_color.npz")
    x, y, w, h = boxes[0]
    results = follow(tracker, images, (x - 1, y - 1, w, h))
    overlaps = [
        overlap(result.box, Box(x - 1, y - 1, w, h))
        for result, (x, y, w, h) in zip(results, boxes[1:], strict=True)
    ]
    assert np.mean(overlaps) > 0.65
