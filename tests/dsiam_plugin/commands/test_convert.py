import io
import subprocess
import sys
import warnings

import numpy as np
import pytest
import toolkit_data

from dsiam_plugin.commands.convert import main
from dsiam_plugin.errors import MissingDependencyError, ResultsError
from dsiam_plugin.evaluation.results import files as results
from dsiam_plugin.evaluation.results import region_binary
from dsiam_plugin.evaluation.results.conversion import FORMATS, convert_results
from dsiam_plugin.evaluation.results.otb_mat import read_mat, write_mat

OTB = {
    "Jogging-1": np.array([[10.25, 20.5, 30.125, 40], [11, 21.75, 30, 40]]),
    "Human4-2": np.array([[1.0, 2, 3, 4], [5, 6, 7, 8]]),
    "David": np.array([[0.0, 0, 5, 5], [1, 1, 5, 5]]),
}
OTHER = {"zebra-2": OTB["David"], "ants1": OTB["Human4-2"]}
RESTART = [[1.0], [1.5, 2.25, 30.0, 40.0], [2.0], [0.0], [1.0], [0.5, 0, 9, 1, 8.25, 7, 0, 6]]


@pytest.fixture
def pysot(tmp_path):
    toolkit_data.write_results(tmp_path / "in", "KCF", OTB)
    results.write_values(tmp_path / "in" / "KCF" / "David_time.txt", [0.5, 0.25])
    return tmp_path / "in" / "KCF"


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("form", "files"),
    [
        ("got10k", {"Jogging.1.txt", "Human4.txt", "David.txt", "times"}),
        ("pytracking", {"Jogging_1.txt", "Human4_2.txt", "David.txt", "David_time.txt"}),
        ("otb-mat", {"Jogging-1_KCF.mat", "Human4-2_KCF.mat", "David_KCF.mat"}),
    ],
)
def test_otb_results_there_and_back(pysot, tmp_path, form, files):
    there, back = tmp_path / form, tmp_path / "back"
    assert run(pysot, there, "--from", "pysot", "--to", form) == 0
    assert {path.name for path in there.iterdir()} == files
    assert run(there, back, "--from", form, "--to", "pysot") == 0
    for name, boxes in OTB.items():
        expected = np.floor(boxes + 0.5) if form == "pytracking" else boxes
        np.testing.assert_allclose(results.read_boxes(back / f"{name}.txt"), expected, atol=1e-9)
    if form != "otb-mat":
        assert (back / "David_time.txt").read_text() == "0.500000\n0.250000\n"


def test_the_files_are_those_of_the_toolkit(pysot, tmp_path):
    convert_results(pysot, tmp_path / "g", "pysot", "got10k")
    assert (tmp_path / "g/Jogging.1.txt").read_text() == (
        "11.250,21.500,30.125,40.000\n12.000,22.750,30.000,40.000\n"
    )
    convert_results(pysot, tmp_path / "p", "pysot", "pytracking")
    assert (tmp_path / "p/Jogging_1.txt").read_text() == "11\t22\t30\t40\n12\t23\t30\t40\n"


def test_pixels_are_shifted_on_otb_only(pysot, tmp_path, capsys):
    toolkit_data.write_results(tmp_path, "other", OTHER)
    done = convert_results(tmp_path / "other", tmp_path / "o", "pysot", "got10k")
    assert (done.input_base, done.output_base) == (0, 0)
    done = convert_results(tmp_path / "other", tmp_path / "m", "pysot", "otb-mat")
    assert (done.input_base, done.output_base) == (0, 1)
    run(pysot, tmp_path / "g", "--from", "pysot", "--to", "got10k")
    assert "pixels were counted from 0, now from 1" in capsys.readouterr().out


def test_the_shift_can_be_chosen(pysot, tmp_path):
    arguments = ("--from", "pysot", "--to", "got10k", "--input-base", "1", "--output_base", "1")
    assert run(pysot, tmp_path / "a", *arguments) == 0
    np.testing.assert_array_equal(results.read_boxes(tmp_path / "a/David.txt"), OTB["David"])
    assert run(pysot, tmp_path / "b", *arguments[:4], "--dataset", "UAV123") == 0
    np.testing.assert_array_equal(results.read_boxes(tmp_path / "b/David.txt"), OTB["David"])


def test_the_tracker_in_the_names_is_no_path(pysot, tmp_path, capsys):
    arguments = ("--from", "pysot", "--to", "otb-mat", "--tracker", "../../x")
    assert run(pysot, tmp_path / "out", *arguments) == 2
    assert "tracker '../../x' is a path" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_lower_case_names_of_matlab_results(tmp_path):
    for name in ("jogging_1", "david"):
        write_mat(tmp_path / "in" / f"{name}_My_Tracker.mat", OTB["David"] + [1, 1, 0, 0])
    arguments = ("--from", "otb-mat", "--to", "pysot", "--tracker", "My_Tracker")
    assert run(tmp_path / "in", tmp_path / "out", *arguments) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"Jogging-1.txt", "David.txt"}
    np.testing.assert_array_equal(results.read_boxes(tmp_path / "out/David.txt"), OTB["David"])


def test_scores_beside_pytracking_results_are_no_results(tmp_path):
    toolkit_data.write_results(tmp_path, "in", {"David": OTB["David"]}, delimiter="\t")
    (tmp_path / "in" / "David_object_presence_scores.txt").write_text("1.0\n0.5\n")
    done = convert_results(tmp_path / "in", tmp_path / "out", "pytracking", "pysot")
    assert done.names == ("David",)


def test_whole_pixels_cannot_hold_nan(tmp_path, capsys):
    toolkit_data.write_results(tmp_path, "in", {"David": [[1, 2, 3, 4], [np.nan] * 4]})
    assert run(tmp_path / "in", tmp_path / "out", "--from", "pysot", "--to", "pytracking") == 2
    assert "David.txt:2: not a finite box" in capsys.readouterr().err


def test_matlab_files_of_the_benchmark(tmp_path):
    """A cell of two structs, as temporal robustness results have them."""
    import scipy.io

    cell = np.empty((1, 2), dtype=object)
    for index in range(2):
        cell[0, index] = {"res": np.full((3, 4), index + 1.0), "type": "rect", "len": 3}
    scipy.io.savemat(tmp_path / "a.mat", {"results": cell})
    np.testing.assert_array_equal(read_mat(tmp_path / "a.mat"), np.ones((3, 4)))


def test_matlab_structs_say_which_frames_they_cover(tmp_path):
    import scipy.io

    from dsiam_plugin.evaluation.datasets.facts import load_facts

    facts = load_facts("OTB2013")["Tiger1"]
    for rows, start in ((349, 6), (354, 1)):
        write_mat(tmp_path / "a.mat", toolkit_data.moving_boxes(rows), facts)
        run = scipy.io.loadmat(tmp_path / "a.mat")["results"][0, 0][0, 0]
        assert [run[key].item() for key in ("len", "annoBegin", "startFrame")] == [rows, 1, start]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"other": 1}, "no array of numbers in it, expected results"),
        ({"results": {"res": np.ones((2, 6)), "type": "ivtAff"}}, "2 x 6, 0 sizes; expected six"),
        ({"results": {"res": np.ones((2, 6)), "type": "rect"}}, "2 x 6, expected x,y,w,h"),
        (
            {"results": {"res": np.ones((2, 6)), "type": "mesh"}},
            "type 'mesh'; expected one of",
        ),
        ({"results": {"res": np.ones((0, 4)), "type": "rect"}}, "0 x 4, expected x,y,w,h"),
        ({"results": {"res": np.ones((3, 4)), "type": "4corner"}}, "3 x 4, .* two rows of corners"),
        ({"results": {"res": np.ones((2, 4)), "type": np.ones(3)}}, "type .*; expected one of"),
        ({"result": "text"}, "no array of numbers"),
    ],
)
def test_matlab_files_of_another_kind_are_named(tmp_path, content, message):
    import scipy.io

    scipy.io.savemat(tmp_path / "a.mat", content)
    with pytest.raises(ResultsError, match=f"a.mat: .*{message}"):
        read_mat(tmp_path / "a.mat")


def affine_results(kind):
    """Six numbers a frame for boxes of 10 x 6 px, and the boxes around their corners."""
    boxes = np.array([[20.0, 30, 10, 6], [23, 29, 20, 12]])
    x, y, w, h = boxes.T
    zeros = np.zeros(2)
    if kind == "ivtAff":  # the template is as large as tmplsize, its centre the origin
        res = np.stack([x + w / 2, y + h / 2, w / 10, zeros, zeros, h / 6], axis=1)
        return res, boxes + [0, 0, 1, 1]
    # L1Aff: from (1, 1) to tmplsize; rows give y before x
    sx, sy = w / 10, h / 6
    res = np.stack([zeros, sy, sx, zeros, y, x], axis=1)
    return res, np.stack([x + sx, y + sy, 9 * sx + 1, 5 * sy + 1], axis=1)


@pytest.mark.parametrize("kind", ["ivtAff", "L1Aff"])
def test_affine_results_are_the_boxes_around_their_corners(tmp_path, kind):
    import scipy.io

    res, boxes = affine_results(kind)
    run = {"res": res, "type": kind, "tmplsize": np.array([10.0, 6.0]), "len": 2}
    scipy.io.savemat(tmp_path / "a.mat", {"results": run})
    np.testing.assert_allclose(read_mat(tmp_path / "a.mat"), boxes)


def test_a_rotated_template_of_ivt(tmp_path):
    """By a quarter turn: width and height change places."""
    import scipy.io

    run = {"res": np.array([[50.0, 60, 0, -1, 1, 0]]), "type": "ivtAff", "tmplsize": [[10, 6]]}
    scipy.io.savemat(tmp_path / "a.mat", {"results": run})
    np.testing.assert_allclose(read_mat(tmp_path / "a.mat"), [[47, 55, 7, 11]])


@pytest.mark.parametrize("name", ["results", "result", "res"])
def test_bare_arrays(tmp_path, name):
    import scipy.io

    scipy.io.savemat(tmp_path / "a.mat", {name: np.arange(8).reshape(2, 4), "fps": 20})
    np.testing.assert_array_equal(read_mat(tmp_path / "a.mat"), [[0, 1, 2, 3], [4, 5, 6, 7]])


def write_trackers(folder):
    """The authors' usual folder: results of several trackers side by side."""
    for name, value in (("KCF", 1), ("KCF_LinearHog", 2), ("TLD", 3)):
        for sequence in ("Biker", "jogging_1"):
            write_mat(folder / f"{sequence}_{name}.mat", np.full((2, 4), value))


def test_the_tracker_chooses_its_files(tmp_path, capsys):
    write_trackers(tmp_path / "all")
    for tracker, value in (("KCF", 1), ("KCF_LinearHog", 2)):
        done = convert_results(
            tmp_path / "all", tmp_path / tracker, "otb-mat", "pysot", tracker=tracker
        )
        assert done.names == ("Biker", "Jogging-1") and done.tracker == tracker
        assert results.read_boxes(tmp_path / tracker / "Biker.txt")[0, 3] == value
    arguments = ("--from", "otb-mat", "--to", "pysot")
    assert run(tmp_path / "all", tmp_path / "out", *arguments) == 2
    message = "results of 3 trackers, choose one by --tracker: KCF, KCF_LinearHog, TLD"
    assert message in capsys.readouterr().err
    assert run(tmp_path / "all", tmp_path / "out", *arguments, "--tracker", "MEEM") == 2
    assert "3 trackers, not of 'MEEM': KCF" in capsys.readouterr().err


def test_a_folder_called_after_a_part_of_the_tracker(tmp_path, capsys):
    write_mat(tmp_path / "LinearHog" / "Biker_KCF_LinearHog.mat", np.ones((2, 4)))
    arguments = ("--from", "otb-mat", "--to", "pysot")
    assert run(tmp_path / "LinearHog", tmp_path / "out", *arguments) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["Biker.txt"]
    assert "called after the tracker KCF_LinearHog" in capsys.readouterr().out


def test_corners_become_boxes(tmp_path):
    toolkit_data.write_results(tmp_path, "in", {"zebra-2": [[10, 20, 15, 27], [1, 2, 4, 8]]})
    arguments = ("--from", "pysot", "--to", "pysot", "--corners")
    assert run(tmp_path / "in", tmp_path / "out", *arguments) == 0
    np.testing.assert_array_equal(
        results.read_boxes(tmp_path / "out" / "zebra-2.txt"), [[10, 20, 5, 7], [1, 2, 3, 6]]
    )


def test_runs_of_got10ks_experiments(tmp_path):
    """`ExperimentGOT10k`: a folder a sequence, a file a run, columns of seconds."""
    for number in (1, 2):
        rows = np.full((2, 4), float(number))
        toolkit_data.write_rows(tmp_path / "in" / "G_1" / f"G_1_00{number}.txt", rows)
    (tmp_path / "in" / "G_1" / "G_1_time.txt").write_text("0.5,1.5\n0.25,0.75\n")
    done = convert_results(tmp_path / "in", tmp_path / "flat", "got10k-runs", "pysot")
    assert done.names == ("G_1",)
    assert results.read_boxes(tmp_path / "flat" / "G_1.txt")[0, 0] == 1
    assert (tmp_path / "flat" / "G_1_time.txt").read_text() == "1.000000\n0.500000\n"
    done = convert_results(tmp_path / "in", tmp_path / "runs", "got10k-runs", "got10k-runs")
    assert done.names == ("G_1", "G_1")
    assert (tmp_path / "runs" / "G_1" / "G_1_002.txt").is_file()


def test_files_beside_results_are_no_results(tmp_path):
    toolkit_data.write_results(tmp_path, "in", {"David": OTB["David"]})
    for name in ("David_all_boxes.txt", "David_all_scores.txt", "._David.txt"):
        (tmp_path / "in" / name).write_text("not a result\n")
    done = convert_results(tmp_path / "in", tmp_path / "out", "pytracking", "pysot")
    assert done.names == ("David",)


def test_a_damaged_matlab_file_is_named(tmp_path):
    (tmp_path / "a.mat").write_bytes(b"MATLAB 5.0" * 30)
    with pytest.raises(ResultsError, match="a.mat: "):
        read_mat(tmp_path / "a.mat")


def test_without_scipy_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'dsiam-plugin\[mat\]'"):
        read_mat(tmp_path / "a.mat")


@pytest.fixture
def restarts(tmp_path):
    toolkit_data.write_restarts(tmp_path / "in", "A", "girl", [RESTART, RESTART[:4]])
    folder = tmp_path / "in" / "A" / "baseline" / "girl"
    (folder / "girl_001_time.value").write_text("0.5\n\n0.25\n0.125\n1\n1\n")
    return tmp_path / "in" / "A"


def test_restarts_there_and_back(restarts, tmp_path):
    there, back = tmp_path / "binary", tmp_path / "back"
    assert run(restarts, there, "--from", "pysot-vot", "--to", "vot-binary") == 0
    assert run(there, back, "--from", "vot-binary", "--to", "vot-text") == 0
    for name in ("girl_001.txt", "girl_002.txt"):
        path = "baseline/girl/" + name
        assert (back / path).read_bytes() == (restarts / path).read_bytes()
    times = results.read_values(back / "baseline/girl/girl_001_time.value")
    np.testing.assert_array_equal(times, [0.5, np.nan, 0.25, 0.125, 1, 1])


def test_the_binary_form_is_that_of_the_vot_toolkit(tmp_path):
    vot_io, shapes, special = vot_region()
    region_binary.write_binary(tmp_path / "a.bin", RESTART)
    with open(tmp_path / "a.bin", "rb") as file:
        regions = vot_io.read_trajectory(file)
    numbers = [vot_numbers(region, special) for region in regions]
    assert numbers == [list(map(float, region)) for region in RESTART]
    theirs = [special(1), shapes.Rectangle(1.5, 2.25, 30, 40), special(2), special(0), special(1)]
    theirs.append(shapes.Polygon(list(zip(RESTART[5][::2], RESTART[5][1::2], strict=True))))
    stream = io.BytesIO()
    vot_io.write_trajectory_binary(stream, theirs)
    assert stream.getvalue() == (tmp_path / "a.bin").read_bytes()
    (tmp_path / "b.bin").write_bytes(stream.getvalue())
    assert region_binary.read_binary(tmp_path / "b.bin") == RESTART


def test_the_text_form_is_read_by_the_vot_toolkit(tmp_path):
    vot_io, shapes, special = vot_region()
    results.write_regions(tmp_path / "a.txt", RESTART)
    with open(tmp_path / "a.txt") as file:
        regions = vot_io.read_trajectory(file)
    assert [vot_numbers(region, special) for region in regions] == RESTART
    with open(tmp_path / "b.txt", "w") as file:
        vot_io.write_trajectory(file, regions)
    assert results.read_regions(tmp_path / "b.txt") == RESTART


def test_masks_are_named(tmp_path):
    vot_io, shapes, special = vot_region()
    stream = io.BytesIO()
    mask = shapes.Mask(np.ones((3, 3), np.uint8))
    vot_io.write_trajectory_binary(stream, [special(1), mask])
    (tmp_path / "a.bin").write_bytes(stream.getvalue())
    with pytest.raises(ResultsError, match="a.bin: region 2 is a mask, expected a code, a box or"):
        region_binary.read_binary(tmp_path / "a.bin")


def test_damaged_binary_files_are_named(tmp_path):
    path = tmp_path / "a.bin"
    region_binary.write_binary(path, RESTART)
    whole = path.read_bytes()
    for end in (0, 5, 8, 20, len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(ResultsError, match="a.bin: cut short after [0-5] regions"):
            region_binary.read_binary(path)
    path.write_bytes(b"\x07" + whole[1:])
    with pytest.raises(ResultsError, match="a.bin: format version 7, expected 1"):
        region_binary.read_binary(path)
    with pytest.raises(ResultsError, match="none.bin: cannot be read"):
        region_binary.read_binary(tmp_path / "none.bin")


def test_what_cannot_be_converted(pysot, tmp_path, capsys):
    assert run(pysot, tmp_path / "o", "--from", "pysot", "--to", "vot-binary") == 2
    assert "pysot holds one-pass boxes and vot-binary restarts" in capsys.readouterr().err
    assert run(pysot.parent, tmp_path / "o", "--from", "pysot", "--to", "got10k") == 2
    assert (
        f"no pysot results, expected {pysot.parent / '<sequence>.txt'}" in capsys.readouterr().err
    )
    (pysot / "David.txt").write_text("1,2,3\n")
    assert run(pysot, tmp_path / "o", "--from", "pysot", "--to", "got10k") == 2
    error = capsys.readouterr().err
    assert "David.txt:1: 3 numbers, expected x,y,w,h" in error and error.count("\n") == 1
    with pytest.raises(SystemExit) as exit_status:
        run(pysot, tmp_path / "o", "--from", "nothing", "--to", "got10k")
    assert exit_status.value.code == 2


def test_nothing_is_overwritten_or_written_by_halves(pysot, tmp_path, capsys):
    before = (pysot / "David.txt").read_text()
    assert run(pysot, pysot, "--from", "pysot", "--to", "got10k") == 2
    assert "overwrite themselves" in capsys.readouterr().err
    assert (pysot / "David.txt").read_text() == before
    (pysot / "Jogging-1.txt").write_text("1,2,3\n")  # the last in order
    assert run(pysot, tmp_path / "o", "--from", "pysot", "--to", "got10k") == 2
    assert not (tmp_path / "o").exists()


def test_every_format_is_in_the_help(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert all(f"  {name}  " in text for name in FORMATS)


@pytest.mark.data
def test_published_results_survive_the_round_trip(shared, tmp_path):
    source = shared / "data/results/OTB2013/SiamFC-3s"
    for form, tolerance in (("otb-mat", 1e-9), ("got10k", 5e-4)):
        convert_results(source, tmp_path / form, "pysot", form)
        convert_results(tmp_path / form, tmp_path / "back", form, "pysot", tracker="SiamFC-3s")
        for path in source.glob("*.txt"):
            boxes = results.read_boxes(tmp_path / "back" / path.name)
            assert np.abs(boxes - results.read_boxes(path)).max() <= tolerance + 1e-9


def vot_region():
    """The VOT toolkit's own reader and its shapes; its import warns on current Python."""
    pytest.importorskip("vot")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from vot.region import Special, io, shapes
    return io, shapes, Special


def vot_numbers(region, special):
    if isinstance(region, special):
        return [float(region.code)]
    if hasattr(region, "width"):
        return [region.x, region.y, region.width, region.height]
    return [float(number) for point in region.points() for number in point]


@pytest.mark.integration
def test_the_command_lines(pysot, tmp_path, repository):
    toolkit_data.write_otb(tmp_path / "otb", {"Deer": toolkit_data.moving_boxes(71)}, images=True)
    for arguments, status, words in (
        (["toolkit.bin.prepare", "OTB2013", tmp_path / "otb"], 1, "1 of 51 sequences complete"),
        (["toolkit.bin.convert", pysot, tmp_path / "o", "--from", "pysot", "--to", "got10k"], 0,
         "3 results of 3 sequences"),
        (["toolkit.bin.convert", tmp_path, tmp_path / "o", "--from", "pysot", "--to", "got10k"], 2,
         "dsiam convert: error: "),
    ):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", *map(str, arguments)],
            cwd=repository, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == status and words in done.stdout + done.stderr
