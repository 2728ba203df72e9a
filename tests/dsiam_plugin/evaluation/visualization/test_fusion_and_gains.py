"""The fusion maps and the differences by sequence, as they are drawn."""

import numpy as np
import pytest

from dsiam_plugin.evaluation.visualization.fusion import draw_fusion
from dsiam_plugin.evaluation.visualization.gains import draw_gains

pytest.importorskip("matplotlib")


def test_fusion_maps_are_drawn_as_they_are(tmp_path):
    conv5 = np.random.default_rng(0).random((17, 17))
    maps = {"conv5": conv5, "conv4": 1 - conv5}
    figure = draw_fusion(maps, "release", tmp_path)
    panels = [axes for axes in figure.axes if axes.get_images()]
    assert [axes.get_title() for axes in panels] == ["conv5", "conv4"]
    for axes, weights in zip(panels, maps.values(), strict=True):
        np.testing.assert_array_equal(axes.get_images()[0].get_array(), weights)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["fusion_release.pdf", "fusion_release.png"]


def test_gains_stand_in_the_order_of_the_first_comparison():
    gains = {"theirs": {"a": -0.1, "b": 0.3}, "ours": {"b": 0.2, "c": 0.1}}
    (axes,) = draw_gains(gains, "set").axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["b", "a", "c"]
    theirs, ours = ([bar.get_height() for bar in container] for container in axes.containers)
    np.testing.assert_array_equal(theirs, [0.3, -0.1, np.nan])
    np.testing.assert_array_equal(ours, [0.2, np.nan, 0.1])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "theirs (mean +0.100)",
        "ours (mean +0.150)",
    ]
