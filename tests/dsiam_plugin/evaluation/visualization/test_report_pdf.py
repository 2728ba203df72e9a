"""The report's pages: what stands on each, and the mark at every foot."""

import cv2
import numpy as np
import pytest

from dsiam_plugin.evaluation.visualization import report_pdf
from dsiam_plugin.evaluation.visualization.report import Section
from dsiam_plugin.evaluation.visualization.report_pdf import LINES, write_pdf
from dsiam_plugin.io.tables import Table

pytest.importorskip("matplotlib")


@pytest.fixture
def pages(monkeypatch):
    """The figures that became pages."""
    from matplotlib.backends.backend_pdf import PdfPages

    kept, original = [], PdfPages.savefig

    def keep(self, figure, **options):
        kept.append(figure)
        original(self, figure, **options)

    monkeypatch.setattr(PdfPages, "savefig", keep)
    return kept


@pytest.fixture
def picture(tmp_path):
    cv2.imwrite(str(tmp_path / "p.png"), np.full((20, 30, 3), 128, np.uint8))
    return tmp_path / "p.png"


def table(rows, note=""):
    return Table("T", ("A", "B"), tuple((f"r{row}", 0.5) for row in range(rows)), note=note)


def texts(figure):
    return [text.get_text() for text in figure.texts]


def test_every_page_has_its_mark_and_number(tmp_path, pages, picture):
    sections = [Section("One", [table(3)], {"P": picture}, ["line"]), Section("Two", lines=["x"])]
    write_pdf(tmp_path / "r.pdf", "Title", sections, "first frames only")
    content = (tmp_path / "r.pdf").read_bytes()
    assert content.startswith(b"%PDF") and content.count(b"/Type /Page /") == len(pages) == 3
    for number, figure in enumerate(pages, start=1):
        assert texts(figure)[-2:] == ["first frames only", f"Title, {number}"]
    assert [texts(figure)[0] for figure in pages] == ["One", "One: P", "Two"]
    assert pages[1].axes[0].get_images()[0].get_array().shape[:2] == (20, 30)


def test_two_runs_give_the_same_bytes(tmp_path, picture):
    for name in ("a", "b"):
        write_pdf(tmp_path / name, "T", [Section("S", [table(2)], {"P": picture})])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_table_stays_whole_where_a_page_can_hold_it(tmp_path, pages):
    write_pdf(tmp_path / "r.pdf", "T", [Section("S", [table(LINES // 2), table(LINES // 2)])])
    assert len(pages) == 2
    for figure in pages:
        lines = texts(figure)[1].splitlines()
        assert lines[1] == "T" and sum("r0 " in line for line in lines) == 1
    pages.clear()
    write_pdf(tmp_path / "r.pdf", "T", [Section("S", [table(3 * LINES)])])
    assert len(pages) == 4
    assert sum(texts(figure)[1].count("| r") for figure in pages) == 3 * LINES


def test_few_lines_stand_above_the_first_picture(tmp_path, pages, picture):
    pictures = {"P": picture, "Q": picture}
    write_pdf(tmp_path / "r.pdf", "T", [Section("S", pictures=pictures, lines=["said"])])
    assert [texts(figure)[:2] for figure in pages] == [["S: P", "said"], ["S: Q", ""]]


def test_wide_tables_are_set_smaller(tmp_path, pages):
    wide = Table("W", ("x" * 300,), (("y",),))
    write_pdf(tmp_path / "r.pdf", "T", [Section("S", [wide])])
    size = pages[0].texts[1].get_fontsize()
    room = report_pdf.PAGE_INCHES[0] * 72 * (1 - 2 * report_pdf.MARGIN)
    assert 304 * 0.602 * size < room  # DejaVu Sans Mono is 0.602 wide
    assert size < report_pdf.TEXT_POINTS


def test_folded_tables_are_left_out(tmp_path, pages):
    sections = [Section("S", [table(2)], lines=["said"], folded=True)]
    write_pdf(tmp_path / "r.pdf", "T", sections)
    assert [texts(figure)[1] for figure in pages] == ["said"]
