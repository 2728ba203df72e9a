"""Part of a source: the units that a text file names."""

from dataclasses import dataclass
from pathlib import Path

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.training.data.sources.footage import Scan, Source


@dataclass(frozen=True)
class Listed:
    """The units of a source that a file lists, such as the splits that data sets come with."""

    source: Source  # all units
    path: Path  # a name a line; what follows a blank, and folders before the name, are ignored

    def units(self) -> list[str]:
        """Listed units.

        Raises:
            DatasetError: The file cannot be read or names none of the units.
        """
        try:
            text = self.path.read_text(encoding="utf-8-sig", errors="replace")
        except OSError as error:
            raise DatasetError(f"{self.path}: {error.strerror or error}") from error
        wanted = {_name(line.split()[0]) for line in text.splitlines() if line.strip()}
        units = self.source.units()
        chosen = [unit for unit in units if _name(unit) in wanted]
        if not chosen:
            raise DatasetError(
                f"{self.path}: {len(wanted)} names, none of them a sequence of the source such as"
                f" {_name(units[0])}"
            )
        return chosen

    def read(self, unit: str) -> Scan:
        """As the source reads it."""
        return self.source.read(unit)

    def describe(self) -> dict[str, str | int]:
        """Source and options, for the report."""
        return {**self.source.describe(), "list": self.path.name}


def _name(unit: str) -> str:
    """The last folder of a path."""
    return unit.rstrip("/").rsplit("/", 1)[-1]
