import sys

import numpy as np
import pytest
from fake_tracker import FakeTracker

import dsiam_plugin
from dsiam_plugin.adapters import PysotTracker, build_pysot_tracker
from dsiam_plugin.errors import BoxError, ImageError, MissingDependencyError

RED = (255, 0, 0)


def red_bgr():
    return np.full((60, 80, 3), RED[::-1], np.uint8)


def red_pil(mode="RGB"):
    image = pytest.importorskip("PIL.Image")
    return image.new("RGB", (80, 60), RED).convert(mode)


@pytest.fixture
def got10k():
    pytest.importorskip("got10k")
    from dsiam_plugin.adapters import got10k

    return got10k


def test_pysot_images_are_bgr():
    fake = FakeTracker()
    tracker = PysotTracker(fake)
    tracker.init(red_bgr(), [10, 10, 20, 20])
    tracker.track(red_bgr())
    assert fake.colors == [list(RED), list(RED)]
    assert tracker.image_mode == "BGR"


def test_pysot_result():
    tracker = PysotTracker(FakeTracker())
    tracker.init(red_bgr(), np.array([10.5, 10, 20, 20]))
    result = tracker.track(red_bgr())
    assert result == {"bbox": [11, 9.5, 20, 20], "best_score": pytest.approx(0.9)}
    assert type(result["bbox"]) is list
    assert [type(value) for value in result["bbox"]] == [float] * 4


def test_pysots_loop_starts_the_tracker_on_the_annotation():
    """The arithmetic of its tools/test.py, and what a tracker of its own answers."""
    x, y, w, h = 10.0, 12.0, 21.0, 20.0
    cx, cy = x + w / 2, y + h / 2
    fake = FakeTracker()
    tracker = PysotTracker(fake)
    tracker.init(red_bgr(), [cx - (w - 1) / 2, cy - (h - 1) / 2, w, h])
    assert fake.boxes[0] == (x, y, w, h)
    assert tracker.track(red_bgr())["bbox"] == [x + 1, y, w, h]  # the fake moves by one pixel


@pytest.mark.parametrize("box", [None, (1, 2, 3), "box", (10**400, 1, 2, 3)])
def test_boxes_that_are_none(box):
    with pytest.raises(BoxError, match="expected four numbers"):
        PysotTracker(FakeTracker()).init(red_bgr(), box)


def test_frames_may_change_their_size():
    fake = FakeTracker()
    tracker = PysotTracker(fake)
    tracker.init(red_bgr(), [10.5, 12.5, 20, 20])
    first = tracker.track(red_bgr())
    answer = tracker.track(np.repeat(red_bgr(), 2, axis=0))
    assert answer == {"bbox": [11, 24, 20, 40], "best_score": first["best_score"]}
    assert tracker.track(np.repeat(red_bgr(), 2, axis=0))["bbox"] == [12, 24, 20, 40]


def test_got10k_images_are_rgb(got10k):
    fake = FakeTracker()
    tracker = got10k.Got10kTracker(fake)
    tracker.init(red_pil(), [10, 10, 20, 20])
    tracker.update(red_pil())
    tracker.update(red_pil("RGBA"))
    tracker.update(red_pil("P"))
    assert fake.colors == [list(RED)] * 4


def test_got10k_counts_pixels_from_one_by_default(got10k):
    fake = FakeTracker()
    tracker = got10k.Got10kTracker(fake)
    tracker.init(red_pil(), np.array([10.0, 12, 20, 20]))
    assert fake.boxes[0] == (9, 11, 20, 20)
    assert tracker.update(red_pil()).tolist() == [11, 12, 20, 20]  # the fake moves by one pixel


def test_got10k_may_count_from_zero(got10k):
    fake = FakeTracker()
    tracker = got10k.Got10kTracker(fake, first_pixel=0)
    tracker.init(red_pil(), [10, 12, 20, 20])
    assert fake.boxes[0] == (10, 12, 20, 20)
    assert tracker.update(red_pil()).tolist() == [11, 12, 20, 20]


def test_got10k_interface(got10k):
    from got10k.trackers import Tracker

    tracker = got10k.Got10kTracker(FakeTracker(), name="mine")
    assert isinstance(tracker, Tracker)
    assert tracker.is_deterministic
    assert tracker.name == "mine"
    assert got10k.Got10kTracker(FakeTracker()).name == "Fake"


def test_got10k_array_instead_of_pil_image(got10k):
    tracker = got10k.Got10kTracker(FakeTracker())
    with pytest.raises(ImageError, match="ndarray; expected a PIL image"):
        tracker.init(red_bgr(), [10, 10, 20, 20])


def test_missing_got10k_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "got10k", None)
    monkeypatch.setitem(sys.modules, "got10k.trackers", None)
    monkeypatch.delitem(sys.modules, "dsiam_plugin.adapters.got10k", raising=False)
    with pytest.raises(MissingDependencyError, match=r"pip install 'dsiam-plugin\[got10k\]'"):
        from dsiam_plugin.adapters import Got10kTracker  # noqa: F401


def test_builders_pass_their_options_on(monkeypatch, got10k):
    calls = []

    def build_tracker(name, **options):
        calls.append((name, options))
        return FakeTracker()

    monkeypatch.setattr(dsiam_plugin, "build_tracker", build_tracker, raising=False)
    assert isinstance(build_pysot_tracker("DSiam", device="cpu"), PysotTracker)
    tracker = got10k.build_got10k_tracker("SiamFC", weights="a.npz", first_pixel=0)
    assert (tracker.first_pixel, tracker.name) == (0, "Fake")
    assert calls == [("DSiam", {"device": "cpu"}), ("SiamFC", {"weights": "a.npz"})]


def write_otb(root, names):
    """A tiny OTB-2013: real names, generated frames, 1-based annotations of a still box."""
    from PIL import Image

    for name in names:
        (root / name / "img").mkdir(parents=True)
        for frame in range(1, 4):
            Image.new("RGB", (80, 60), RED).save(root / name / "img" / f"{frame:04d}.jpg")
        (root / name / "groundtruth_rect.txt").write_text("1,1,20,20\n" * 3)


def test_real_experiment_writes_boxes_in_its_own_pixel_count(tmp_path, monkeypatch, got10k):
    experiments = pytest.importorskip("got10k.experiments")
    from got10k.datasets import OTB

    names = OTB._OTB__otb13_seqs
    write_otb(tmp_path / "OTB", names[:2])
    monkeypatch.setattr(OTB, "_OTB__version_dict", {2013: names[:2]})  # all 50 would be slow
    fake = FakeTracker()
    experiment = experiments.ExperimentOTB(
        str(tmp_path / "OTB"),
        version=2013,
        result_dir=str(tmp_path / "results"),
        report_dir=str(tmp_path / "reports"),
    )
    experiment.run(got10k.Got10kTracker(fake))
    assert fake.boxes == [(0, 0, 20, 20), (1, 0, 20, 20), (2, 0, 20, 20)]
    assert np.abs(np.array(fake.colors) - RED).max() <= 2  # JPEG
    for name in names[:2]:
        result = np.loadtxt(tmp_path / "results/OTB2013/Fake" / f"{name}.txt", delimiter=",")
        assert result.tolist() == [[1, 1, 20, 20], [2, 1, 20, 20], [3, 1, 20, 20]]
    performance = experiment.report(["Fake"])["Fake"]["overall"]
    # Overlaps 1, 19/21, 18/22: the 21 thresholds below each, over three frames.
    assert performance["success_score"] == pytest.approx((20 + 19 + 17) / 21 / 3)
    assert performance["precision_score"] == 1
