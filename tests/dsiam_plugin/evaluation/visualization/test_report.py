from html.parser import HTMLParser

from dsiam_plugin.evaluation.visualization.report import Section, render_report, write_report
from dsiam_plugin.io.tables import Table

PNG = b"\x89PNG\r\n\x1a\nnot really"


class Checker(HTMLParser):
    """Keeps text and addresses and insists that every tag is closed in order."""

    VOID = {"meta", "img"}

    def __init__(self):
        super().__init__()
        self.open, self.links, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.links += [value for key, value in attrs if key in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def parse(page):
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    return checker


def table(count=2, **options):
    rows = tuple((f"t<{i}>", 0.1 * i) for i in range(count))
    return Table("A & B", ("Tracker", "Success"), rows, **options)


def test_the_page_is_well_formed_and_needs_no_other_file(tmp_path):
    picture = tmp_path / "p.png"
    picture.write_bytes(PNG)
    write_report(
        tmp_path / "r.html",
        "On <OTB>",
        [Section("Scores", [table(15, note="x > y")], {"Plot": picture}, ["KCF (1/2)"])],
    )
    checker = parse((tmp_path / "r.html").read_text())
    assert [link[:15] for link in checker.links] == ["#part0", "data:image/png;"]
    assert {"On <OTB>", "A & B", "t<14>", "x > y", "KCF (1/2)"} <= set(checker.text)


def test_pictures_are_embedded_whole(tmp_path):
    picture = tmp_path / "p.png"
    picture.write_bytes(PNG)
    page = render_report("R", [Section("Plots", pictures={"One": picture})])
    assert "iVBORw0KGgpub3QgcmVhbGx5" in page
    assert 'alt="One"' in page


def test_numbers_look_as_in_the_text_tables():
    page = render_report("R", [Section("S", [table(3, low=0.15)])])
    assert '<td class="low">0.100</td>' in page
    assert "<td>0.200</td>" in page


def test_empty_sections_are_left_out_and_long_tables_folded():
    page = render_report("R", [Section("Empty"), Section("Videos", [table()], folded=True)])
    assert "Empty" not in page
    assert parse(page) and "<details><summary>A &amp; B</summary>" in page


def test_a_mark_stays_in_sight():
    page = render_report("R", [Section("S", lines=["x"])], "first <150> frames")
    assert '<p class="mark">first &lt;150&gt; frames</p>' in page
    assert 'class="mark"' not in render_report("R", [Section("S", lines=["x"])])
