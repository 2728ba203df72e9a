import importlib.util
import os
import subprocess
import sys
import types

import pytest

import dsiam_plugin
from dsiam_plugin.commands import forward, listing
from dsiam_plugin.commands import main as cli
from dsiam_plugin.errors import ConfigError

COMMAND = [sys.executable, "-m", "dsiam_plugin"]


def dsiam(repository, *arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    return subprocess.run(
        [*COMMAND, *arguments], env=environment, capture_output=True, text=True, **options
    )


def failing(error):
    def run(arguments):
        raise error

    return run


@pytest.mark.parametrize("arguments", [["--help"], ["track", "--help"]])
def test_help_loads_neither_torch_nor_opencv(repository, arguments):
    program = (
        "import sys\nfrom dsiam_plugin.commands import main as cli\n"
        f"try:\n    cli.main({arguments!r})\nexcept SystemExit:\n    pass\n"
        "loaded = {'torch', 'cv2', 'numpy', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(str(loaded) if loaded else 0)"
    )
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_help_lists_the_commands_that_exist(capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main(["--help"])
    assert exit_.value.code == 0
    out = capsys.readouterr().out
    for command in ("track", "list", "weights", "doctor", "data", "test", "eval", "prepare"):
        assert f"\n    {command} " in out


def test_version(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"dsiam {dsiam_plugin.__version__}\n"


def test_module_is_the_command(repository):
    done = dsiam(repository, "list", "--yaml", "DSiamN")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("dsiam: error: tracker 'DSiamN'")
    assert "'DSiam'" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (ConfigError("a.yaml: two\n  lines"), 2, "dsiam: error: a.yaml: two lines\n"),
        (FileNotFoundError(2, "No such file", "x.txt"), 2, "dsiam: error: x.txt: No such file\n"),
        (KeyboardInterrupt(), 130, "dsiam: interrupted\n"),
        (KeyboardInterrupt("interrupted; kept a.txt"), 130, "dsiam: interrupted; kept a.txt\n"),
    ],
)
def test_expected_errors_become_one_line_and_a_status(monkeypatch, capsys, error, status, message):
    monkeypatch.setattr(listing, "run", failing(error))
    assert cli.main(["list"]) == status
    captured = capsys.readouterr()
    assert captured.err == message
    assert captured.out == ""


@pytest.mark.parametrize("error", [ZeroDivisionError("defect"), ValueError("defect")])
def test_defects_keep_their_traceback(monkeypatch, error):
    monkeypatch.setattr(listing, "run", failing(error))
    with pytest.raises(type(error)):
        cli.main(["list"])


@pytest.mark.skipif(os.name == "nt", reason="pipes break differently there")
def test_closed_pipe_ends_quietly(repository):
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    with subprocess.Popen(
        [*COMMAND, "list"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.parametrize(
    ("arguments", "module", "rest"),
    [
        (["test", "--help"], "dsiam_plugin.commands.test", ["--help"]),
        (["eval", "-p", "results"], "dsiam_plugin.commands.eval", ["-p", "results"]),
        (["prepare"], "dsiam_plugin.commands.prepare", []),
        (["convert", "a", "b"], "dsiam_plugin.commands.convert", ["a", "b"]),
        (
            ["data", "synthesize", "--out", "x"],
            "dsiam_plugin.commands.synthesize",
            ["--out", "x"],
        ),
    ],
)
def test_forwarded_commands_get_their_arguments(monkeypatch, arguments, module, rest):
    calls = []
    stand_in = types.ModuleType(module)
    stand_in.main = lambda argv: calls.append(argv)
    monkeypatch.setitem(sys.modules, module, stand_in)
    assert cli.main(arguments) == 0
    assert calls == [rest]


def test_forwarded_status_is_returned(monkeypatch):
    stand_in = types.ModuleType("dsiam_plugin.commands.eval")
    stand_in.main = lambda argv: 3
    monkeypatch.setitem(sys.modules, "dsiam_plugin.commands.eval", stand_in)
    assert cli.main(["eval"]) == 3


def test_forwarded_modules_exist():
    for module, _ in forward.TARGETS.values():
        assert importlib.util.find_spec(module) is not None, module


def test_no_package_called_toolkit_is_imported(repository, tmp_path):
    (tmp_path / "toolkit").mkdir()
    (tmp_path / "toolkit" / "__init__.py").write_text("raise RuntimeError('not ours')")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(repository)])}
    for name in ("test", "eval", "prepare", "convert"):
        command = [*COMMAND, name, "--help"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
