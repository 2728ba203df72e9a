import os
import signal

import numpy as np
import pytest

from dsiam_plugin.errors import CheckpointError, MissingDependencyError, ResultsError
from dsiam_plugin.io import mat, mat_child

scipy_io = pytest.importorskip("scipy.io")

CONTENT = {
    "matrix": np.arange(6.0).reshape(2, 3),
    "whole": np.uint8([[1, 2]]),
    "text": "rect",
    "nothing": "",
    "cell": np.array(["x", "yy"], dtype=object),
    "struct": {"name": "a", "inner": {"value": 3.0}},
}


@pytest.fixture
def path(tmp_path):
    scipy_io.savemat(tmp_path / "a.mat", CONTENT)
    return tmp_path / "a.mat"


def test_values_of_every_kind(path):
    found = mat.read_mat(path, CheckpointError)
    assert found["matrix"].tolist() == CONTENT["matrix"].tolist()
    assert found["whole"].dtype == np.uint8 and found["whole"].shape == (1, 2)
    assert (found["text"], found["nothing"], found["cell"]) == ("rect", "", ["x", "yy"])
    assert found["struct"]["name"] == "a"
    assert found["struct"]["inner"]["value"].tolist() == [[3.0]]


def test_struct_arrays_are_lists_of_dicts(tmp_path):
    array = np.empty((1, 2), dtype=[("name", "O")])
    array[0, 0], array[0, 1] = ("p",), ("q",)
    scipy_io.savemat(tmp_path / "a.mat", {"s": array, "cell": np.array([{"k": 1.0}], object)})
    found = mat.read_mat(tmp_path / "a.mat", CheckpointError)
    assert found["s"] == [{"name": "p"}, {"name": "q"}]
    assert found["cell"][0]["k"].item() == 1


def test_same_child_for_the_next_file_and_a_new_one_after_a_crash(path):
    mat.read_mat(path, CheckpointError)
    first = mat._READER._process.pid
    mat.read_mat(path, CheckpointError)
    assert mat._READER._process.pid == first
    os.kill(first, signal.SIGKILL)
    mat._READER._process.wait()
    assert mat.read_mat(path, CheckpointError)["text"] == "rect"


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import os; input(); os.kill(os.getpid(), 11)", "parser was ended by signal 11"),
        ("import sys; sys.exit(3)", "parser ended with status 3"),
        ("input(); print('x' * 99)", "parser (was ended by|ended with)"),
        # Starts with the bound of the real one, here 1 GiB.
        (
            "import sys; sys.path[:] = sys.argv[2:]; from dsiam_plugin.io.mat_child import _limit; "
            "_limit(2**30); bytearray(2**31)",
            "parser ended with status 1",
        ),
        ("import time; time.sleep(60)", "took longer than"),
    ],
)
def test_a_child_that_dies_or_hangs_is_one_line(path, monkeypatch, program, reason):
    mat._READER.stop()
    monkeypatch.setattr(mat, "_PROGRAM", program)
    monkeypatch.setattr(mat, "SECONDS", 0.5 if "sleep" in program else 60)
    with pytest.raises(ResultsError, match=f"a.mat: not a readable .mat file .*({reason})"):
        mat.read_mat(path, ResultsError)
    mat._READER.stop()


def test_damaged_and_missing_files(path, tmp_path):
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ResultsError, match=r"^[^\n]*a\.mat: not a readable .mat file[^\n]*$"):
        mat.read_mat(path, ResultsError)
    with pytest.raises(CheckpointError, match=r"none\.mat: cannot be read \(No such file"):
        mat.read_mat(tmp_path / "none.mat", CheckpointError)


def test_file_that_needs_more_memory_than_allowed():
    def load(*arguments, **options):
        raise MemoryError

    assert mat._unpack(mat_child._answer("a.mat", load)) == "too large"


def test_without_scipy_the_extra_is_named(path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "scipy", None)
    with pytest.raises(MissingDependencyError, match=r"dsiam-plugin\[mat\]"):
        mat.read_mat(path, CheckpointError)
