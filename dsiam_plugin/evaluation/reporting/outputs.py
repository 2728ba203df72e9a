"""Everything an evaluation writes: JSON, CSV, plots and the report."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.reporting.evaluation import Evaluation, gap_lines, title_of
from dsiam_plugin.evaluation.reporting.export import write_csv, write_json
from dsiam_plugin.evaluation.reporting.pictures import draw_sequences
from dsiam_plugin.evaluation.visualization.figures import drawing
from dsiam_plugin.evaluation.visualization.report import Section, write_report


@dataclass(frozen=True)
class Outputs:
    """Files and folders to write; None leaves an output out."""

    json: Path | None = None  # json, csv: files with the scores
    csv: Path | None = None
    plots: Path | None = None  # folder for the plots and `report.html`
    sequences: Sequence[str] = ()  # videos of which pictures are drawn too, into `plots`

    def check(self) -> None:
        """Refuses places that cannot be written, before any work is done.

        Raises:
            ResultsError: A folder cannot be made or written, or a file's name is a folder.
            MissingDependencyError: Plots were asked for and matplotlib is not installed.
        """
        for file in (self.json, self.csv):
            if file is not None:
                if file.is_dir():
                    raise ResultsError(f"cannot write {file}: it is a folder, expected a file")
                _check_folder(file.parent)
        if self.plots is not None:
            _check_folder(self.plots)
            with drawing():
                pass  # raises where matplotlib is missing

    def write(self, evaluation: Evaluation) -> list[Path]:
        """Writes what was asked for; returns the files a user would open.

        Raises:
            OSError: A file cannot be written.
        """
        written = []
        if self.json is not None:
            write_json(self.json, evaluation.summary)
            written.append(self.json)
        if self.csv is not None:
            write_csv(self.csv, evaluation.summary)
            written.append(self.csv)
        if self.plots is not None:
            written.append(write_plots(evaluation, self.plots, self.sequences))
        return written


def write_plots(evaluation: Evaluation, folder: Path, sequences: Sequence[str] = ()) -> Path:
    """Draws everything into ``folder`` and the report around it; returns the report."""
    plots = evaluation.draw(folder)
    pictures = draw_sequences(evaluation, sequences, folder)
    gaps = gap_lines(evaluation.dataset, evaluation.gaps, most=None)
    sections = [
        Section("Scores", evaluation.tables, lines=gaps),
        Section("Plots", pictures=plots),
        Section("Sequences", pictures=pictures),
        Section("Attributes", evaluation.attribute_tables),
        Section("Details", evaluation.video_tables, folded=True),
    ]
    report = folder / "report.html"
    write_report(report, f"Evaluation on {title_of(evaluation.dataset)}", sections)
    return report


def _check_folder(folder: Path) -> None:
    """Looks at the nearest folder that exists; makes nothing."""
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise ResultsError(f"cannot write into {folder}: {nearest} is a file, expected a folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ResultsError(f"cannot write into {folder}: no permission in {nearest}")
