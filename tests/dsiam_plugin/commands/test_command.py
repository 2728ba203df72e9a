"""What the commands of the toolkit share."""

import os
import subprocess
import sys

import pytest
import toolkit_data as data

from dsiam_plugin.commands.command import run_command
from dsiam_plugin.errors import DatasetError


def failing(error):
    def work():
        raise error

    return work


def test_the_status_of_the_work_is_returned(capsys):
    assert run_command("eval", lambda: 1) == 1
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (DatasetError("OTB2O13: unknown"), "dsiam eval: error: OTB2O13: unknown\n"),
        (PermissionError(13, "Permission denied", "out"), "dsiam eval: error: out: Permission"),
    ],
)
def test_errors_of_the_user_are_one_line_and_status_2(error, line, capsys):
    assert run_command("eval", failing(error)) == 2
    assert capsys.readouterr().err.startswith(line)


def test_an_interrupt_says_what_is_kept(capsys):
    status = run_command("test", failing(KeyboardInterrupt("all is kept")))
    assert (status, capsys.readouterr().err) == (130, "dsiam test: all is kept\n")


def test_a_defect_keeps_its_traceback():
    with pytest.raises(KeyError):
        run_command("eval", failing(KeyError("defect")))


@pytest.mark.skipif(os.name == "nt", reason="pipes break differently there")
def test_a_closed_pipe_ends_quietly(repository, tmp_path):
    data.write_otb(tmp_path, {"Deer": data.moving_boxes(71)})
    command = [sys.executable, "-m", "toolkit.bin.prepare", "OTB2013", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
