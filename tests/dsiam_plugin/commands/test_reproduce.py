"""``dsiam reproduce``: bad input, a run of OTB and of VOT, what is left out, going on."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import toolkit_data as data

from dsiam_plugin.commands import reproduce_runs
from dsiam_plugin.commands.main import main
from dsiam_plugin.evaluation.reproduction.ours import own_runs
from dsiam_plugin.evaluation.visualization import figures

pytest.importorskip("matplotlib")

SEQUENCES = {"Deer": data.moving_boxes(5, 1), "Skiing": data.moving_boxes(6, 2)}
REGIONS = {"ball": data.moving_boxes(40, 1)}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Two trackers of the embedded network, figures that are not rendered."""
    point = cv2.imencode(".png", np.zeros((2, 2, 3), np.uint8))[1].tobytes()
    monkeypatch.setattr(figures, "encode", lambda figure, form: point)
    monkeypatch.setattr(
        reproduce_runs,
        "own_runs",
        lambda networks: [
            run
            for run in own_runs(networks)
            if run.variant in ("SiamFC", "DSiamM") and not run.preset
        ],
    )


@pytest.fixture
def otb(tmp_path):
    data.write_otb(tmp_path / "set", SEQUENCES, images=True)
    return f"OTB={tmp_path / 'set'}"


def run(out, *arguments):
    quick = ("-n", "0", "--precision", "float32", "--device", "cpu")
    return main(["reproduce", str(out), *quick, *map(str, arguments)])


def test_otb_is_run_reported_and_not_run_again(otb, tmp_path, capsys):
    assert run(tmp_path / "out", "--data", otb, "--frames", 4) == 0
    printed = capsys.readouterr().out
    assert "DSiamM_embedded on OTB-first4, OPE: 2 done at" in printed
    assert "left out: Table 1 and Fig. 8: no sequences are named (--vot DIR)" in printed
    folder = tmp_path / "out" / "results" / "OTB-first4"
    for tracker in ("SiamFC_embedded", "DSiamM_embedded"):
        for name in SEQUENCES:
            boxes = np.loadtxt(folder / tracker / f"{name}.txt", delimiter=",")
            assert boxes.shape == (4, 4)
    page = (tmp_path / "out" / "report.html").read_text()
    assert "first 4 frames" in page and "Fig. 10" in page and "float32 on cpu" in page
    assert (tmp_path / "out" / "report.pdf").is_file()

    (folder / "SiamFC_embedded" / "Deer.txt").unlink()  # as if it had been stopped there
    assert run(tmp_path / "out", "--data", otb, "--frames", 4) == 0
    printed = capsys.readouterr().out
    assert "SiamFC_embedded on OTB-first4, OPE: 1 done at" in printed and "1 done before" in printed
    assert "DSiamM_embedded on OTB-first4, OPE: 2 done before" in printed


def test_a_tracker_of_other_weights_is_left_out(otb, tmp_path, monkeypatch, capsys):
    built = reproduce_runs.plugin_spec

    def refuse(name, **options):
        from dsiam_plugin.errors import CheckpointError

        if name == "DSiamM":
            raise CheckpointError("no such head")
        return built(name, **options)

    monkeypatch.setattr(reproduce_runs, "plugin_spec", refuse)
    assert run(tmp_path / "out", "--data", otb, "--frames", 4) == 0
    printed = capsys.readouterr()
    assert "left out: DSiamM_embedded: no such head" in printed.out


def test_results_of_another_precision_are_not_mixed(otb, tmp_path, capsys):
    assert run(tmp_path / "out", "--data", otb, "--frames", 4) == 0
    assert run(tmp_path / "out", "--data", otb, "--frames", 4, "--precision", "bfloat16") == 2
    said = capsys.readouterr().err
    assert "--force replaces them, another OUT keeps them" in said


@pytest.fixture
def toolkit(tmp_path, monkeypatch):
    """A VOT toolkit that follows exactly, and what it was called with."""
    data.write_vot(tmp_path / "vot", REGIONS, images=True)
    calls = []

    def evaluate(command, env, check):
        calls.append((command, env))
        workspace, tracker = command[-2:]
        for name, boxes in REGIONS.items():
            folder = reproduce_runs.Path(workspace) / "results"
            data.write_restarts(folder, tracker, name, [[[1], *boxes[1:].tolist()]])
            times = folder / tracker / "baseline" / name / f"{name}_001_time.value"
            times.write_text("0.02\n" * len(boxes))

    monkeypatch.setattr(reproduce_runs, "subprocess", SimpleNamespace(run=evaluate))
    return calls


def test_vot_is_run_by_its_toolkit_and_kept(tmp_path, toolkit, capsys):
    arguments = ("--vot", tmp_path / "vot", "--filter_seconds", "0.1")
    assert run(tmp_path / "out", *arguments) == 0
    assert [command[-1] for command, _ in toolkit] == ["SiamFC", "DSiamM"]
    _, environment = toolkit[0]
    assert environment["DSIAM_PRECISION"] == "float32"
    assert environment["DSIAM_WEIGHTS"].endswith("dsiam.safetensors")
    assert environment["VOT_RESULTS_BINARY"] == "0"
    page = (tmp_path / "out" / "report.html").read_text()
    assert "1 of 60 sequences: no VOT2015 score" in page and "Fig. 8" in page
    assert "Left out: all on OTB" in page
    kept = tmp_path / "out" / "results" / "VOT2015-1of60" / "DSiamM_embedded" / "baseline" / "ball"
    assert len((kept / "ball_001.txt").read_text().splitlines()) == 40
    assert run(tmp_path / "out", *arguments) == 0
    assert len(toolkit) == 2


def test_a_tracker_that_dies_under_vot_is_said(tmp_path, toolkit, monkeypatch, capsys):
    nothing = SimpleNamespace(run=lambda *arguments, **options: None)
    monkeypatch.setattr(reproduce_runs, "subprocess", nothing)
    assert run(tmp_path / "out", "--vot", tmp_path / "vot") == 1
    said = capsys.readouterr().out
    assert "left out: SiamFC with embedded: baseline/ball without results" in said


def test_without_the_vot_toolkit_the_rest_is_reported(otb, tmp_path, toolkit, monkeypatch, capsys):
    monkeypatch.setattr(reproduce_runs, "find_spec", lambda name: None)
    arguments = ("--data", otb, "--frames", 4, "--vot", tmp_path / "vot")
    assert run(tmp_path / "out", *arguments) == 1
    assert "the VOT toolkit is not installed" in capsys.readouterr().out
    assert (tmp_path / "out" / "report.html").is_file() and toolkit == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((), "nothing to run on"),
     (("--data", "OTB={tmp}/none"), "not found"),
     (("--data", "{otb}", "--results", "{tmp}/none"), "none is not a folder"),
     (("--data", "{otb}", "--weights", "{tmp}/none.npz"), "no such weights file"),
     (("--vot", "{tmp}/none"), "not found")],
)  # fmt: skip
def test_bad_input_is_one_line(arguments, said, otb, tmp_path, capsys):
    filled = [text.format(otb=otb, tmp=tmp_path) for text in arguments]
    assert run(tmp_path / "out", *filled) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("dsiam: error: ") and said in lines[0]


@pytest.mark.parametrize(
    "arguments", [("--data", "DIR"), ("--data", "VID=x"), ("--frames", "1"), ("--frames", "few")]
)
def test_odd_arguments_are_refused(arguments, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        run(tmp_path / "out", *arguments)
    assert end.value.code == 2 and "expected" in capsys.readouterr().err


def test_an_interrupt_says_that_results_are_kept(otb, tmp_path, monkeypatch, capsys):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(reproduce_runs, "run_dataset", interrupt)
    assert run(tmp_path / "out", "--data", otb) == 130
    assert "the same command goes on" in capsys.readouterr().err
