"""The whole report from invented results: sections, what is left out, the mark."""

import json
import re

import cv2
import numpy as np
import pytest
import toolkit_data as data

from dsiam_plugin.evaluation.measures.metrics import success_curve
from dsiam_plugin.evaluation.reproduction.book import Book, add_one_pass, add_restarts
from dsiam_plugin.evaluation.reproduction.material import gather
from dsiam_plugin.evaluation.reproduction.ours import load_networks, own_runs
from dsiam_plugin.evaluation.reproduction.restarts import evaluate_vot, open_vot
from dsiam_plugin.evaluation.visualization import figures

pytest.importorskip("matplotlib")

# Of OTB-2013, and one of OTB-100 alone; they share an attribute.
TRUTH = {"Deer": data.moving_boxes(8, 1), "Skiing": data.moving_boxes(9, 2)}
EXTRA = {"Human9": data.moving_boxes(7, 3)}
WHOLE = {"Deer": data.moving_boxes(71, 1), "Skiing": data.moving_boxes(81, 2)}


@pytest.fixture
def quick_files(monkeypatch):
    """Figures are drawn, but a point stands for each in its file."""
    point = cv2.imencode(".png", np.zeros((2, 2, 3), np.uint8))[1].tobytes()
    monkeypatch.setattr(figures, "encode", lambda figure, form: point)


@pytest.fixture
def otb(tmp_path):
    data.write_otb(tmp_path / "set", {**TRUTH, **EXTRA}, images=True)
    return gather([tmp_path / "set"], 6)


def shifted(sequences, pixels):
    return {name: boxes + [pixels, 0, 0, 0] for name, boxes in sequences.items()}


def write_runs(folder, runs):
    """Runs of this package, each a little worse than the one before."""
    for number, run in enumerate(runs):
        cut = {name: boxes[:6] for name, boxes in {**TRUTH, **EXTRA}.items()}
        data.write_results(folder, run.name, shifted(cut, 0.5 * number))


def write_published(folder):
    for number, name in enumerate(("DSiamM-authors", "SiamFC-3s", "MEEM")):
        data.write_results(folder / "OTB2013", name, shifted(WHOLE, number))


def titles(book):
    return [section.title for section in book.sections]


def page(book):
    return re.sub(r"<[^>]+>", "|", (book.out / "report.html").read_text())


def test_every_figure_of_one_pass_is_drawn(otb, tmp_path, quick_files):
    networks = load_networks([])
    runs = own_runs(networks)
    write_runs(tmp_path / "results", runs)
    write_published(tmp_path / "published")
    book = Book(tmp_path, ["said first"])
    add_one_pass(book, otb, networks, runs, tmp_path / "results", tmp_path / "published", 1)
    assert [title.partition(":")[0] for title in titles(book)] == [
        "Scores", "The paper's claims", "Fig. 4", "Fig. 1", "Fig. 6", "Fig. 9", "Fig. 10",
        "Sequence by sequence", "Where the gains sit, measured here", "Fig. 7",
    ]  # fmt: skip
    assert book.write() == [tmp_path / "report.html", tmp_path / "report.pdf"]
    text = page(book)
    places = [text.rindex(f"|Fig. {number}:") for number in (1, 4, 6, 7, 9, 10)]
    assert places == sorted(places)
    assert all(word in text for word in (otb.mark, "said first", "GOTURN", "DSiamM-paper_embedded"))
    assert 'src="data:image/png;base64,' in (tmp_path / "report.html").read_text()
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    drawn = {path.parent.name for path in (tmp_path / "figures").rglob("*.pdf")}
    assert drawn == {
        "fig1", "fig4", "fig6", "fig7", "fig9-left-embedded", "fig9-right-embedded", "fig10",
        "gains",
    }  # fmt: skip


def test_scores_are_those_of_the_same_frames(otb, tmp_path, quick_files):
    networks = load_networks([])
    runs = [run for run in own_runs(networks) if run.variant in ("SiamFC", "DSiamM")]
    write_runs(tmp_path / "results", runs)
    write_published(tmp_path / "published")
    book = Book(tmp_path, [])
    add_one_pass(book, otb, networks, runs, tmp_path / "results", tmp_path / "published", 1)
    found = json.loads((tmp_path / "scores.json").read_text())["trackers"]
    for name, boxes in WHOLE.items():
        expected = success_curve(TRUTH[name][:6], boxes[:6] + [1, 0, 0, 0]).mean()
        assert found["SiamFC-3s"]["videos"][name]["success"] == pytest.approx(expected)
    assert "Human9" not in found["SiamFC-3s"]["videos"]
    (table,) = next(part for part in book.sections if part.title.startswith("Seq")).tables
    assert table.columns[:3] == ("Sequence", "authors' DSiamM", "official SiamFC")
    assert [row[0] for row in table.rows] == ["Deer", "Human9", "Skiing", "mean of 2"]
    assert table.rows[1][1] is None and table.rows[1][3] is not None


def test_claims_stand_beside_what_is_measured(otb, tmp_path, quick_files):
    networks = load_networks([])
    runs = [run for run in own_runs(networks) if run.variant in ("SiamFC", "DSiamM")]
    cut = {name: boxes[:6] for name, boxes in TRUTH.items()}
    for run in runs:  # exact boxes pass 20 of 21 thresholds, 3 px of 12 off 12
        data.write_results(
            tmp_path / "results", run.name, shifted(cut, 3 * (run.variant == "SiamFC"))
        )
    book = Book(tmp_path, [])
    add_one_pass(book, otb, networks, runs, tmp_path / "results", None, 1)
    (table,) = next(part for part in book.sections if "claims" in part.title).tables
    assert table.columns[2:] == ("published results, 2 here", "embedded, 2 here")
    rows = {row[0]: row[2:] for row in table.rows}
    assert rows["Success of SiamFC"] == (None, "0.571")
    assert rows["DSiamM over SiamFC"] == (None, "+0.381 +- 0.000")
    assert rows["V is worth (Fig. 9)"] == (None, None)


def test_what_is_missing_is_left_out_and_said(tmp_path, quick_files):
    data.write_otb(tmp_path / "set", {"own": TRUTH["Deer"]}, images=True)
    material = gather([tmp_path / "set"], None)
    networks = load_networks([])
    runs = own_runs(networks)[:1]
    data.write_results(tmp_path / "results", runs[0].name, {"own": TRUTH["Deer"]})
    book = Book(tmp_path, [])
    add_one_pass(book, material, networks, runs, tmp_path / "results", None, 1)
    assert titles(book) == ["Scores"]
    said = "\n".join(book.left_out)
    assert "published results" in said and "figures on OTB: no results of DSiamM" in said
    book.write()
    assert "Left out: figures on OTB" in page(book)


def test_the_papers_own_figure_needs_all_annotations(tmp_path, quick_files):
    from dsiam_plugin.evaluation.datasets.facts import load_facts

    whole = {name: data.moving_boxes(facts.frames) for name, facts in load_facts("OTB2013").items()}
    data.write_annotations(tmp_path, whole)
    (tmp_path / "sequences.json").unlink()
    data.write_otb(tmp_path / "sequences", {"Deer": whole["Deer"]}, images=True)
    material = gather([tmp_path / "sequences"], 5)
    for number, name in enumerate(("SiamFC-3s", "DSiamM-authors")):
        data.write_results(tmp_path / "published" / "OTB2013", name, shifted(whole, 3 - 3 * number))
    curves = {"success": [0.4] * 21, "precision": [0.6] * 51}
    (tmp_path / "published" / "digitised_fig6").mkdir()
    (tmp_path / "published" / "digitised_fig6" / "GOTURN.json").write_text(json.dumps(curves))
    networks = load_networks([])
    runs = [run for run in own_runs(networks) if run.variant in ("SiamFC", "DSiamM")]
    for run in runs:
        data.write_results(tmp_path / "results", run.name, {"Deer": whole["Deer"][:5]})
    book = Book(tmp_path, [])
    add_one_pass(book, material, networks, runs, tmp_path / "results", tmp_path / "published", 1)
    printed, gain = (
        next(part for part in book.sections if part.title.startswith(head))
        for head in ("Fig. 6: as", "Where the paper's")
    )
    assert any("read off a plot" in line and "GOTURN" in line for line in printed.lines)
    assert len(printed.tables[0].rows) == 2
    # Exact boxes pass 20 of 21 thresholds; 3 px of 12 leave an overlap of 9 / 15, above 12.
    assert gain.lines[0].startswith("authors' DSiamM - official SiamFC: +0.381 +- 0.000 over 51")
    data.write_results(tmp_path / "other" / "OTB2013", "Unheard", whole)
    book = Book(tmp_path, [])
    add_one_pass(book, material, networks, runs, tmp_path / "results", tmp_path / "other", 1)
    assert any("no tracker of OTB2013 is named" in line for line in book.left_out)


def test_table_1_has_the_papers_rows_and_ours(tmp_path, quick_files):
    regions = {"ball": data.moving_boxes(40, 1), "bag": data.moving_boxes(40, 2)}
    data.write_vot(tmp_path / "vot", regions, images=True)
    for name, boxes in regions.items():
        run = [[1], *boxes[1:].tolist()]
        data.write_restarts(tmp_path / "results", "DSiamM_x", name, [run])
        folder = tmp_path / "results" / "DSiamM_x" / "baseline" / name
        (folder / f"{name}_001_time.value").write_text("0.02\n" * 40)
    dataset, mark = open_vot(tmp_path / "vot")
    assert mark == "2 of 60 sequences: no VOT2015 score"
    evaluation = evaluate_vot(dataset, tmp_path / "results", ["DSiamM_x"], (10, 30), 0.1)
    book = Book(tmp_path, [])
    add_restarts(book, evaluation, mark, 0.1)
    table, ranking = book.sections
    rows = {row[0]: row for row in table.tables[0].rows}
    assert rows["DSiamM"][1:5] == ("the paper", 0.5566, 0.2927, 4.3498)
    assert rows["DSiamM_x"][2:4] == (pytest.approx(1.0), pytest.approx(1.0))
    assert rows["DSiamM_x"][4:] == (pytest.approx(5.0), pytest.approx(50.0))
    assert len(ranking.tables[0].rows) == 62 + 2 + 1
    assert ranking.tables[0].rows[0][:2] == ("DSiamM_x", 1)
    assert {"EAO ranking", "Speed"} <= set(ranking.pictures)
    assert all(mark in part.lines[0] for part in book.sections)
