"""Boxed text tables, in plain ASCII so that every terminal and log file shows them alike.

A :class:`Table` is data: the command line prints :meth:`Table.text`, the HTML report draws the
same object, and the tests read its rows.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from colorama import Fore, Style

Cell = str | float | int | None

MISSING = "-"


@dataclass(frozen=True)
class Table:
    """A titled grid of cells."""

    title: str  # printed above the box; may be empty
    columns: tuple[str, ...]  # heading of each column
    # Cells, one tuple a row, each as long as `columns`. Floats are printed with `digits` decimals;
    # None and NaN as `-`
    rows: tuple[tuple[Cell, ...], ...]
    digits: int = 3  # decimals of the floats
    # Floats below it are printed red where colour is asked for; None marks none
    low: float | None = None
    note: str = ""  # printed below the box, e.g. which definition of a measure is shown

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"row {number} of table '{self.title}' has {len(row)} cells, "
                    f"its heading {len(self.columns)}"
                )

    def cell(self, value: Cell) -> str:
        """One cell as text."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return MISSING
        return f"{value:.{self.digits}f}" if isinstance(value, float) else str(value)

    def text(self, color: bool = False) -> str:
        """The table as lines of text, without a final line end.

        Args:
            color: Print floats below :attr:`low` in red (ANSI codes, for terminals).
        """
        grid = [[self.cell(value) for value in row] for row in self.rows]
        widths = [
            max(len(line[column]) for line in [list(self.columns), *grid])
            for column in range(len(self.columns))
        ]
        rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
        body = [
            self._line(texts, row, widths, color)
            for texts, row in zip(grid, self.rows, strict=True)
        ]
        heading = self._line(self.columns, self.columns, widths, color=False)
        lines = [self.title, rule, heading, rule, *body, rule, self.note]
        return "\n".join(line for line in lines if line)

    def _line(
        self, texts: Sequence[str], row: Sequence[Cell], widths: Sequence[int], color: bool
    ) -> str:
        """One line of the box: the first column to the left, the others to the right."""
        cells = []
        for index, (text, value, width) in enumerate(zip(texts, row, widths, strict=True)):
            padded = text.rjust(width) if index else text.ljust(width)
            cells.append(
                f"{Fore.RED}{padded}{Style.RESET_ALL}" if color and self.is_low(value) else padded
            )
        return "| " + " | ".join(cells) + " |"

    def is_low(self, value: Cell) -> bool:
        """True where a cell is below :attr:`low`."""
        return self.low is not None and isinstance(value, float) and value < self.low


def tracker_label(name: str, found: int, total: int) -> str:
    """The tracker's name, with its share of sequences where some are missing.

    >>> tracker_label("KCF", 49, 51), tracker_label("KCF", 51, 51)
    ('KCF (49/51)', 'KCF')
    """
    return name if found == total else f"{name} ({found}/{total})"


def ranked(scores: Mapping[str, float]) -> list[str]:
    """Names by falling score; NaN last, equal scores by name."""
    return sorted(scores, key=lambda name: (-_finite(scores[name]), name))


def _finite(score: float) -> float:
    return -math.inf if math.isnan(score) else score
