"""Strips of frames and the overlap per frame, on drawn frames."""

import numpy as np
import pytest

from dsiam_plugin.evaluation.visualization.overlaps import draw_overlaps
from dsiam_plugin.evaluation.visualization.strips import (
    SequenceResults,
    choose_frames,
    draw_strip,
    legend_entries,
)

FRAMES = 24


def sequence(trackers=("good", "lost")):
    truth = [[10.0, 10.0, 8.0, 6.0]] * FRAMES
    away = [[40.0, 30.0, 8.0, 6.0]] * FRAMES
    lost = np.ones(FRAMES)
    lost[12:] = 0.0
    return SequenceResults(
        name="walk",
        read=lambda frame: np.full((48, 64, 3), frame, np.uint8),
        truth=truth,
        regions={name: truth if name == "good" else truth[:12] + away[12:] for name in trackers},
        overlaps={name: np.ones(FRAMES) if name == "good" else lost for name in trackers},
    )


def boxes(axes):
    return [(patch.get_edgecolor(), patch.get_linestyle()) for patch in axes.patches]


def test_frames_are_chosen_where_trackers_differ():
    spread = np.zeros(101)
    spread[[7, 33, 60, 99]] = 1.0
    chosen = choose_frames({"a": np.zeros(101), "b": spread}, 4)
    assert chosen == [7, 33, 60, 99]


def test_chosen_frames_keep_their_distance_and_spare_the_first():
    spread = np.zeros(41)
    spread[[0, 10, 11]] = 1.0
    chosen = choose_frames({"a": spread}, 4)
    assert chosen[0] >= 1
    assert min(np.diff(chosen)) >= 5


def test_one_tracker_is_shown_where_it_is_worst():
    overlap = np.linspace(1.0, 0.0, 11)
    assert choose_frames({"a": overlap}, 2) == [5, 10]


def test_short_sequences_have_fewer_frames():
    assert choose_frames({"a": np.ones(4)}, 8) == [1, 2, 3]
    assert choose_frames({"a": np.ones(1)}, 8) == [0]


def test_a_missed_target_is_dashed():
    figure = draw_strip(sequence(), frames=[2, 20])
    before, after = (axes for axes in figure.axes[:2])
    assert [line for _, line in boxes(before)] == ["-", "-", "-"]
    styles = [line for _, line in boxes(after)]
    assert styles[:2] == ["-", "-"] and styles[2] != "-"
    assert [text.get_text() for text in after.texts] == ["#21"]


def test_the_legend_counts_the_misses():
    entries = legend_entries(sequence())
    assert entries == {"good": "good: never missed", "lost": "lost: missed 12 of 24 frames"}


def test_codes_and_broken_boxes_are_not_drawn():
    data = sequence(("lost",))
    data.regions["lost"][3:5] = [[2.0], [np.nan, 1.0, 2.0, 3.0]]
    figure = draw_strip(data, frames=[3, 4])
    assert [len(boxes(axes)) for axes in figure.axes[:2]] == [1, 1]


def test_only_as_many_trackers_as_colours_are_drawn():
    names = [f"t{i}" for i in range(9)]
    data = sequence(names)
    assert data.trackers == names[:7]
    assert len(boxes(draw_strip(data, frames=[1]).axes[0])) == 8


def test_overlaps_are_drawn_below_the_frames_they_mark(tmp_path):
    figure = draw_overlaps(sequence(), frames=[5, 20], path=tmp_path)
    assert len(figure.axes) == 3
    curves = figure.axes[2].get_lines()
    np.testing.assert_array_equal(curves[1].get_ydata(), sequence().overlaps["lost"])
    assert [line.get_xdata()[0] for line in curves[2:]] == [6, 21]
    assert {path.suffix for path in tmp_path.iterdir()} == {".png", ".pdf"}


def test_the_mean_ignores_frames_without_annotation():
    data = sequence(("good",))
    data.overlaps["good"][:12] = np.nan
    entry = draw_overlaps(data, frames=[13]).legends[0].get_texts()[0].get_text()
    assert entry == "[1.000] good"


@pytest.mark.parametrize("width", [64, 2000])
def test_large_frames_are_reduced(width):
    data = SequenceResults(
        "big",
        lambda frame: np.zeros((48, width, 3), np.uint8),
        [[1, 1, 5, 5]],
        {"a": [[1, 1, 5, 5]]},
        {"a": np.ones(1)},
    )
    image = draw_strip(data, frames=[0]).axes[0].get_images()[0]
    assert image.get_array().shape[1] == min(width, 640)
    assert image.get_extent()[1] == width
