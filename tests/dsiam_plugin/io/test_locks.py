import os
import signal
import subprocess
import sys

import pytest

from dsiam_plugin.errors import ResultsError
from dsiam_plugin.io.locks import NAME, locked_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")

HOLDER = """
import sys
from pathlib import Path
from dsiam_plugin.errors import ResultsError
from dsiam_plugin.io.locks import locked_folder
with locked_folder(Path(sys.argv[1]), ResultsError):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_one_holder_at_a_time(tmp_path):
    folder = tmp_path / "new" / "folder"
    with locked_folder(folder, ResultsError):
        with (
            pytest.raises(ResultsError, match=f"folder: process {os.getpid()} on .* is writing"),
            locked_folder(folder, ResultsError),
        ):
            pass
        with locked_folder(tmp_path / "other", ResultsError):
            pass
    assert list(folder.iterdir()) == []
    with pytest.raises(KeyError), locked_folder(folder, ResultsError):
        raise KeyError
    with locked_folder(folder, ResultsError):
        pass


def test_a_killed_holder_locks_nothing(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"locked\n"
        with (
            pytest.raises(ResultsError, match=f"process {holder.pid} on"),
            locked_folder(tmp_path, ResultsError),
        ):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert (tmp_path / NAME).is_file()
    with locked_folder(tmp_path, ResultsError):
        pass
    assert not (tmp_path / NAME).exists()
