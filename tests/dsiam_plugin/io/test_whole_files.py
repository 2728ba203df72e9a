import os
import stat

import pytest

from dsiam_plugin.io.files import atomic_write


def test_the_file_appears_complete_and_nothing_is_left_beside_it(tmp_path):
    target = tmp_path / "results" / "KCF" / "David.txt"
    with atomic_write(target) as file:
        file.write("1,2,3,4\n")
        assert not target.exists()
    assert target.read_bytes() == b"1,2,3,4\n"
    assert os.listdir(target.parent) == ["David.txt"]


def test_an_error_keeps_the_old_content(tmp_path):
    target = tmp_path / "old.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(target) as file:
        file.write("new")
        raise RuntimeError
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["old.txt"]


def test_bytes(tmp_path):
    with atomic_write(tmp_path / "a.bin", "wb") as file:
        file.write(b"\x00\xff")
    assert (tmp_path / "a.bin").read_bytes() == b"\x00\xff"


def test_permissions_are_those_of_a_plain_open(tmp_path):
    (tmp_path / "plain").write_text("")
    with atomic_write(tmp_path / "new") as file:
        file.write("x")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_permissions_of_a_replaced_file_stay(tmp_path):
    target = tmp_path / "shared"
    target.write_text("")
    target.chmod(0o640)
    with atomic_write(target) as file:
        file.write("x")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
