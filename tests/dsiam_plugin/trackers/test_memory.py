"""What tracking keeps in memory: nothing of the frames before, and no more as they go by."""

import gc
import json
import os
import subprocess
import sys
import weakref
from pathlib import Path

import pytest
import torch
from seeded_network import moving_patch, write_weights

from dsiam_plugin import build_tracker

ROOT = Path(__file__).parents[3]
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
# The smallest crops that the network takes with room to search: a frame costs a few milliseconds.
SMALL = {
    "crop": {"exemplar_size": 95, "search_size": 127},
    "tracking": {"scales": 1, "upsample": 4},
    "transform": {"max_ambiguity": 1.0},  # learns in every frame
}
PEAK = """
import json, sys
import numpy as np
from dsiam_plugin import build_tracker

weights, precision = sys.argv[1:]
tracker = build_tracker("DSiamM", weights=weights, device="cpu", precision=precision)
frames = np.random.default_rng(0).integers(0, 256, (12, 360, 640, 3), np.uint8)
tracker.init(frames[0], (300, 150, 70, 50))
for frame in frames[1:]:
    tracker.track(frame)
# Not ru_maxrss: a started process inherits that of the one that started it.
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps(int(status["VmHWM"].split()[0]) / 1024))
"""


@pytest.fixture(scope="module")
def tracker(tmp_path_factory):
    weights = write_weights(tmp_path_factory.mktemp("weights") / "tiny.npz", channels=(2,) * 5)
    return build_tracker("DSiamM", weights=weights, config=SMALL, device="cpu", precision="float32")


def follow(tracker, frames):
    images, boxes = moving_patch(12)
    images += images[-2:0:-1]  # there and back, so that the target never jumps
    if tracker.state is None:
        tracker.init(images[0], boxes[0])
    for number in range(frames):
        tracker.track(images[(number + 1) % len(images)])


def live():
    """Tensors that can be reached, their bytes, and Python's objects and blocks of memory."""
    gc.collect()
    objects = gc.get_objects()
    # Tensors alone: an export leaves some that have no memory.
    tensors = [item for item in objects if type(item) in (torch.Tensor, torch.nn.Parameter)]
    storages = {item.untyped_storage().data_ptr(): item.untyped_storage() for item in tensors}
    return {
        "tensors": len(tensors),
        "bytes": sum(storage.nbytes() for storage in storages.values()),
        "objects": len(objects),
        "blocks": sys.getallocatedblocks(),
    }


def resident_mb():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def assert_no_growth(before, after, frames):
    assert (after["tensors"], after["bytes"]) == (before["tensors"], before["bytes"])
    # Less than one object for ten frames: caches of the interpreter come and go.
    assert after["objects"] - before["objects"] < frames / 10
    assert after["blocks"] - before["blocks"] < frames / 10 + 200


def test_the_counters_notice_what_is_kept(tracker):
    follow(tracker, 4)
    before = live()
    kept = []
    for _ in range(50):
        follow(tracker, 1)
        kept.append(tracker.state)
    assert live()["tensors"] > before["tensors"] + 50
    with pytest.raises(AssertionError):
        assert_no_growth(before, live(), 50)


def test_fifty_frames_leave_nothing_behind(tracker):
    follow(tracker, 4)
    before = live()
    follow(tracker, 50)
    assert_no_growth(before, live(), 50)


def test_a_state_does_not_hold_the_one_before(tracker):
    images, boxes = moving_patch(3)
    first = tracker.start(images[0], boxes[0])
    second, _ = tracker.step(images[1], first)
    third, _ = tracker.step(images[2], second)
    learnt = second.target
    assert learnt.suppression and learnt.template is not first.target.template
    kinds = (learnt.suppression, learnt.template, learnt.mean)
    gone = [weakref.ref(second)]
    gone += [weakref.ref(item) for features in kinds for item in features.values()]
    del learnt, kinds
    del second
    gc.collect()
    assert [reference() for reference in gone] == [None] * len(gone)
    assert third.target.exemplar is first.target.exemplar


def test_a_new_target_replaces_the_old_one(tracker):
    images, boxes = moving_patch(2)
    tracker.init(images[0], boxes[0])
    tracker.track(images[1])
    before = live()
    for _ in range(20):
        tracker.init(images[0], boxes[0])
        tracker.track(images[1])
    assert_no_growth(before, live(), 20)


@pytest.mark.integration
@linux
def test_ten_thousand_frames_leave_nothing_behind(tracker):
    follow(tracker, 200)
    before, resident = live(), resident_mb()
    follow(tracker, 10_000)
    assert_no_growth(before, live(), 10_000)
    assert resident_mb() - resident < 16  # what PyTorch and OpenCV allocate outside Python


@pytest.mark.integration
@linux
@pytest.mark.parametrize("precision", ["auto", "float32"])
def test_the_full_network_needs_less_than_700_mb(tmp_path, precision):
    weights = write_weights(tmp_path / "full.npz", channels=(96, 256, 384, 384, 256))
    done = subprocess.run(
        [sys.executable, "-c", PEAK, weights, precision],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert 100 < json.loads(done.stdout) < 700
