"""The command line of `eval`."""

import json
import os
import stat
import subprocess
import sys

import pytest
import toolkit_data as data

from dsiam_plugin.commands.eval import main
from dsiam_plugin.evaluation.visualization import figures

SEQUENCES = {"fast": data.moving_boxes(8, 1), "slow": data.moving_boxes(12, 2)}

# A stand-in for pysot's package: every curve is constant.
THEIRS = """
class OPEBenchmark:
    def __init__(self, dataset):
        self.names = [video.name for video in dataset]

    def _curve(self, tracker, size):
        return {tracker: {name: [0.25] * size for name in self.names}}

    def eval_success(self, tracker):
        return self._curve(tracker, 21)

    def eval_precision(self, tracker):
        return self._curve(tracker, 51)

    eval_norm_precision = eval_precision
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with a data set of two videos and the results of two trackers."""
    data.write_otb(tmp_path / "set", SEQUENCES, images=True)
    for name in ("DSiam", "KCF"):
        data.write_results(tmp_path / "results" / "set", name, SEQUENCES)
    (tmp_path / "results" / "set" / "KCF" / "fast.txt").unlink()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_table_marks_gaps_and_lists_them(folder, capsys):
    assert main(["--dataset", "set"]) == 0
    out = capsys.readouterr().out
    assert "| DSiam     |   0.952 |" in out
    assert "| KCF (1/2) |" in out
    assert "KCF: 1 of 2 sequences" in out and "no result file" in out


def test_pysots_flags_and_pysot_toolkits_names_work(folder, capsys):
    assert main(["-p", "results", "-d", "set", "-n", "1", "-t", "DS", "-s"]) == 0
    out = capsys.readouterr().out
    assert "set: success by video" in out and "KCF" not in out
    arguments = ["--dataset_dir", "set", "--dataset", "set", "--trackers", "KCF"]
    assert main([*arguments, "--tracker_result_dir", "results/set"]) == 0
    assert "DSiam" not in capsys.readouterr().out


def test_files_are_written_and_named(folder, capsys):
    assert main(["-d", "set", "--json", "out/s.json", "--csv", "out/s.csv"]) == 0
    assert "wrote out/s.json\nwrote out/s.csv" in capsys.readouterr().out.replace("\\", "/")
    assert set(json.loads((folder / "out" / "s.json").read_text())) == {"dataset", "trackers"}
    assert (folder / "out" / "s.csv").read_text().startswith("tracker,scope,name,success")


def test_vis_draws_plots_pictures_and_one_report(folder, monkeypatch):
    monkeypatch.setattr(figures, "encode", lambda figure, form: form.encode())
    assert main(["-d", "set", "--vis", "--trackers", "KCF", "--sequences", "slow"]) == 0
    names = {path.name for path in (folder / "plots" / "set").iterdir()}
    assert {"set_success_ALL.pdf", "overlap_slow.png", "strip_slow.pdf", "report.html"} <= names
    page = (folder / "plots" / "set" / "report.html").read_text()
    assert page.count("data:image/png") == 5
    assert "KCF: 1 of 2 sequences" in page


@pytest.fixture
def checkout(folder):
    """A package called `toolkit`, laid out as in a pysot checkout: without `bin`."""
    package = folder / "checkout" / "toolkit"
    for name in ("datasets", "evaluation", "utils", "visualization"):
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "evaluation" / "__init__.py").write_text(THEIRS)
    return package.parent


def test_pysots_classes_can_compute(folder, checkout, capsys):
    assert main(["-d", "set", "--engine", "pysot", "--pysot-path", "checkout"]) == 0
    out = capsys.readouterr().out
    assert "| DSiam     |   0.250 |     0.250 |          0.250 |" in out
    assert "Computed by pysot's classes in checkout." in out


@pytest.mark.parametrize("engine", [[], ["--engine", "pysot", "--pysot-path", "checkout"]])
@pytest.mark.parametrize("first", ["theirs", "ours"])
def test_dsiam_eval_works_whichever_toolkit_comes_first(checkout, repository, first, engine):
    paths = [str(checkout), str(repository)]
    order = os.pathsep.join(paths if first == "theirs" else paths[::-1])
    done = subprocess.run(
        [sys.executable, "-m", "dsiam_plugin", "eval", "-d", "set", *engine],
        env={**os.environ, "PYTHONPATH": order}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"| DSiam     |   {'0.250' if engine else '0.952'} |" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-d", "OTB2031"], "did you mean 'OTB2013'?"),
        (["-d", "set", "-p", "nowhere"], "nowhere is not a folder"),
        (["-d", "set", "-t", "X"], "no tracker begins with 'X'"),
        (["-d", "set", "--trackers", "DSiamM"], "did you mean 'DSiam'?"),
        (["-d", "set", "--sequences", "none"], "has no video 'none'"),
        (["-d", "set", "--json", "results"], "cannot write results: it is a folder"),
        (["-d", "set", "--plots", "results/set/KCF/slow.txt/p"], "is a file, expected a folder"),
        (["-d", "set", "--engine", "pysot", "--pysot-path", "set"], "not a pysot checkout"),
    ],
)
def test_bad_input_is_one_line_and_status_2(folder, capsys, arguments, message):
    before = sorted(folder.rglob("*"))
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("dsiam eval: error: ") and captured.err.count("\n") == 1
    assert message in captured.err
    assert sorted(folder.rglob("*")) == before


def test_pictures_without_images_are_refused_before_anything_is_drawn(folder, capsys):
    (folder / "set" / "slow" / "img" / "0001.jpg").unlink()
    data.write_annotations(folder / "bare", SEQUENCES)
    assert main(["-d", "bare", "-p", "results/set", "--sequences", "slow"]) == 2
    assert "pictures of slow need its frames" in capsys.readouterr().err
    assert not (folder / "plots").exists()


def test_plots_without_matplotlib_are_refused_before_the_work(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["-d", "set", "--vis"]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "dsiam-plugin[plots]" in captured.err
    assert main(["-d", "set"]) == 0


@pytest.mark.skipif(os.name == "nt", reason="folders have no write bit there")
def test_a_folder_without_permission_is_refused_before_the_work(folder, capsys, monkeypatch):
    locked = folder / "locked"
    locked.mkdir()
    locked.chmod(stat.S_IRUSR | stat.S_IXUSR)
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != "locked")  # root may write
    assert main(["-d", "set", "--json", "locked/s.json"]) == 2
    assert "no permission in locked" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--engine", "pysot"], ["--num", "0"], ["--eao", "x"]])
def test_arguments_that_do_not_fit_end_with_status_2(folder, arguments, capsys):
    with pytest.raises(SystemExit) as exit_info:
        main(["-d", "set", *arguments])
    assert exit_info.value.code == 2
    assert capsys.readouterr().err.startswith("usage: dsiam eval")


@pytest.mark.data
def test_the_published_scores_of_otb2013(shared, tmp_path, capsys):
    """Success and precision that the authors' raw results give with the original toolkit."""
    arguments = ["-d", "OTB2013", "--dataset_dir", str(shared / "data" / "otb2013")]
    results = str(shared / "data" / "results")
    assert main([*arguments, "-p", results, "--json", str(tmp_path / "s.json")]) == 0
    trackers = json.loads((tmp_path / "s.json").read_text())["trackers"]
    published = {
        "SiamFC-3s": (0.607, 0.809),
        "MEEM": (0.575, 0.844),
        "Struck": (0.474, 0.641),
        "KCF": (0.514, 0.740),
    }
    for name, (success, precision) in published.items():
        assert trackers[name]["success"] == pytest.approx(success, abs=1e-3)
        assert trackers[name]["precision"] == pytest.approx(precision, abs=1e-3)
        assert trackers[name]["sequences"] == 51
    sizes = {code: row["sequences"] for code, row in trackers["KCF"]["attributes"].items()}
    assert sizes == dict(
        IV=25, OPR=39, SV=28, OCC=29, DEF=19, MB=12, FM=17, IPR=31, OV=6, BC=21, LR=4
    )


@pytest.mark.data
@pytest.mark.integration
def test_all_plots_of_real_sequences(shared, tmp_path):
    arguments = ["-d", "OTB2013", "--dataset_dir", str(shared / "data" / "otb2013" / "sequences")]
    arguments += ["-p", str(shared / "data" / "results"), "--plots", str(tmp_path)]
    assert main([*arguments, "--sequences", "Skiing"]) == 0
    names = [path.name for path in tmp_path.iterdir()]
    assert len([name for name in names if name.endswith(".png")]) == len(names) // 2
    for path in tmp_path.glob("*.pdf"):
        assert path.read_bytes().startswith(b"%PDF") and path.with_suffix(".png").stat().st_size


@pytest.mark.data
def test_the_original_scores_of_siammask_on_vot2018(shared, tmp_path, capsys):
    folder = shared / "data" / "vot2018"
    arguments = ["-d", "VOT2018", "--dataset_dir", str(folder), "-p", str(folder / "results")]
    assert main([*arguments, "--json", str(tmp_path / "s.json")]) == 0
    scores = json.loads((tmp_path / "s.json").read_text())["trackers"]["SiamMask"]
    assert scores["accuracy"] == pytest.approx(0.598, abs=1e-3)
    assert scores["robustness"] == pytest.approx(0.248, abs=1e-3)
    assert scores["lost"] == 53
    assert scores["eao"] == pytest.approx(0.406, abs=1e-3)
