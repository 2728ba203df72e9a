import importlib

import numpy as np
import pytest

from dsiam_plugin.evaluation.visualization import draw_success_precision


def ramp(score, size):
    """A falling line whose mean is ``score``."""
    return score + np.linspace(0.1, -0.1, size)


SUCCESS = {
    "A": {"v1": ramp(0.8, 21), "v2": ramp(0.2, 21)},
    "B": {"v1": ramp(0.4, 21)},
}
PRECISION = {
    "A": {"v1": np.arange(51) / 100, "v2": np.zeros(51)},
    "B": {"v1": np.arange(51) / 50},
}


def texts(figure):
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_the_function_is_what_the_package_exports_even_after_its_module():
    module = importlib.import_module("dsiam_plugin.evaluation.visualization.draw_success_precision")
    package = importlib.import_module("dsiam_plugin.evaluation.visualization")
    assert package.draw_success_precision is module.draw_success_precision
    assert callable(draw_success_precision)


def test_success_is_ranked_by_area_and_gaps_are_marked():
    figures = draw_success_precision(SUCCESS, "OTB2013", ["v1", "v2"], "ALL")
    assert list(figures) == ["success"]
    assert texts(figures["success"]) == ["[0.500] A", "[0.400] B (1/2)"]
    line = figures["success"].axes[0].get_lines()[0]
    np.testing.assert_allclose(line.get_ydata(), ramp(0.5, 21))


def test_precision_is_read_at_20_px():
    figure = draw_success_precision(SUCCESS, "OTB2013", ["v1"], "FM", PRECISION)["precision"]
    assert texts(figure) == ["[0.400] B", "[0.200] A"]
    assert "fast motion (1)" in figure.axes[0].get_title(loc="left")


def test_a_tracker_looks_the_same_in_every_plot():
    whole = draw_success_precision(SUCCESS, "D", ["v1", "v2"], "ALL", PRECISION)
    part = draw_success_precision(SUCCESS, "D", ["v1"], "FM", PRECISION, PRECISION)

    def color(figure, tracker):
        lines = {line.get_label().split()[1]: line for line in figure.axes[0].get_lines()[-2:]}
        return lines[tracker].get_color()

    for tracker in ("A", "B"):
        seen = [color(figure, tracker) for figure in [*whole.values(), *part.values()]]
        assert len(seen) == 5 and len(set(seen)) == 1


def test_a_tracker_without_any_of_the_videos_is_listed_last():
    figure = draw_success_precision(SUCCESS, "D", ["v2"], "FM", bold_name="A")["success"]
    assert texts(figure) == ["[0.200] A", "[  -  ] B (0/1)"]


def test_files_are_named_after_set_measure_and_attribute(tmp_path):
    draw_success_precision(SUCCESS, "D", ["v1"], "FM", PRECISION, path=tmp_path / "new")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "D_precision_FM.pdf",
        "D_precision_FM.png",
        "D_success_FM.pdf",
        "D_success_FM.png",
    ]


def test_the_ordinate_follows_the_axis_argument():
    figure = draw_success_precision(SUCCESS, "D", ["v1"], "ALL", axis=[0, 0.5])["success"]
    assert figure.axes[0].get_ylim() == pytest.approx((0, 0.5))
