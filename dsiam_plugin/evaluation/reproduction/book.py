"""The report: every section for which there are results, and a line for each that is left out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.measures.summary import WHOLE
from dsiam_plugin.evaluation.reporting.evaluation import Evaluation
from dsiam_plugin.evaluation.reporting.export import write_csv, write_json
from dsiam_plugin.evaluation.reporting.trackers import find_trackers
from dsiam_plugin.evaluation.reproduction import onepass, restarts
from dsiam_plugin.evaluation.reproduction.claims import claims
from dsiam_plugin.evaluation.reproduction.maps import figure_4
from dsiam_plugin.evaluation.reproduction.material import PAPERS, Material, import_results
from dsiam_plugin.evaluation.reproduction.onepass import OnePassParts
from dsiam_plugin.evaluation.reproduction.ours import BASELINE, MAIN, Network, OwnRun
from dsiam_plugin.evaluation.reproduction.paper import digitised_curves
from dsiam_plugin.evaluation.reproduction.scored import Scored
from dsiam_plugin.evaluation.visualization.report import Section, write_report
from dsiam_plugin.evaluation.visualization.report_pdf import write_pdf

TITLE = "Learning Dynamic Siamese Network for Visual Object Tracking, reproduced"
WHY = (
    "Network: the authors ran a SiamFC network trained with grey images as well, which is not "
    "published. Ours are named after their weights: 'embedded' is this package's own, half as wide "
    "and trained on little data; files given by --weights are as they are.",
    "Constants: trackers without a suffix run with the constants of docs/accuracy.md, which learn "
    "only near the first frame's peak; '-release' are those of the authors' released code, "
    "'-paper' the equations as printed.",
    "Gain: the authors' gain over SiamFC sits in few sequences, most of them ones on which SiamFC "
    "fails outright; where these are not among the sequences run, or where our SiamFC does not "
    "fail on them, it cannot show.",
    "A standard error over few sequences is itself a guess; a difference of about one such error "
    "is no finding.",
)


# Beginnings of the sections' titles, in the report's order, which is the paper's.
ORDER = (
    "The paper's claims", "Scores", "Table 1", "Fig. 1:", "Fig. 4", "Fig. 6: measured",
    "Fig. 6: as", "Where the paper", "Where the gains", "Fig. 7", "Fig. 8", "Fig. 9", "Fig. 10",
    "Sequence",
)  # fmt: skip


@dataclass
class Book:
    """The report while it is put together."""

    out: Path  # gets the report, the figures and the scores
    head: list[str]  # what was run, said first
    sections: list[Section] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  # a line a section or tracker
    marks: list[str] = field(default_factory=list)  # what the numbers are not

    @property
    def figures(self) -> Path:
        """The folder of the figures."""
        return self.out / "figures"

    def write(self) -> list[Path]:
        """Writes both forms of the report; returns the files.

        Raises:
            OSError: A file cannot be written.
        """
        mark = ". ".join(filter(None, self.marks))
        about = [*self.head, *(f"Left out: {line}" for line in self.left_out)]
        sections = [
            Section("What was run", lines=about),
            *sorted(self.sections, key=_place),
            Section("Where and why they differ", lines=WHY),
        ]
        paths = [self.out / "report.html", self.out / "report.pdf"]
        write_report(paths[0], TITLE, sections, mark)
        write_pdf(paths[1], TITLE, sections, mark)
        return paths


def _place(section: Section) -> int:
    return next(place for place, head in enumerate(ORDER) if section.title.startswith(head))


def add_one_pass(
    book: Book,
    material: Material,
    networks: Sequence[Network],
    runs: Sequence[OwnRun],
    folder: Path,
    results: Path | None,
    processes: int,
) -> None:
    """Adds all sections on OTB.

    Args:
        book: Gets them.
        material: The sequences.
        networks: The networks that were run.
        runs: The runs, some perhaps without results.
        folder: Holds their results; gets copies of the published ones, cut to the same frames.
        results: Published raw results, in ``OTB2013/<tracker>/``; None for none.
        processes: Trackers evaluated at the same time.
    """
    book.marks.append(material.mark)
    names = [run.name for run in runs]
    published = _publish(book, material, results, folder, names)
    everyone = [*names, *published]
    run = Scored.measure(material.run, folder, everyone, processes)
    compared = Scored.measure(material.compared, folder, everyone, processes)
    parts = OnePassParts(run, compared, run.present(names), networks, book.figures)
    whole = run.evaluation(everyone)
    write_json(book.out / "scores.json", whole.summary)
    write_csv(book.out / "scores.csv", whole.summary)
    book.sections.append(onepass.scores(parts))
    if not (parts.own(MAIN) and parts.own(BASELINE)):
        book.left_out.append(f"figures on OTB: no results of {MAIN} and {BASELINE}")
        return
    makers = [
        onepass.figure_1, onepass.figure_6, onepass.figure_9, onepass.figure_10,
        onepass.by_sequence, onepass.gains,
    ]  # fmt: skip
    book.sections += [
        claims(parts),
        figure_4(runs, book.figures),
        *(make(parts) for make in makers),
    ]
    _add_printed(book, material, results)
    if len(material.compared.attr) > 1:
        book.sections.append(onepass.figure_7(parts))
    else:
        book.left_out.append(f"Fig. 7: the sequences have no attributes ({WHOLE} alone)")


def add_restarts(
    book: Book, evaluation: Evaluation, mark: str, filter_seconds: float | None
) -> None:
    """Adds the sections on VOT-2015."""
    book.marks.append(mark)
    book.sections.append(restarts.table_1(evaluation, mark, filter_seconds))
    book.sections.append(restarts.figure_8(evaluation, mark, book.figures))


def _publish(
    book: Book, material: Material, results: Path | None, folder: Path, taken: Sequence[str]
) -> list[str]:
    """Copies what is published on the sequences that were run; returns whose results it is."""
    if results is None:
        book.left_out.append("published results: no folder is named (--results DIR)")
        return []
    source, trackers = find_trackers(results, PAPERS)
    found = []
    for tracker in trackers:
        if tracker in taken:
            book.left_out.append(f"{source / tracker}: a run here has that name")
            continue
        try:
            import_results(source, tracker, material.run, folder)
            found.append(tracker)
        except ResultsError as error:
            book.left_out.append(str(error))
    return found


def _add_printed(book: Book, material: Material, results: Path | None) -> None:
    """The paper's own figure, where annotations and raw results are there."""
    if material.annotated is None or results is None:
        book.left_out.append(
            "Fig. 6 as the authors' raw results give it: needs --results, and annotations of all "
            f"of {PAPERS}; a folder of --data may hold them without images"
        )
        return
    source, trackers = find_trackers(results, PAPERS)
    curves = digitised_curves(results)
    try:
        book.sections += onepass.figure_6_printed(
            material.annotated, source, trackers, curves, book.figures
        )
    except ResultsError as error:
        book.left_out.append(f"Fig. 6 as the authors' raw results give it: {error}")
