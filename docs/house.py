"""Draws the house from its imports: ``python docs/house.py`` writes ``docs/images/house.svg``.

A room is a folder of ``dsiam_plugin``, or ``errors.py``. It stands on the floor above the highest
room that it imports. A line leads down to each room that it imports, except where it reaches that
room through another one anyway.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from textwrap import wrap

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "house.svg"
# From the ground up: a room may import those before it and none after it.
ORDER = (
    "errors io config core models trackers adapters evaluation training export vot commands"
).split()
STEP = "dsiam_plugin.core.step"

WIDTH, MARGIN = 880, 12
BOX, GAP = 50, 22  # height of a room, and between floors


def imports() -> dict[str, set[str]]:
    """Modules of the package, each with the package's modules that it imports, wherever it does."""
    paths = sorted((ROOT / "dsiam_plugin").rglob("*.py"))
    modules = {_name(path): path for path in paths}
    return {
        name: {item if item in modules else item.rpartition(".")[0] for item in imported(path)}
        for name, path in modules.items()
    }


def imported(path: Path) -> Iterator[str]:
    """Names from the package that a file imports, with the name that is taken from a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (name for name in names if name.startswith("dsiam_plugin."))


def room(module: str) -> str:
    """The room of a module; empty for the package's own face.

    A module called ``__main__`` is a command, wherever Python wants it to lie.
    """
    if module.endswith(".__main__"):
        return "commands"
    _, _, inside = module.partition(".")
    name = inside.partition(".")[0]
    return name if name in ORDER else ""


def rooms(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Rooms from the ground up, each with the other rooms that it imports."""
    found: dict[str, set[str]] = {name: set() for name in ORDER}
    for module, imported in graph.items():
        if room(module):
            found[room(module)] |= {room(item) for item in imported} - {room(module), ""}
    return found


def drivers(graph: Mapping[str, set[str]]) -> list[str]:
    """Modules that run the method's step, without the package's name."""
    using = [module for module, imported in graph.items() if STEP in imported]
    return [module.partition(".")[2] for module in using if room(module) != "core"]


def picture(graph: Mapping[str, set[str]]) -> str:
    """The house as SVG text."""
    used = rooms(graph)
    below: dict[str, set[str]] = {}  # everything that a room reaches
    floor: dict[str, int] = {}
    for name in ORDER:
        below[name] = used[name].union(*(below[item] for item in used[name]))
        floor[name] = 1 + max((floor[item] for item in used[name]), default=-1)
    height = (max(floor.values()) + 1) * (BOX + GAP) - GAP + 2 * MARGIN
    boxes = {name: _place(name, floor, height) for name in ORDER}
    lines = [
        _line(boxes[name], boxes[item])
        for name in ORDER
        for item in sorted(used[name])
        if not any(item in below[other] for other in used[name])
    ]
    texts = {name: _purpose(name) for name in ORDER}
    texts["core"] += f" Run by {', '.join(drivers(graph))}."
    drawn = [part for name in ORDER for part in _box(name, texts[name], *boxes[name])]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        ' font-family="sans-serif" font-size="12">'
    )
    ground = f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    return "\n".join([head, ground, *drawn, *lines, "</svg>", ""])


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _purpose(name: str) -> str:
    """First sentence of the room's docstring."""
    folder = ROOT / "dsiam_plugin" / name
    path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return re.sub(r":\w+:|`", "", text.partition("\n\n")[0]).replace("\n", " ")


def _place(name: str, floor: Mapping[str, int], height: int) -> tuple[float, float, float]:
    """Left, top and width of a room."""
    beside = [item for item in ORDER if floor[item] == floor[name]]
    width = (WIDTH - MARGIN * (len(beside) + 1)) / len(beside)
    left = MARGIN + beside.index(name) * (width + MARGIN)
    return left, height - MARGIN - BOX - floor[name] * (BOX + GAP), width


def _line(upper: tuple[float, float, float], lower: tuple[float, float, float]) -> str:
    """A line straight down: in the middle of the narrower room, past other floors at its edge."""
    left, _, width = min(upper, lower, key=lambda box: box[2])
    top, bottom = upper[1] + BOX, lower[1]
    x = left + width / 2 if bottom - top <= GAP else left + width - MARGIN
    return f'<path d="M{x:.0f} {top:.0f} V{bottom:.0f}" stroke="#667788" stroke-width="2"/>'


def _box(name: str, text: str, left: float, top: float, width: float) -> Iterator[str]:
    fill = "#ffe9b8" if name == "core" else "#e8eef5"
    yield (
        f'<rect x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{BOX}" rx="5"'
        f' fill="{fill}" stroke="#667788"/>'
    )
    yield (
        f'<text x="{left + 10:.0f}" y="{top + 30:.0f}" font-weight="bold" font-size="14">'
        f"{name}</text>"
    )
    rows = wrap(text, int((width - 110) / 6.2))
    first = top + 29 - 7.5 * (len(rows) - 1)
    for index, row in enumerate(rows):
        yield f'<text x="{left + 100:.0f}" y="{first + 15 * index:.0f}">{escape(row)}</text>'


if __name__ == "__main__":
    PICTURE.write_text(picture(imports()), encoding="utf-8")
