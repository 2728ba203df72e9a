from collections import Counter

import pytest

from dsiam_plugin.errors import DatasetError
from dsiam_plugin.evaluation.datasets.facts import load_facts
from dsiam_plugin.evaluation.datasets.names import (
    TOOLKITS,
    file_names,
    match_name,
    to_toolkit,
)
from dsiam_plugin.evaluation.datasets.registry import BENCHMARKS, find_benchmark, get_benchmark

# Sizes of the attribute subsets as the benchmarks' own plots give them.
SUBSETS = {
    "OTB2013": "IV 25 OPR 39 SV 28 OCC 29 DEF 19 MB 12 FM 17 IPR 31 OV 6 BC 21 LR 4",
    "OTB100": "IV 38 OPR 63 SV 64 OCC 49 DEF 44 MB 29 FM 39 IPR 51 OV 14 BC 31 LR 9",
}
TARGETS = {"OTB2013": 51, "OTB50": 50, "OTB100": 100}


@pytest.mark.parametrize("name", SUBSETS)
def test_attribute_subsets_have_the_official_sizes(name):
    words = SUBSETS[name].split()
    expected = {code: int(size) for code, size in zip(words[::2], words[1::2], strict=True)}
    found = Counter(code for facts in load_facts(name).values() for code in facts.attributes)
    assert found == expected


@pytest.mark.parametrize("name", TARGETS)
def test_number_of_targets(name):
    assert len(load_facts(name)) == TARGETS[name] == get_benchmark(name).sequences


def test_otb100_has_the_published_number_of_frames():
    assert sum(facts.annotated for facts in load_facts("OTB100").values()) == 59040


def test_otb2013_and_otb50_are_in_otb100_with_the_same_frames():
    whole = load_facts("OTB100")
    for part in ("OTB2013", "OTB50"):
        for name, facts in load_facts(part).items():
            same = whole[name]
            assert (facts.folder, facts.annotation, facts.skip, facts.annotated) == (
                same.folder, same.annotation, same.skip, same.annotated,
            )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [("David", 300, 770), ("Football1", 1, 74), ("Freeman3", 1, 460), ("Freeman4", 1, 283),
     ("Diving", 1, 215), ("BlurCar1", 247, 988), ("BlurCar3", 3, 359), ("BlurCar4", 18, 397)],
)  # fmt: skip
def test_frame_ranges_that_toolkits_disagree_about(name, first, last):
    facts = load_facts("OTB100")[name]
    assert (facts.first_frame, facts.last_frame) == (first, last)


def test_tiger1_is_evaluated_from_its_sixth_frame_on():
    for name in ("OTB2013", "OTB100"):
        facts = load_facts(name)["Tiger1"]
        assert (facts.annotated, facts.skip, facts.frames) == (354, 5, 349)


@pytest.mark.data
def test_otb2013_is_the_table_beside_the_annotations(shared):
    import json

    table = json.loads((shared / "data/otb2013/sequences.json").read_text())
    for name, facts in load_facts("OTB2013").items():
        row = table[name]
        assert (facts.folder, facts.first_frame, facts.last_frame, facts.annotated) == (
            row["folder"], row["first_frame"], row["last_frame"], row["frames"],
        )  # fmt: skip
        assert set(facts.attributes) == set(row["attributes"])


@pytest.mark.parametrize(
    ("spelling", "name"),
    [("CVPR13", "OTB2013"), ("otb2013", "OTB2013"), ("OTB2015", "OTB100"), ("TB-50", "OTB50"),
     ("GOT10k", "GOT-10k"), ("vot2018-lt", "VOT2018-LT")],
)  # fmt: skip
def test_aliases(spelling, name):
    assert find_benchmark(spelling).name == name


def test_no_two_benchmarks_share_a_name():
    names = [spelling.casefold() for benchmark in BENCHMARKS for spelling in benchmark.names]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "interval"),
    [("VOT2013", None), ("VOT2014", None), ("VOT2015", (108, 371)), ("VOT2016", (108, 371)),
     ("VOT2017", (100, 356)), ("VOT2018", (100, 356)), ("VOT2019", (46, 291))],
)  # fmt: skip
def test_eao_intervals(name, interval):
    assert get_benchmark(name).eao_interval == interval


@pytest.mark.parametrize(
    ("typo", "meant"), [("OBT2013", "OTB2013"), ("VOT2O18", "VOT2018"), ("lasott", "LaSOT")]
)
def test_a_typo_gets_the_nearest_name(typo, meant):
    with pytest.raises(DatasetError, match=f"did you mean '{meant}'"):
        get_benchmark(typo)


def test_a_name_like_none_gets_the_list():
    with pytest.raises(DatasetError, match="no name is near it.*OTB2013.*GOT-10k"):
        get_benchmark("q")


@pytest.mark.parametrize(
    ("pysot", "got10k", "pytracking", "vot"),
    [
        ("Jogging-1", "Jogging.1", "Jogging_1", "Jogging1"),
        ("Jogging-2", "Jogging.2", "Jogging_2", "Jogging2"),
        ("Skating2-1", "Skating2.1", "Skating2_1", "Skating2_1"),
        ("Human4-2", "Human4", "Human4_2", "Human4"),
        ("David", "David", "David", "David"),
    ],
)
def test_names_of_the_four_toolkits_map_both_ways(pysot, got10k, pytracking, vot):
    spelled = (pysot, got10k, pytracking, vot)
    assert tuple(to_toolkit(pysot, toolkit) for toolkit in TOOLKITS) == spelled
    assert {match_name(name, [pysot]) for name in spelled} == {pysot}


@pytest.mark.parametrize(
    ("file_name", "video"),
    [("jogging_1", "Jogging-1"), ("fleetface", "FleetFace"), ("faceocc1", "FaceOcc1"),
     ("human4_2", "Human4-2"), ("carDark", "CarDark"), ("skating2_2", "Skating2-2")],
)  # fmt: skip
def test_file_names_of_published_results(file_name, video):
    assert file_name in file_names(video)
    assert match_name(file_name, load_facts("OTB100")) == video


def test_no_two_sequences_of_otb_share_a_spelling():
    taken = Counter(
        spelling
        for name in load_facts("OTB100")
        for spelling in {n.lower() for n in file_names(name)}
    )
    assert [spelling for spelling, count in taken.items() if count > 1] == []


def test_an_unknown_name_matches_nothing():
    assert match_name("Zebra", load_facts("OTB100")) is None
