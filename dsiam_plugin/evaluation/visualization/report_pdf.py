"""The report as a PDF: the sections of :mod:`report`, page by page, a mark at the foot of each."""

import os
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from dsiam_plugin.evaluation.visualization.figures import (
    METADATA,
    Figure,
    drawing,
    new_figure,
)
from dsiam_plugin.evaluation.visualization.report import Section
from dsiam_plugin.io.files import atomic_path

PAGE_INCHES = (11.7, 8.3)  # A4, landscape
MARGIN = 0.05  # of the page, left free on each side
LINES = 50  # of text on a page
COLUMNS = 150  # signs of text in a line; wider tables are set smaller
TEXT_POINTS = 8.0
SIGN = 0.602  # width of a monospaced sign, of its size
PICTURE_DPI = 150


def write_pdf(
    path: str | os.PathLike[str], title: str, sections: Sequence[Section], mark: str = ""
) -> None:
    """Writes the report; folded tables are left to the other form.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        OSError: A picture cannot be read or the file cannot be written.
    """
    with drawing(), atomic_path(Path(path)) as temporary:
        from matplotlib.backends.backend_pdf import PdfPages

        with PdfPages(temporary, metadata=METADATA["pdf"]) as pages:
            number = 0
            for section in sections:
                for figure in _pages(section):
                    number += 1
                    _finish(figure, title, f"{number}", mark)
                    pages.savefig(figure, dpi=PICTURE_DPI)


def _pages(section: Section) -> Iterator[Figure]:
    """Text and tables flow over pages; every picture has one of its own."""
    lines = _text(section)
    for start in range(0, len(lines), LINES):
        yield _text_page(section.title, lines[start : start + LINES])
    for name, picture in section.pictures.items():
        yield _picture_page(f"{section.title}: {name}", picture)


def _text(section: Section) -> list[str]:
    lines = [part for line in section.lines for part in _wrapped(line)]
    for table in () if section.folded else section.tables:
        grid = table.text().splitlines()
        end = len(grid) - next(n for n, line in enumerate(grid[::-1]) if line.startswith("+"))
        lines += ["", *grid[:end], *(part for note in grid[end:] for part in _wrapped(note))]
    return lines


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, COLUMNS) or [""]


def _text_page(title: str, lines: Sequence[str]) -> Figure:
    figure = new_figure(*PAGE_INCHES, layout=None)
    figure.text(MARGIN, 0.93, title, fontsize=14, fontweight="bold", va="bottom")
    room = (1 - 2 * MARGIN) * PAGE_INCHES[0] * 72
    size = min(TEXT_POINTS, room / SIGN / max(map(len, lines)))
    figure.text(
        MARGIN, 0.91, "\n".join(lines), family="monospace", fontsize=size, va="top", linespacing=1.3
    )
    return figure


def _picture_page(title: str, picture: Path) -> Figure:
    from matplotlib.image import imread

    figure = new_figure(*PAGE_INCHES, layout=None)
    figure.text(MARGIN, 0.93, title, fontsize=14, fontweight="bold", va="bottom")
    axes = figure.add_axes((MARGIN, 0.08, 1 - 2 * MARGIN, 0.83))
    axes.set_axis_off()
    axes.imshow(imread(picture), interpolation="none")
    return figure


def _finish(figure: Figure, title: str, number: str, mark: str) -> None:
    """The foot of a page."""
    figure.text(MARGIN, 0.03, mark or title, fontsize=9, color="#b00020" if mark else "#555555")
    figure.text(1 - MARGIN, 0.03, number, fontsize=9, color="#555555", ha="right")
