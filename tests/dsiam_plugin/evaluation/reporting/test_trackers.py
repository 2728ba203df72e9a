import pytest

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.evaluation.reporting.trackers import find_trackers


def add(root, *files):
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1,2,3,4\n")


def test_trackers_lie_below_the_data_set_as_pysot_keeps_them(tmp_path):
    add(tmp_path, "OTB2013/KCF/Boy.txt", "OTB2013/DSiam/Boy.txt", "VOT2018/X/baseline/a/a_001.txt")
    assert find_trackers(tmp_path, "OTB2013") == (tmp_path / "OTB2013", ["DSiam", "KCF"])
    assert find_trackers(tmp_path, "VOT2018") == (tmp_path / "VOT2018", ["X"])


def test_an_alias_of_the_data_set_names_the_folder_too(tmp_path):
    add(tmp_path, "OTB2013/KCF/Boy.txt")
    assert find_trackers(tmp_path, "CVPR13")[1] == ["KCF"]


def test_the_path_may_be_the_data_sets_folder_itself(tmp_path):
    add(tmp_path, "KCF/Boy.txt", "GOT/walk/walk_001.txt", "plots/report.html")
    assert find_trackers(tmp_path, "OTB2013") == (tmp_path, ["GOT", "KCF"])


def test_trackers_that_failed_on_every_sequence_are_found(tmp_path):
    add(tmp_path, "OTB2013/KCF/Boy.txt", "OTB2013/.hidden/Boy.txt", "OTB2013/Died/run.json")
    (tmp_path / "OTB2013" / "Empty").mkdir()
    assert find_trackers(tmp_path, "OTB2013")[1] == ["Died", "Empty", "KCF"]
    add(tmp_path, "plots/report.html")
    assert find_trackers(tmp_path / "OTB2013", "OTB2013")[1] == ["Died", "KCF"]


def test_names_and_prefixes_choose(tmp_path):
    add(tmp_path, "D1/a.txt", "D2/a.txt", "KCF/a.txt")
    assert find_trackers(tmp_path, "OTB2013", ["KCF", "D1", "KCF"])[1] == ["KCF", "D1"]
    assert find_trackers(tmp_path, "OTB2013", prefix="D")[1] == ["D1", "D2"]


def test_a_wrong_name_is_answered_with_the_nearest_one(tmp_path):
    add(tmp_path, "OTB2013/DSiamM/a.txt")
    with pytest.raises(ResultsError, match=r"'DSiamN' in .*OTB2013: did you mean 'DSiamM'\?"):
        find_trackers(tmp_path, "OTB2013", ["DSiamN"])


@pytest.mark.parametrize(
    ("files", "prefix", "message"),
    [
        ([], "", "no tracker found in .*; there: nothing; expected .*OTB2013/<tracker>"),
        (["VOT2018/X/baseline/a/a_001.txt"], "", "there: VOT2018; expected"),
        (["KCF/a.txt"], "DS", "no tracker begins with 'DS' in .*; there: KCF"),
        ([f"T{i:02d}/a.txt" for i in range(11)], "X", "there: T00, .*T07 and 3 more"),
    ],
)
def test_no_tracker_found_says_where_it_looked_and_what_is_there(tmp_path, files, prefix, message):
    add(tmp_path, *files)
    with pytest.raises(ResultsError, match=message):
        find_trackers(tmp_path, "OTB2013", prefix=prefix)


def test_a_path_that_is_no_folder_is_named(tmp_path):
    with pytest.raises(ResultsError, match="missing is not a folder"):
        find_trackers(tmp_path / "missing", "OTB2013")
