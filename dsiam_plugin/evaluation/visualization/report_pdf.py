"""The report as a PDF: the sections of :mod:`report`, page by page, a mark at the foot of each."""

import os
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dsiam_plugin.evaluation.visualization.figures import (
    METADATA,
    Figure,
    drawing,
    new_figure,
)
from dsiam_plugin.evaluation.visualization.report import Section
from dsiam_plugin.io.files import atomic_path
from dsiam_plugin.io.tables import Table

PAGE_INCHES = (11.7, 8.3)  # A4, landscape
MARGIN = 0.05  # of the page, left free on each side
TOP, BOTTOM = 0.91, 0.07  # of the page's height: where its content begins and ends
LINES = 47  # of text on a page
CAPTION = 6  # so many lines stand above a picture, more have a page of their own
COLUMNS = 150  # signs of text in a line; wider tables are set smaller
TEXT_POINTS, SPACING = 8.0, 1.3
SIGN = 0.63  # width of a monospaced sign, of its size, and a little more
PICTURE_DPI = 150

Block = list[str]  # lines that stay together where a page can hold them


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
            figures = (figure for section in sections for figure in _pages(section))
            for number, figure in enumerate(figures, start=1):
                _finish(figure, title, number, mark)
                pages.savefig(figure, dpi=PICTURE_DPI)


def _pages(section: Section) -> Iterator[Figure]:
    """Text and tables, a table on one page where it fits; each picture on a page of its own."""
    lines = [part for line in section.lines for part in _wrapped(line)]
    tables = [] if section.folded else [_block(table) for table in section.tables]
    pictures = list(section.pictures.items())
    above = lines if pictures and not tables and len(lines) <= CAPTION else []
    for page in _filled([lines, *tables] if not above else []):
        yield _page(section.title, page)
    for number, (name, picture) in enumerate(pictures):
        figure = _page(f"{section.title}: {name}", above if number == 0 else [])
        _show(figure, picture, len(above) if number == 0 else 0)
        yield figure


def _filled(blocks: Sequence[Block]) -> Iterator[list[str]]:
    """Pages of lines."""
    page: list[str] = []
    for block in blocks:
        if page and len(block) <= LINES < len(page) + len(block):
            yield page
            page = []
        page = [*page, *block]
        while len(page) > LINES:
            yield page[:LINES]
            page = page[LINES:]
    if page:
        yield page


def _block(table: Table) -> Block:
    """The table's lines, an empty one before them, long notes broken."""
    grid = table.text().splitlines()
    end = len(grid) - next(n for n, line in enumerate(grid[::-1]) if line.startswith("+"))
    return ["", *grid[:end], *(part for note in grid[end:] for part in _wrapped(note))]


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, COLUMNS) or [""]


def _page(title: str, lines: Sequence[str]) -> Figure:
    """A page with its heading and text, set so that the longest line fits."""
    figure = new_figure(*PAGE_INCHES, layout=None)
    figure.text(MARGIN, TOP + 0.02, title, fontsize=14, fontweight="bold", va="bottom")
    room = (1 - 2 * MARGIN) * PAGE_INCHES[0] * 72
    size = min(TEXT_POINTS, room / SIGN / max(map(len, lines), default=1))
    style: dict[str, Any] = {"family": "monospace", "fontsize": size, "linespacing": SPACING}
    figure.text(MARGIN, TOP, "\n".join(lines), va="top", **style)
    return figure


def _show(figure: Figure, picture: Path, lines: int) -> None:
    """Puts a picture below so many lines of text."""
    from matplotlib.image import imread

    text = lines * TEXT_POINTS * (SPACING + 0.2) / 72 / PAGE_INCHES[1]
    axes = figure.add_axes((MARGIN, BOTTOM, 1 - 2 * MARGIN, TOP - BOTTOM - text))
    axes.set_axis_off()
    axes.imshow(imread(picture), interpolation="none")


def _finish(figure: Figure, title: str, number: int, mark: str) -> None:
    """The foot of a page: the mark, the report's title and the page's number."""
    figure.text(MARGIN, 0.04, mark, fontsize=9, color="#b00020")
    end = f"{title}, {number}"
    figure.text(1 - MARGIN, 0.02, end, fontsize=7, color="#777777", ha="right")
