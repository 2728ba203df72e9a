"""Files of plots: in their folder, whatever they are called after."""

from pathlib import Path

import pytest

from dsiam_plugin.evaluation.visualization.figures import plot_path


@pytest.mark.parametrize("name", ["VOT2018-LT_f1", "D_success_all (x)", "größe", "a..b"])
def test_ordinary_names_stay(name):
    path = plot_path("plots", name)
    assert path == Path("plots") / f"{name}.png"


@pytest.mark.parametrize(
    "name", ["D_/../../x", "/abs", "..", "a\\b", "C:x", "a\0b", "a\nb", "n" * 500, "\udcff" * 130]
)
def test_no_name_leads_out_of_the_folder_or_cannot_be_written(tmp_path, name):
    path = plot_path(tmp_path / "plots", name, "pdf")
    assert path.resolve().parent == (tmp_path / "plots").resolve()
    path.parent.mkdir()
    path.touch()


def test_different_names_have_different_files():
    names = ["a/b", "a_b", "a\\b", "a:b", "n" * 200, "n" * 201]
    assert len({plot_path("p", name) for name in names}) == len(names)
