"""``dsiam vot``: what it prints and its exit status."""

import json

import pytest

from dsiam_plugin.commands.main import main


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """One sequence of data and a workspace prepared for it, its path relative to the shell's."""
    monkeypatch.chdir(tmp_path)
    weights = tmp_path / "weights.npz"
    weights.write_bytes(b"weights")
    monkeypatch.setenv("DSIAM_WEIGHTS", str(weights))
    for variable in ("DSIAM_CONFIG", "DSIAM_PRECISION"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "data" / "ball").mkdir(parents=True)
    (tmp_path / "data" / "list.txt").write_text("ball\n")
    (tmp_path / "data" / "ball" / "groundtruth.txt").write_text("1,2,3,4\n" * 30)
    assert prepare() == 0
    return tmp_path / "w"


def prepare():
    return main(["vot", "prepare", "w", "--data", "data", "--trackers", "DSiam"])


def finish(workspace, tracker):
    folder = workspace / "results" / tracker / "baseline" / "ball"
    folder.mkdir(parents=True)
    (folder / "ball_001.txt").write_text("1\n")
    (folder / "ball_001_time.value").write_text("0.1\n0.1\n")


def test_prepare_keeps_results_until_a_setting_changes(workspace, capsys, monkeypatch):
    finish(workspace, "DSiam")
    assert prepare() == 0
    assert (workspace / "results" / "DSiam").is_dir()

    (workspace.parent / "weights.npz").write_bytes(b"other weights")
    assert prepare() == 0
    assert not (workspace / "results" / "DSiam").exists()
    assert "DSiam: results of other weights, code or sequences moved to" in capsys.readouterr().out

    for variable, value in (("DSIAM_PRECISION", "float32"), ("DSIAM_CONFIG", "data/list.txt")):
        finish(workspace, "DSiam")
        monkeypatch.setenv(variable, value)
        assert prepare() == 0
        assert not (workspace / "results" / "DSiam").exists()

    finish(workspace, "DSiam")
    (workspace.parent / "data" / "ball" / "groundtruth.txt").write_text("2,2,3,4\n" * 30)
    assert prepare() == 0
    assert not (workspace / "results" / "DSiam").exists()


def test_check_shows_what_is_missing_and_the_log(workspace, capsys):
    finish(workspace, "DSiam")
    assert main(["vot", "check", str(workspace), "DSiam"]) == 0
    (workspace / "logs").mkdir()
    (workspace / "logs" / "SiamFC_2026-01-01.log").write_text("Traceback\nValueError: broken\n")
    assert main(["vot", "check", str(workspace), "DSiam", "SiamFC"]) == 1
    err = capsys.readouterr().err
    assert "SiamFC: 1 without results (baseline/ball)" in err
    assert "ValueError: broken" in err
    assert "DSiam:" not in err


def test_report_prints_the_table_and_the_path(workspace, capsys):
    finish(workspace, "DSiam")
    analyses = [{"type": "a.AverageAccuracyRobustness"}, {"type": "a.EAOScore"}]
    experiment = {"parameters": {"analyses": analyses}, "results": [[[0.5, 1.0]], [[0.25]]]}
    document = {"trackers": {"DSiam": {}}, "results": {"baseline": experiment}}
    (workspace / "analysis").mkdir()
    (workspace / "analysis" / "evaluate.json").write_text(json.dumps(document))
    assert main(["vot", "report", str(workspace), "DSiam"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].split() == ["DSiam", "0.500", "1.00", "0.250", "10.0"]
    assert lines[-1] == f"report: {workspace / 'reports' / 'evaluate' / 'report.html'}"


@pytest.mark.parametrize(
    "options",
    [["--repetitions", "0"], ["--eao", "5"], ["--eao", "9,9"], ["--eao", "a,b"], ["--eao", "²,5"]],
)
def test_bad_options_name_what_was_expected(options, capsys):
    with pytest.raises(SystemExit) as end:
        main(["vot", "prepare", "w", *options])
    assert end.value.code == 2
    assert "expected" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../elsewhere", "/tmp", "..", "a\nb", ""])
def test_names_that_lead_out_of_the_workspace_are_refused(workspace, capsys, name):
    for command in ("check", "report"):
        assert main(["vot", command, str(workspace), name]) == 2
    assert main(["vot", "prepare", "w", "--trackers", name]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 3 and all("expected a plain name" in line for line in errors)


def test_no_weights_is_one_line(workspace, capsys, monkeypatch):
    monkeypatch.setenv("DSIAM_WEIGHTS", "missing.npz")
    assert prepare() == 2
    err = capsys.readouterr().err
    assert "missing.npz" in err and err.count("\n") == 1
