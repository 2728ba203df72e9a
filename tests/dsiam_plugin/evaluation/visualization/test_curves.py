import math
import subprocess
import sys

import numpy as np
import pytest

from dsiam_plugin.errors import MissingDependencyError
from dsiam_plugin.evaluation.visualization.curves import Curve, CurvePlot, draw_curves, shorten
from dsiam_plugin.evaluation.visualization.figures import encode, save
from dsiam_plugin.evaluation.visualization.styles import style

PLOT = CurvePlot("Title", "x", "y", np.linspace(0, 1, 5), marks=(0.5,))
CURVES = {
    "low": Curve("low (2/3)", np.full(5, 0.25), 0.25),
    "none": Curve("none (0/3)", np.full(5, np.nan), math.nan),
    "high": Curve("high", np.full(5, 0.75), 0.75, bold=True),
}


def legend_of(figure):
    return figure.axes[0].get_legend()


def test_the_legend_is_ranked_with_scores_and_gaps():
    texts = [text.get_text() for text in legend_of(draw_curves(PLOT, CURVES)).get_texts()]
    assert texts == ["[0.750] high", "[0.250] low (2/3)", "[  -  ] none (0/3)"]


def test_only_the_bold_tracker_is_bold():
    weights = [text.get_fontweight() for text in legend_of(draw_curves(PLOT, CURVES)).get_texts()]
    assert weights == ["bold", "normal", "normal"]


def test_lines_carry_the_values():
    axes = draw_curves(PLOT, CURVES).axes[0]
    lines = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
    np.testing.assert_array_equal(lines["[0.750] high"], np.full(5, 0.75))


def test_thirty_trackers_all_look_different():
    curves = {f"t{i}": Curve(f"t{i}", np.full(5, i / 28), i / 28) for i in range(28)}
    lines = draw_curves(PLOT, curves).axes[0].get_lines()[1:]
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 28
    assert len({(style(i).color, style(i).marker) for i in range(56)}) == 56


def test_two_runs_write_the_same_bytes(tmp_path):
    names = []
    for run in ("a", "b"):
        names.append([path.name for path in save(draw_curves(PLOT, CURVES), tmp_path / run, "p")])
    assert names == [["p.png", "p.pdf"]] * 2
    for name in names[0]:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_users_settings_neither_leak_in_nor_out():
    import matplotlib

    expected = encode(draw_curves(PLOT, CURVES))
    with matplotlib.rc_context({"text.usetex": True, "font.size": 30}):
        assert encode(draw_curves(PLOT, CURVES)) == expected
        assert matplotlib.rcParams["font.size"] == 30


def test_long_names_keep_both_ends():
    short = shorten("DSiamM_with_a_very_long_description_of_epoch_017")
    assert len(short) == 34
    assert short.startswith("DSiamM_with")
    assert short.endswith("epoch_017")
    assert shorten("KCF") == "KCF"


def test_signs_of_mathematics_in_names_are_shown_as_they_are():
    figure = draw_curves(PLOT, {"a": Curve("a_1$x^2$", np.zeros(5), 0.5)})
    text = legend_of(figure).get_texts()[0]
    assert (text.get_text(), text.get_parse_math()) == ("[0.500] a_1$x^2$", False)


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match=r"dsiam-plugin\[plots\]"):
        draw_curves(PLOT, CURVES)


def test_importing_the_package_and_drawing_leave_pyplot_alone():
    code = (
        "import sys, numpy, dsiam_plugin.evaluation.visualization as v\n"
        "assert 'matplotlib' not in sys.modules\n"
        "ret = {'A': {'v': numpy.ones(21)}}\n"
        "v.draw_success_precision(ret, name='D', videos=['v'], attr='ALL')\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
