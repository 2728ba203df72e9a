"""The sections on OTB: scores, Fig. 1, 6, 7, 9 and 10, and the table sequence by sequence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dsiam_plugin.evaluation.datasets.dataset import Dataset
from dsiam_plugin.evaluation.reporting.evaluation import gap_lines
from dsiam_plugin.evaluation.reproduction import frames, paper
from dsiam_plugin.evaluation.reproduction.differences import (
    Difference,
    difference,
    difference_table,
    sequence_table,
)
from dsiam_plugin.evaluation.reproduction.ours import (
    ABLATIONS,
    BASELINE,
    HEADLINE,
    MAIN,
    PRESETS,
    Network,
)
from dsiam_plugin.evaluation.reproduction.scored import Scored
from dsiam_plugin.evaluation.visualization.figures import plot_path
from dsiam_plugin.evaluation.visualization.gains import draw_gains
from dsiam_plugin.evaluation.visualization.report import Section
from dsiam_plugin.io.tables import Table

EQUAL = 0.005  # differences in success that only the rounding of a flat map makes
AUTHORS_GAIN = "authors' DSiamM - official SiamFC"


@dataclass(frozen=True)
class OnePassParts:
    """What the sections are made of.

    Attributes:
        run: Scores on all sequences that were run, published results included.
        compared: Scores on those of the paper among them.
        ours: Names of this package's runs.
        networks: The networks that were run, in the order of the figures.
        folder: Where the figures go, a folder each.
    """

    run: Scored
    compared: Scored
    ours: Sequence[str]
    networks: Sequence[Network]
    folder: Path

    def own(self, *variants: str) -> list[str]:
        """The variants with each network, where they have results."""
        names = [network.name(variant) for network in self.networks for variant in variants]
        return self.run.present(names)

    def published(self, names: Sequence[str]) -> tuple[list[str], str]:
        """The paper's trackers whose results are there, and a line that names the others."""
        found, missing = paper.split_peers(names, self.compared.present(self.compared.curves))
        line = f"Missing, as no raw results of them are at hand: {', '.join(missing)}."
        return found, line if missing else ""


def scores(parts: OnePassParts) -> Section:
    """Success and precision of every tracker, and their paired differences."""
    tables = list(parts.compared.evaluation(parts.compared.curves).tables)
    if len(parts.run.dataset) > len(parts.compared.dataset):
        tables += parts.run.evaluation(parts.ours).tables
    found = _differences(parts)
    tables += [difference_table(found)] if found else []
    gaps = {name: parts.run.gaps[name] for name in parts.ours}
    return Section("Scores", tables, lines=gap_lines(parts.run.dataset, gaps))


def figure_1(parts: OnePassParts) -> Section:
    """Overlap over frames, where our tracker gains most over the baseline."""
    peers, missing = parts.published(paper.FIG_1)
    main, base = parts.own(MAIN)[:1], parts.own(BASELINE)[:1]
    videos = frames.gaining(parts.compared, main[0], base[0])
    shown = [*main, *base, *peers, *parts.published(["DSiamM"])[0]]
    pictures = frames.draw_frames(parts.compared, shown, videos, parts.folder / "fig1", curves=True)
    line = f"The {len(videos)} sequences on which {main[0]} gains most over {base[0]}."
    return _section("Fig. 1: overlap over frames", [line, missing], pictures)


def figure_6(parts: OnePassParts) -> Section:
    """Success and precision of the paper's trackers and ours, on the same frames."""
    peers, missing = parts.published(paper.FIG_6)
    shown = [*peers, *parts.own(*HEADLINE)]
    pictures = parts.compared.draw_curves(shown, parts.folder / "fig6")
    line = "Published raw results are cut to the same sequences and frames as ours."
    return _section("Fig. 6: measured here", [line, missing], pictures)


def figure_6_printed(
    annotated: Dataset, results: Path, trackers: Sequence[str], digitised: Mapping, folder: Path
) -> tuple[Section, Section]:
    """The paper's own figure from its raw results, whole, and where its gain sits.

    Raises:
        ResultsError: None of its trackers has a result.
    """
    found, missing = paper.split_peers(paper.FIG_6, trackers)
    scored = Scored.measure(annotated, results, found, 1)
    read_off = {name: curve for name, curve in digitised.items() if name in missing}
    left = [name for name in missing if name not in read_off]
    pictures = scored.draw_curves(found, folder / "fig6-printed", read_off)
    lines = [
        "Raw results of the authors and of others on all 51 sequences, whole, by our evaluator. "
        "The paper's text: DSiamM gains 7.9 % and DSiam 5.6 % over SiamFC; the supplement: joint "
        "training takes DSiamM from .650 / .872 to .656 / .891.",
        f"Curves {paper.DIGITISED_MARK}, for drawing only: {', '.join(read_off)}."
        if read_off
        else "",
        f"Missing: {', '.join(left)}." if left else "",
    ]
    title, tables = "Fig. 6: as the authors' raw results give it", scored.evaluation(found).tables
    printed = _section(title, lines, pictures, tables)
    gain = _gain(scored, AUTHORS_GAIN, paper.AUTHORS, paper.OFFICIAL)
    return printed, _gains_section("Where the paper's gain sits", scored, [gain], folder / "gain")


def figure_7(parts: OnePassParts) -> Section:
    """Success by attribute of the real-time trackers and ours."""
    peers, missing = parts.published(paper.FIG_7)
    evaluation = parts.compared.evaluation([*parts.own(MAIN), *peers])
    pictures = parts.compared.draw_attributes(evaluation.gaps, parts.folder / "fig7")
    tables = [table for table in evaluation.attribute_tables if "success" in table.title]
    return _section("Fig. 7: the attributes", [missing], pictures, tables)


def figure_9(parts: OnePassParts) -> Section:
    """What each component and each choice is worth, with every network."""
    pictures: dict[str, Path] = {}
    found: list[Difference] = []
    for network in parts.networks:
        whole = network.name(MAIN)
        for side, variants in ABLATIONS.items():
            names = parts.run.present([whole, *map(network.name, variants)])
            if len(names) > 1:
                drawn = parts.run.draw_curves(names, parts.folder / f"fig9-{side}-{network.label}")
                title, picture = next(iter(drawn.items()))
                pictures[f"{side}, {network.label}: {title}"] = picture
            pairs = (_gain(parts.run, f"{whole} - {name}", whole, name) for name in names[1:])
            found += [pair for pair in pairs if pair]
    tables = [difference_table(found)] if found else []
    lines = ["The paper: every component contributes, V the most; neither replacement is as good."]
    largest = {
        pair.title.rpartition(" - ")[2]: max(map(abs, pair.values.values())) for pair in found
    }
    same = [name for name, value in largest.items() if value < EQUAL]
    if same:
        lines.append(f"Equal to the whole, whose fusion map is flat already: {', '.join(same)}.")
    return Section("Fig. 9: ablations", tables, pictures, lines)


def figure_10(parts: OnePassParts) -> Section:
    """Frames of telling sequences and of failures."""
    peers, missing = parts.published(paper.FIG_7)
    main = parts.own(MAIN)[0]
    typical, failures = frames.telling(parts.compared, main, peers)
    shown = [main, *peers]
    videos = [*typical, *failures]
    pictures = frames.draw_frames(
        parts.compared, shown, videos, parts.folder / "fig10", curves=False
    )
    line = f"Failures of {main} (its lowest success): {', '.join(failures)}; the others: "
    line += "where the trackers differ most."
    return _section("Fig. 10: frames and failures", [line, missing], pictures)


def by_sequence(parts: OnePassParts) -> Section:
    """Success of the authors' boxes and ours in all modes, sequence by sequence."""
    tables = []
    videos = [video.name for video in parts.run.dataset]
    for network in parts.networks:
        columns = {
            "authors' DSiamM": paper.AUTHORS,
            "official SiamFC": paper.OFFICIAL,
            **{name: network.name(name) for name in HEADLINE},
            **{f"{MAIN} {preset}": network.name(MAIN, preset) for preset in PRESETS},
        }
        chosen = {title: parts.run.success(name) for title, name in columns.items()}
        chosen = {title: of for title, of in chosen.items() if of}
        tables.append(sequence_table(f"Network {network.label}", chosen, videos))
    return Section("Sequence by sequence", tables)


def gains(parts: OnePassParts) -> Section:
    """Where the gains of the authors' tracker and of ours sit, on the same frames."""
    pairs = [_gain(parts.compared, AUTHORS_GAIN, paper.AUTHORS, paper.OFFICIAL)]
    for network in parts.networks:
        main, base = network.name(MAIN), network.name(BASELINE)
        pairs.append(_gain(parts.compared, f"{main} - {base}", main, base))
    title = "Where the gains sit, measured here"
    return _gains_section(title, parts.compared, pairs, parts.folder / "gains")


def _differences(parts: OnePassParts) -> list[Difference]:
    pairs = [(AUTHORS_GAIN, paper.AUTHORS, paper.OFFICIAL)]
    for network in parts.networks:
        base = network.name(BASELINE)
        tried = [network.name(name) for name in HEADLINE if name != BASELINE]
        tried += [network.name(MAIN, preset) for preset in PRESETS]
        pairs += [(f"{name} - {base}", name, base) for name in tried]
        release = network.name(MAIN, "release")
        pairs.append((f"{release} - authors' DSiamM", release, paper.AUTHORS))
        pairs.append((f"{base} - official SiamFC", base, paper.OFFICIAL))
    found = (_gain(parts.run, *pair) for pair in pairs)
    return [pair for pair in found if pair]


def _gain(scored: Scored, title: str, first: str, second: str) -> Difference | None:
    return difference(title, scored.success(first), scored.success(second))


def _gains_section(
    title: str, scored: Scored, pairs: Sequence[Difference | None], folder: Path
) -> Section:
    found = {pair.title: pair for pair in pairs if pair}
    if not found:
        return Section(title)
    name = scored.dataset.name
    draw_gains({what: pair.values for what, pair in found.items()}, name, folder)
    pictures = {"Gains by sequence": plot_path(folder, f"{name}_gains")}
    return Section(title, pictures=pictures, lines=[pair.finding() for pair in found.values()])


def _section(
    title: str, lines: Sequence[str], pictures: Mapping[str, Path], tables: Sequence[Table] = ()
) -> Section:
    return Section(title, tables, pictures, [line for line in lines if line])
