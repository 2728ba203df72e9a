"""One HTML file with tables and plots: no other file, no script, nothing from the network."""

import base64
import html
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dsiam_plugin.io.files import atomic_write
from dsiam_plugin.io.tables import Cell, Table

STYLE = """
body { font-family: sans-serif; color: #222; max-width: 76rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { margin-top: 2.5rem; border-bottom: 1px solid #ccc }
nav a { margin-right: 1.2rem }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums }
caption { text-align: left; font-weight: bold; padding: .4rem 0 }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #ddd; text-align: right }
th:first-child, td:first-child { text-align: left }
.wide { overflow-x: auto } .low { color: #b00020 }
.note { color: #555; font-size: .9rem; white-space: pre-line }
figure { margin: 1.5rem 0 } img { max-width: 100%; height: auto }
.mark { position: sticky; top: 0; background: #fff; color: #b00020; padding: .4rem 0 }
@media print { .mark { position: fixed } }
details { margin: 1rem 0 } summary { cursor: pointer; font-weight: bold }
"""


@dataclass(frozen=True)
class Section:
    """A part of the report."""

    title: str  # the heading
    tables: Sequence[Table] = ()  # shown first
    # Title (the image's alternative text) -> PNG file, shown after the tables
    pictures: Mapping[str, Path] = field(default_factory=dict)
    lines: Sequence[str] = ()  # printed below the heading
    folded: bool = False  # keep the tables shut until they are asked for; for the long ones


def write_report(
    path: str | os.PathLike[str], title: str, sections: Sequence[Section], mark: str = ""
) -> None:
    """Writes the report.

    Args:
        path: The file.
        title: Of the page.
        sections: Its parts; those without content are left out.
        mark: A line that stays in sight, on printed pages too; empty for none.

    Raises:
        OSError: A picture cannot be read or the file cannot be written.
    """
    page = render_report(title, sections, mark)
    with atomic_write(path) as file:
        file.write(page)


def render_report(title: str, sections: Sequence[Section], mark: str = "") -> str:
    """The page as text; the arguments are those of :func:`write_report`."""
    filled = [part for part in sections if part.tables or part.pictures or part.lines]
    links = "".join(
        f'<a href="#part{index}">{html.escape(part.title)}</a>' for index, part in enumerate(filled)
    )
    body = "".join(_section(index, part) for index, part in enumerate(filled))
    name = html.escape(title)
    seen = f'<p class="mark">{html.escape(mark)}</p>\n' if mark else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{name}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<h1>{name}</h1>\n{seen}<nav>{links}</nav>\n{body}</body>\n</html>\n"
    )


def _section(index: int, part: Section) -> str:
    lines = "".join(f"<p>{html.escape(line)}</p>\n" for line in part.lines)
    tables = "".join(_table(table, part.folded) for table in part.tables)
    pictures = "".join(_picture(title, path) for title, path in part.pictures.items())
    heading = f'<h2 id="part{index}">{html.escape(part.title)}</h2>\n'
    return f"<section>\n{heading}{lines}{tables}{pictures}</section>\n"


def _table(table: Table, folded: bool) -> str:
    """The table, scrolled sideways where it is wider than the page."""
    caption = html.escape(table.title)
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in table.columns)
    rows = "".join(f"<tr>{_cells(table, row)}</tr>\n" for row in table.rows)
    note = f'<p class="note">{html.escape(table.note)}</p>\n' if table.note else ""
    shown = "" if folded else f"<caption>{caption}</caption>"
    grid = (
        f'<div class="wide"><table>{shown}<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}</tbody></table></div>\n{note}"
    )
    return f"<details><summary>{caption}</summary>\n{grid}</details>\n" if folded else grid


def _cells(table: Table, row: Sequence[Cell]) -> str:
    return "".join(
        f"<td{_low(table, value)}>{html.escape(table.cell(value))}</td>" for value in row
    )


def _low(table: Table, value: Cell) -> str:
    return ' class="low"' if table.is_low(value) else ""


def _picture(title: str, path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<figure><img alt="{html.escape(title)}" src="data:image/png;base64,{data}"></figure>\n'
