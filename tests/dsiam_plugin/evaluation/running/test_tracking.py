"""One tracker over one sequence: what it is given, and the codes of restarts."""

import math

import cv2
import numpy as np
import pytest
from running_fakes import RedFinder, RedFinderRGB, Silent, Still, make_sequence

from dsiam_plugin.errors import DatasetError, ImageError, TrackerError
from dsiam_plugin.evaluation.running.jobs import RunJob, run_job
from dsiam_plugin.evaluation.running.trackers import read_estimate
from dsiam_plugin.evaluation.running.tracking import run_through, run_with_restarts

ON, OFF = (10.0, 10.0, 8.0, 8.0), (40.0, 30.0, 8.0, 8.0)


@pytest.fixture
def images(tmp_path):
    make_sequence(tmp_path / "s", 14)
    return [str(path) for path in sorted((tmp_path / "s" / "img").iterdir())]


class Scripted:
    """Answers in turn with what it is told to, and notes where it was started."""

    box_mode = "plain"

    def __init__(self, answers):
        self.answers = iter(answers)
        self.started = []

    def init(self, image, box):
        self.started.append(box)

    def track(self, image):
        return {"bbox": next(self.answers)}


def ignore():
    pass


def rows(track):
    """Its regions, with codes as plain numbers."""
    return [region[0] if len(region) == 1 else region for region in track.regions]


def test_first_row_is_the_start_box(images):
    track = run_through(Still(), images[:3], lambda image: (1.5, 2.0, 3.0, 4.0), ignore)
    assert rows(track) == [(1.5, 2.0, 3.0, 4.0)] * 3
    assert math.isnan(track.scores[0])
    assert track.scores[1:] == [0.5, 0.5]
    assert len(track.seconds) == 3


@pytest.mark.parametrize("tracker_class", [RedFinder, RedFinderRGB])
def test_images_come_in_the_trackers_colour_order(images, tracker_class):
    track = run_through(tracker_class(), images[:4], lambda image: (4.0, 3.0, 12.0, 10.0), ignore)
    np.testing.assert_allclose(track.regions, [(4 + k, 3 + k, 12, 10) for k in range(4)])
    assert track.scores[1] == 120  # every pixel of the target, and no other


def test_every_frame_is_reported(images):
    seen = []
    run_through(Still(), images, lambda image: ON, lambda: seen.append(1))
    assert len(seen) == len(images)


def test_restart_codes(images):
    tracker = Scripted([ON, ON, OFF, ON, OFF, ON])
    track = run_with_restarts(tracker, images, [ON] * 14, ignore)
    # Started on 0, lost on 3, skipped 4 to 7, started on 8, lost on 10, skipped to the end.
    assert rows(track) == [1, ON, ON, 2, 0, 0, 0, 0, 1, ON, 2, 0, 0, 0]
    assert tracker.started == [ON, ON]


def test_restart_waits_for_the_target(images):
    truth = [ON] * 4 + [(math.nan,) * 4] * 6 + [ON] * 4
    track = run_with_restarts(Scripted([OFF, ON, ON, ON]), images, truth, ignore)
    # Lost on 1, due on 6, but the target is back on 10 only.
    assert rows(track) == [1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, ON, ON, ON]


def test_an_answer_that_is_not_finite_is_lost(images):
    track = run_with_restarts(Scripted([(math.nan,) * 4]), images[:2], [ON] * 2, ignore)
    assert rows(track) == [1, 2]


def test_restart_starts_polygons_as_boxes(images):
    polygon = (10, 10, 10, 17, 17, 17, 17, 10)
    tracker = Scripted([ON])
    track = run_with_restarts(tracker, images[:2], [polygon] * 2, ignore)
    assert tracker.started == [pytest.approx(ON)]
    assert rows(track) == [1, ON]


class PysotLike:
    """Keeps the target still in pysot's geometry: in by the middle of a pixel, out by its edge."""

    def init(self, image, box):
        self.started = box
        x, y, w, h = box
        self.center, self.size = np.array([x + (w - 1) / 2, y + (h - 1) / 2]), np.array([w, h])

    def track(self, image):
        return {"bbox": [*(self.center - self.size / 2), *self.size], "best_score": 1.0}


RECTANGLE = (10.0, 7.0, 9.0, 12.0)
POLYGON = (12.0, 8.0, 20.0, 10.0, 18.0, 21.0, 9.0, 18.0)


@pytest.mark.parametrize("region", [RECTANGLE, POLYGON])
@pytest.mark.parametrize("kind", ["one_pass", "restarts"])
def test_first_boxes_are_those_of_pysots_loop(images, kind, region):
    tracker = PysotLike()
    (track,) = run_job(RunJob("s", 1, tuple(images[:3]), (region,) * 3, kind), tracker, ignore)
    corners = region
    if kind == "restarts" and len(region) == 4:  # its loop makes corners of pixels of them first
        x, y, w, h = region
        corners = (x, y, x, y + h - 1, x + w - 1, y + h - 1, x + w - 1, y)
    cx, cy, w, h = axis_aligned_box(np.array(corners))
    expected = cx - (w - 1) / 2, cy - (h - 1) / 2, w, h
    assert tracker.started == pytest.approx(expected)
    if kind == "one_pass" and len(region) == 4:  # and then a still target has its annotation
        assert track.regions == [RECTANGLE] * 3


def axis_aligned_box(region):
    """Centre and size as pysot computes them of an annotation."""
    if region.size == 4:
        x, y, w, h = region
        return x + w / 2, y + h / 2, w, h
    corners = region.reshape(4, 2)
    (cx, cy), (width, height) = corners.mean(axis=0), np.ptp(corners, axis=0)
    first, second = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[1])
    scale = np.sqrt(first * second / (width * height))
    return cx, cy, scale * width + 1, scale * height + 1


def test_trackers_that_say_so_get_the_box_as_annotated(images):
    tracker = PysotLike()
    tracker.box_mode = "plain"
    run_job(RunJob("s", 1, tuple(images[:1]), (RECTANGLE,), "one_pass"), tracker, ignore)
    assert tracker.started == RECTANGLE


def test_polygons_of_the_tracker_are_kept(images):
    class Polygonal(Still):
        def track(self, image):
            return {"bbox": OFF, "polygon": np.array([[10, 10], [17, 10], [17, 17], [10, 17]])}

    track = run_with_restarts(Polygonal(), images[:2], [ON] * 2, ignore)
    assert rows(track) == [1, (10, 10, 17, 10, 17, 17, 10, 17)]


def repeated(tracker, images, repetitions):
    job = RunJob("s", 1, tuple(images), (ON,) * len(images), "restarts", repetitions=repetitions)
    return [rows(track) for track in run_job(job, tracker, ignore)]


def test_three_equal_repetitions_end_them(images):
    assert repeated(Still(), images[:2], 15) == [[1, ON]] * 3


def test_different_repetitions_go_on(images):
    tracker = Scripted([ON, ON, OFF, ON, ON])
    assert repeated(tracker, images[:2], 5) == [[1, ON], [1, ON], [1, 2], [1, ON], [1, ON]]


def test_restarts_need_every_annotation(images):
    job = RunJob("s", 1, tuple(images), (ON,), "restarts")
    with pytest.raises(DatasetError, match="1 annotations for 14 frames"):
        run_job(job, Still(), ignore)


def test_a_frame_that_is_no_image_is_named(images):
    with open(images[2], "w") as file:
        file.write("text")
    with pytest.raises(ImageError, match=r"0003\.png: 4 bytes that do not decode"):
        run_through(Still(), images, lambda image: ON, ignore)


def test_a_missing_frame_is_named(images):
    with pytest.raises(ImageError, match=r"nowhere\.jpg: No such file"):
        run_through(Still(), ["nowhere.jpg"], lambda image: ON, ignore)


@pytest.mark.parametrize(
    "answer",
    [None, {}, {"bbox": None}, {"bbox": [1, 2, 3]}, {"bbox": "box"}, (1, 2, 3), (True, (1, 2)), 7],
)
def test_answers_without_a_box(answer):
    with pytest.raises(TrackerError, match="track returned"):
        read_estimate(answer)


@pytest.mark.parametrize(
    "answer",
    [(True, (1, 2, 3, 4)), [np.True_, np.array([1, 2, 3, 4])], (1, 2, 3, 4), np.arange(1, 5)],
)
def test_answers_as_other_libraries_give_them(answer):
    estimate = read_estimate(answer)
    assert (estimate.box, estimate.lost) == ((1.0, 2.0, 3.0, 4.0), False)


def test_a_target_that_was_not_found_has_no_box(images):
    estimate = read_estimate((False, (0, 0, 0, 0)))
    assert estimate.lost
    assert all(math.isnan(number) for number in estimate.box)

    class Blind(Still):
        def track(self, image):
            return False, self.box

    assert rows(run_with_restarts(Blind(), images[:2], [ON] * 2, ignore)) == [1, 2]


def test_answers_without_a_score():
    estimate = read_estimate({"bbox": np.array([1, 2, 3, 4], dtype=np.float32)})
    assert estimate.box == (1.0, 2.0, 3.0, 4.0)
    assert math.isnan(estimate.score)


def test_silent_tracker(images):
    with pytest.raises(TrackerError, match="NoneType"):
        run_through(Silent(), images, lambda image: ON, ignore)


class OfOneSize(Still):
    """Refuses frames of another size than its first one, as the package's own trackers do."""

    def init(self, image, box):
        super().init(image, box)
        self.shape = image.shape

    def track(self, image):
        if image.shape != self.shape:
            raise ImageError("another size")
        return super().track(image)


def test_a_sequence_goes_on_where_its_frames_change_their_size(images):
    for path in images[2:4]:
        cv2.imwrite(path, cv2.resize(cv2.imread(path), (128, 72)))  # from 64x48
    double = (20.0, 15.0, 16.0, 12.0)
    track = run_through(OfOneSize(), images[:5], lambda image: ON, ignore)
    assert rows(track) == [ON, ON, double, double, ON]
    assert math.isnan(track.scores[2])
    truth = [ON, ON, double, double, ON]
    track = run_with_restarts(OfOneSize(), images[:5], truth, ignore)
    assert rows(track) == [1, *truth[1:]]
