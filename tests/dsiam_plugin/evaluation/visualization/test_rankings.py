"""The pictures of expected average overlap, attributes, long-term results and speed."""

import numpy as np
import pytest

from dsiam_plugin.evaluation.visualization import draw_eao, draw_f1
from dsiam_plugin.evaluation.visualization.attributes import draw_attributes
from dsiam_plugin.evaluation.visualization.curves import Curve
from dsiam_plugin.evaluation.visualization.published import published_scores
from dsiam_plugin.evaluation.visualization.ranking import draw_eao_curves, draw_eao_ranking
from dsiam_plugin.evaluation.visualization.speed import SpeedScore, draw_speed
from dsiam_plugin.evaluation.visualization.styles import style


def texts(owner):
    return [text.get_text() for text in owner.get_legend().get_texts()]


def test_the_vot2015_table_has_its_62_trackers():
    table = published_scores("VOT2015")
    assert len(table) == 62
    best = table[0]
    assert (best.tracker, best.accuracy, best.robustness, best.eao) == ("MDNet", 0.60, 0.69, 0.38)
    assert best.speed_efo == 0.87
    assert [row.eao for row in table] == sorted((row.eao for row in table), reverse=True)
    assert published_scores("OTB2013") == ()


def test_the_ranking_places_trackers_among_the_published_ones():
    field = {row.tracker: row.eao for row in published_scores("VOT2015")}
    figure = draw_eao_ranking({"Ours": 0.295}, "VOT2015", field)
    names = texts(figure.axes[0])
    assert len(names) == 15
    assert names[3] == "4. [0.295] Ours"
    assert names[0] == "1. [0.380] MDNet (published)"


def test_every_evaluated_tracker_is_named_however_many_there_are():
    scores = {f"t{i}": 0.3 - i / 100 for i in range(20)}
    assert len(texts(draw_eao_ranking(scores, "VOT2018", {"X": 0.9}).axes[0])) == 20


def test_eao_curves_mark_the_interval():
    figure = draw_eao_curves({"A": Curve("A", np.full(400, 0.4), 0.4)}, "VOT2018", (100, 356))
    marks = [line.get_xdata()[0] for line in figure.axes[0].get_lines()[:2]]
    assert marks == [100, 356]


def test_the_eao_radar_scales_each_spoke_by_its_best(tmp_path):
    result = {"A": {"all": 0.4, "occlusion": 0.1}, "B": {"all": 0.2, "occlusion": 0.2}}
    figure = draw_eao(result, path=tmp_path, name="VOT2018")
    lines = figure.axes[0].get_lines()
    np.testing.assert_allclose(lines[0].get_ydata(), [1.0, 0.5, 1.0])
    np.testing.assert_allclose(lines[1].get_ydata(), [0.5, 1.0, 0.5])
    assert (tmp_path / "VOT2018_eao_attributes.pdf").stat().st_size > 1000


def test_attributes_are_drawn_as_radar_and_bars():
    sizes = {"ALL": 9, "IV": 3, "FM": 4, "OV": 2}
    scores = {
        "A": {"ALL": 0.5, "IV": 0.4, "FM": 0.6, "OV": np.nan},
        "B": {"ALL": 0.7, "IV": 0.8, "FM": 0.6, "OV": 0.5},
    }
    figures = draw_attributes(scores, "OTB2013", sizes, labels={"A": "A (8/9)"})
    assert texts(figures["bars"].axes[0]) == ["[0.700] B", "[0.500] A (8/9)"]
    heights = [bar.get_height() for bar in figures["bars"].axes[0].patches]
    np.testing.assert_allclose(heights, [0.7, 0.8, 0.6, 0.5, 0.5, 0.4, 0.6, np.nan])
    assert len(figures["radar"].axes[0].get_lines()) == 2
    assert set(draw_attributes(scores, "D", {"ALL": 9, "IV": 3})) == {"bars"}


def test_trackers_that_never_hit_are_drawn_too():
    scores = {"A": dict.fromkeys(("ALL", "IV", "FM", "OV"), 0.0)}
    figures = draw_attributes(scores, "D", {"ALL": 9, "IV": 3, "FM": 4, "OV": 2})
    assert figures["radar"].axes[0].get_ylim()[1] > 0
    assert draw_eao({"A": {"all": 0.0, "occlusion": np.nan}}).axes[0].get_ylim()[1] > 0


def test_a_tracker_keeps_its_look_whoever_is_published_beside_it():
    figure = draw_eao_ranking({"A": 0.1, "B": 0.2}, "VOT2015", {"X": 0.3})
    colors = {line.get_label()[-1]: line.get_color() for line in figure.axes[0].get_lines()[1:]}
    assert (colors["B"], colors["A"]) == (style(0).color, style(1).color)


def test_the_best_f1_ranks_the_long_term_plot():
    def row(precision, recall):
        return {"precision": {"v": np.array(precision)}, "recall": {"v": np.array(recall)}}

    result = {"A": row([0.9, 0.5], [0.0, 0.5]), "B": row([0.8, 0.6], [0.3, 0.6])}
    figure = draw_f1(result, bold_name="A")
    assert texts(figure.axes[0]) == ["[0.600] B", "[0.500] A"]


def test_speed_leaves_out_what_was_not_timed():
    scores = [SpeedScore("A", 0.5, 0.3, 25.0), SpeedScore("B", 0.6, 0.4, float("nan"))]
    figure = draw_speed(scores, "VOT2015", "EFO", published_scores("VOT2015"))
    assert texts(figure.axes[1]) == ["A", "published (62)"]
    assert figure.axes[0].get_lines()[0].get_ydata()[0] == pytest.approx(0.5)
